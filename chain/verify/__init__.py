"""Is a result true? Every fact that can be checked is a line; what cannot be is a line, too.

`finding.py` is what a line says, `session.py` checks one session's documents (pure), `report.py` prints. Whoever fetches
the documents stands outside: none of this needs the arena.
"""
