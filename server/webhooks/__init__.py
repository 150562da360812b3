"""Takes in what providers post: delivery reports, progress, messages of strangers."""
