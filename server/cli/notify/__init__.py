"""`ringfence notify`."""
