"""Plans: several calls that a person approves once, carried out step by step."""
