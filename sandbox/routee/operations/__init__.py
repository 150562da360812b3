"""The operations of the simulated Routee, one module for each resource."""
