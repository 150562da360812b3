"""The history on the approval page: what was requested, found by a filter, and the same as a file."""
