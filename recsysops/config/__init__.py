"""The workspace file and its typed settings."""
