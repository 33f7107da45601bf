"""The gate: what a candidate has to show before it plays for its agent. Pure; `docs/training.md`, "The gate"."""
