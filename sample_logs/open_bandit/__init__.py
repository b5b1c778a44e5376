"""Open Bandit data: 40,000 logged recommendations of a fashion shop with true propensities (see README.md)."""
