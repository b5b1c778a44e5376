"""The shelf of faults: one file per fault, reached through the registry only."""
