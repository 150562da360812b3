"""The HTTP side of a serving process: application, sockets, bearer tokens, and the approval page on loopback."""
