"""The money on the approval page: what was spent, what is reserved, and what a month may come to."""
