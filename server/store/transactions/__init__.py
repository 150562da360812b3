"""Transactions of the store: what each keeps others from changing, and whether its files are still those of before."""
