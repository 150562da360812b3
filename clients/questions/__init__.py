"""What a question says of a call: its subject, and what it changes."""
