"""One view over all providers: numbers, what they cost, what is left to spend, what became of a message."""
