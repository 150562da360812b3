"""The page of operators: who may sign in, and who is signed in."""
