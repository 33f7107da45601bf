"""The official board: one fit of all that is published, which anyone can repeat from the results file."""
