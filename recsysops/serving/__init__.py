"""What the recommender itself imports: standard library and numpy only, nothing of ours above it."""
