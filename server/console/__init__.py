"""The approval page: what the operator sees in a browser."""
