"""Drills on a copy of a team's own logs: what can be planted there, day by day, and the way back to files."""
