"""From what detectors say to what people are told: findings, gates, grouping."""
