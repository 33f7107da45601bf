"""What a judge does about the cases that it is told of: which step is due, one sheet and one salt a hearing, and nothing twice.

Nothing here knows the arena's wire or the chain; whoever runs a judge brings both (`server/judging/`).
"""
