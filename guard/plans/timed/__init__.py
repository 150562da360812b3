"""Plans with times: when they run, and the undo that is approved with them."""
