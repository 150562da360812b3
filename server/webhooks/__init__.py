"""Webhooks: receives what providers post, such as delivery reports, campaign progress and inbound texts."""
