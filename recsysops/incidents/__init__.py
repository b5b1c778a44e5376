"""The life of incidents and the workspace's state database."""
