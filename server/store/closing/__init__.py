"""The marks that close a store to every server: the engine looks for them, and a move sets them."""
