"""Allowances, through the public door: what they let through, what they never do, and how the operator gives them."""
