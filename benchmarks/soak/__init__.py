"""Soak and chaos: two servers on one PostgreSQL under mixed traffic, while processes, networks and providers fail."""
