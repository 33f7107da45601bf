"""From seats' records to examples that a recipe learns from. Pure."""
