"""How a model is trained: one file for each recipe, one Struct for what they are told."""
