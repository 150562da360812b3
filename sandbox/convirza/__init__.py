"""Convirza API v3 and its OAuth service, simulated from their public documentation."""
