"""VoiceTel REST API v2.2, simulated from its public documentation."""
