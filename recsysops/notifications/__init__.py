"""Telling people: what changed since they were last told, to whom, when, and again until it arrives."""
