"""Routee's operations, one module a resource."""
