"""Sends notices: from the record to the outbox, and from there to the channels of the settings."""
