"""Behaviour of the simulated VoiceTel."""
