"""The operator's rules: policy, budget, destinations, compliance, quotes, and the checks that apply them."""
