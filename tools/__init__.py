"""What a model is offered: the providers' operations as tools, toolsets, and the tools over all providers."""
