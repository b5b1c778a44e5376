"""Detectors of another team."""
