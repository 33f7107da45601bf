"""The agent side of the wire: the SDK, the brains, and the runner of hosted agents."""
