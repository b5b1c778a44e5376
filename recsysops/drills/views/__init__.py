"""What people see of drills: the list of faults, the screen, the page and the document of a scorecard."""
