"""The record: actions, secrets, limits and cached answers, in SQLite or PostgreSQL."""
