"""Behaviour of the simulated Convirza."""
