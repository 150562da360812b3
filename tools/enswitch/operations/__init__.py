"""Enswitch's operations, one module a resource."""
