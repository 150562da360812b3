"""What each provider answers besides the request that a contract names: logins, prices, nothing."""
