"""Measures, the compiled kernel, profiles of partitions and the history they fold into."""
