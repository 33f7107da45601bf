"""Who plays whom, as a pure core: tickets and a clock value go in, proposals and reasons come out.

`window.py` says who accepts whom, `pool.py` forms proposals from tens of thousands of tickets, and
`standing.py` tells a waiting agent why it is not matched yet. Nothing here waits, stores or draws;
`server.live.queue` keeps the tickets and `server.matchmaker` is the shell.
"""

from server.matchmaking.pool import Pool, Proposal
from server.matchmaking.standing import MATCHABLE, Standing, explain
from server.matchmaking.window import Window

__all__ = ["MATCHABLE", "Pool", "Proposal", "Standing", "Window", "explain"]
