"""The commands about receipts, and the one that checks them anywhere."""
