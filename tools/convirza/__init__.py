"""Convirza: call tracking. The 56 operations of API v3, and the profile."""
