"""One guarded call: what it is drafted from, what is checked again before it is sent, and who takes its approval."""
