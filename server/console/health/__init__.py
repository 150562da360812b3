"""Whether everything works: accounts and their limits, unknown outcomes, the audit log, and who runs on the record."""
