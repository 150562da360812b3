"""VoiceTel: one module a resource, each operation beside its models."""
