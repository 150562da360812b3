"""Plans in the store, and the money reserved for their steps."""
