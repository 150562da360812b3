"""A guided walk through one guarded call, against the simulated providers."""
