"""Archives: old actions and rows of the audit log, moved out of the store into files that can be verified."""
