"""What the key of the store protects: the audit log, its hash chain, and the vault of secrets."""
