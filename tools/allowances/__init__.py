"""The tool with which an assistant asks the operator for an allowance."""
