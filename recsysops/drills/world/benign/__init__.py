"""True events of the world that are no faults: what they do, and when each happens."""
