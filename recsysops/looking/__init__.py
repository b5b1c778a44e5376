"""Looking without judging: where things stand, how a measure moved, how items fare, why a finding was said."""
