"""What may happen: policy, quote, approval, journal. Knows no MCP, no SQL and no HTTP."""
