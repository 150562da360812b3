"""What waits for approval: the list, its filters, and answering several alike calls together."""
