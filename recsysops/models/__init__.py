"""Model artifacts: registered rows, files loaded as data, scores and contributions, the structure of the trees."""
