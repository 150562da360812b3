"""What a call leaves behind for whoever watches: spans, measurements, and a line of the log."""
