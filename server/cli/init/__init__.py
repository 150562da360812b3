"""`ringfence init`: asks for what an installation needs, writes it, checks it, and connects a client."""
