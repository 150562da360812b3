"""The telephony providers, simulated: one ASGI app each, stateful, on one common frame."""
