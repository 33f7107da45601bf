"""The outside party that keeps content: which blocks are its own, taking them, attesting them, answering for them.

Nothing here knows the arena's wire or its database; whoever runs an operator brings both (`server/commands/operator.py`).
"""
