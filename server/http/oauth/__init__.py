"""An OAuth 2.1 resource server: access tokens of the operator's own authorization server open the MCP endpoint."""
