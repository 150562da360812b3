"""VoiceTel's operations, one module a resource."""
