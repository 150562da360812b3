"""The rules in force, and where each of them is set."""
