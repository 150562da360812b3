"""The command line, one module a concern."""
