"""Allowances: a yes that the operator gives beforehand, to calls within conditions, counts, money and a time."""
