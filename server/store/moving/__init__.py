"""Moving a record to another store: the mark that closes a store, the rows, and the proof that they are the same."""
