"""What the model sees: operations as tools, toolsets, and the cross-provider views."""
