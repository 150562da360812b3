"""What talks MCP: server, tool registry, dispatcher, elicitation and results."""
