"""Operators in the store: who they are, their passkeys, their sessions, and what they approved."""
