"""The operations as the documents have them, written down without looking at the simulation."""
