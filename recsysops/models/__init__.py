"""Model artifacts: registered rows, files loaded as data, scores and contributions, the trees; why rows score unlike others."""
