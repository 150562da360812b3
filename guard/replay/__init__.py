"""Rules tried on the record: what they would have decided about the calls of the last weeks."""
