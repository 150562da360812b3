"""What an operator can set: the model, its loader, and the checks of names and rules."""
