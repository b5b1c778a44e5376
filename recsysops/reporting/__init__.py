"""Views of the same values: terminal and JSON."""
