"""`ringfence operators`: people with a name who answer."""
