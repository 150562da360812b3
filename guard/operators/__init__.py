"""Who may answer: named operators, what the rules demand of an approval, and what an operator signs."""
