"""Drills: a simulated recommender service, faults that are planted in it or in a copy of real logs, and the scorecard."""
