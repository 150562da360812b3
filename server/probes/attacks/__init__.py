"""The probes, by what they attack."""
