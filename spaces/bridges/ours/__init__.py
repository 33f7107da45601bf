"""Our Spaces behind other projects' interfaces, for their trainers and their agents."""
