"""Enswitch's JSON API, simulated from its public guide."""
