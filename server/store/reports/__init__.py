"""What an operator reads of the record afterwards: actions found by a filter, and what was spent."""
