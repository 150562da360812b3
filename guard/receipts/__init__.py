"""Receipts that anyone can check: signed statements of what was approved, declined and carried out."""
