"""`ringfence settings`: what can be set."""
