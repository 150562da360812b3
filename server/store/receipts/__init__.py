"""Receipts in the store: written in the transaction of what they say, signed with a key that is sealed beside them."""
