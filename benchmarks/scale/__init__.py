"""A record of a size that few reach: filled with valid rows, and measured in SQLite and PostgreSQL."""
