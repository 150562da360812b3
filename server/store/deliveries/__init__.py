"""What became of messages, as providers report it."""
