"""The shared async client layer: declared operations, one client per provider account, typed answers and errors."""
