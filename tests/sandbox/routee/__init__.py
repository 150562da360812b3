"""Behaviour of the simulated Routee."""
