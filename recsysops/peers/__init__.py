"""Comparable items and members, chosen by what was known of them before anything was shown."""
