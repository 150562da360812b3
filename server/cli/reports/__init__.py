"""What the operator reads of the record in a terminal: actions that fit a filter, and the money."""
