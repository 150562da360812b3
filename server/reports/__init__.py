"""What an operator reads on the approval page and on the command line alike: the history as a file, and the money."""
