"""The guard probes: attempts to get past the guard, each against real processes and the simulated providers."""
