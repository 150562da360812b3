"""Convirza's operations, one module a resource."""
