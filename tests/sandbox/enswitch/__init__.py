"""Behaviour of the simulated Enswitch."""
