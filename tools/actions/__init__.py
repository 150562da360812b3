"""Tools about guarded calls."""
