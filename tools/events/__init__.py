"""Tools over what providers posted."""
