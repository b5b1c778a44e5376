"""Speed, memory and false alarms as ratios and rates measured in one run: ``python -m benchmarks``."""
