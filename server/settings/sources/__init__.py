"""Where settings come from: the line or variable that sets each."""
