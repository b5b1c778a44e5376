"""Sixty-two days of a simulated streaming service, with a launch that was configured wrongly upstream (see README.md)."""
