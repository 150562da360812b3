"""Routee's operations, one module a resource; their answers stand beside them."""
