"""Tools over all providers: numbers, costs, balances, and the state of messages."""
