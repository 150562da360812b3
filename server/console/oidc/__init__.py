"""Signs operators in with the company's accounts: OpenID Connect, authorization code flow with PKCE."""
