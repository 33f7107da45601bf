"""Writing: the brief, the texts side by side once all are in, and the verdict over all of them."""
