"""What faults share: drawing places, hitting whole units, changing columns and slates, and what follows downstream."""
