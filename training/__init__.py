"""Agents that learn from what happened: transcripts to trajectories, a QLoRA update, a gate, an adapter that is served.

`docs/training.md` tells the way of a session into an agent's next version. Pure: `trajectory`, `data`, `gate`,
`documents`. Everything that needs torch is imported late and by name, so that the rest starts without it.
"""
