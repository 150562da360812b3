"""Notices to the operators: what is said of what waits, failed, is used up or was stopped."""
