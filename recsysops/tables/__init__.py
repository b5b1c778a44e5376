"""Where rows come from: the data contract, sources, slates, as-of snapshots and change events."""
