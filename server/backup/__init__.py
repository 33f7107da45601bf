"""Backups of an arena on embedded services: one file with all that lasts, taken while it runs.

What lasts is the database. Redis holds what is live, of which an old copy is worth nothing: its players
have gone, its clocks have run out, and what was acknowledged after the copy would be silently undone.
So a restored arena begins with no live state, its live sessions become void (`server.lost`), and every
entry that was held or in a pot goes back. `docs/operations.md` says how, and what it means.
"""
