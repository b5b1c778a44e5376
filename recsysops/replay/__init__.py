"""Re-scoring of logged candidates, as-of fetches of their features, and where the first difference arises."""
