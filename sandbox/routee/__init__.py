"""Routee (AMD Telecom) public REST API, simulated from its public documentation."""
