"""Behaviour of the simulated providers."""
