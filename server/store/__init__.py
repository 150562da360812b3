"""The store: actions, the audit log, secrets, limits and cached answers, in SQLite or PostgreSQL."""
