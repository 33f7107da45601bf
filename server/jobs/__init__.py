"""What follows a session, off the hot path: judging and rating, one outbox row per step.

The outbox (`server.store.outbox`) is the truth: what is due, what has been tried, what is dead. arq
only wakes a worker; whatever it loses, the sweeper wakes again. Every step may be cut off anywhere
and run again: what it stores it stores once, what it publishes it publishes once.
"""

from server.jobs.worker import Worker as Worker
