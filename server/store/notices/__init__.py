"""The outbox of notices in the store."""
