"""Tools over received webhooks."""
