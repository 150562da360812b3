"""Text from outside: sanitising, de-obfuscation and taint."""
