"""A log measured as a site for faults."""
