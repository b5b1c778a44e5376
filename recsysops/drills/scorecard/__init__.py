"""What the checks find of what is planted, and what they say when nothing is: trials, baselines, the card."""
