"""`ringfence actions archive`, and what other commands say of archives."""
