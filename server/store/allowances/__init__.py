"""Allowances in the store: what the operator allowed beforehand, what was let through, and what assistants ask for."""
