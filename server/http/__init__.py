"""The HTTP side of a process: application, sockets, bearer tokens, and the approval page on loopback."""
