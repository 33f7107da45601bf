"""The three documents of a training: what it learned from, what it made, and how. Pure; formats in docs/proofs.md."""
