"""Plans as a client sees them: the tools' questions and results."""
