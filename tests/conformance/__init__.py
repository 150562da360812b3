"""The official conformance suite against our server, with the fixtures that the suite asks for on our own shelf."""
