"""`ringfence store`: the record as a whole, and where it is."""
