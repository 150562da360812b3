"""The question as a card in clients that show MCP Apps."""
