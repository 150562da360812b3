"""The demo: guarded calls at all four providers, against the simulated ones."""
