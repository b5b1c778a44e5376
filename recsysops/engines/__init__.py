"""Where counting runs: in this process, one partition at a time."""
