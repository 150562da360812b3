"""Probes of what somebody may do: on which accounts, and within which allowances."""
