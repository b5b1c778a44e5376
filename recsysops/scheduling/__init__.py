"""Starting runs by cron or systemd, and looking after them: lock, retries, dead man's switch, log."""
