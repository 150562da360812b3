"""The pages about receipts."""
