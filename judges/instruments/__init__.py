"""What can be computed about a text: shown beside a verdict as evidence, never weighed in secret."""
