"""What the clients of one process share: connections, limits, caches, tokens, inbox addresses and the clock."""
