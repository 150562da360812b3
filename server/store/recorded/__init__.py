"""Past calls, read from the store in the order in which they were made."""
