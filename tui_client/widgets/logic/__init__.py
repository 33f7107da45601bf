"""Logic: the puzzle that is open, who has answered, and the answers of the last one beside it."""
