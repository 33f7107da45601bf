"""What runs in the Python that has vLLM, and has none of ours: standard library alone."""
