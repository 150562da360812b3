"""Tools about plans."""
