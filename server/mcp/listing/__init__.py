"""The tools of a server as `tools/list` shows them, kept on disk between starts."""
