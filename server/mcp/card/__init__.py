"""The card: an MCP App that shows the question of a guarded call or plan in the client. It answers nothing."""
