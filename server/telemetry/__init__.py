"""Where spans and measurements go, and what a server says about its own state."""
