"""A transcript as what each seat was asked, what it said, and what came of it. Pure."""
