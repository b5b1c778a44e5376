"""Public contract suites that plugins run against themselves."""
