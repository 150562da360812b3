"""`ringfence allowances`: what the operator allows beforehand."""
