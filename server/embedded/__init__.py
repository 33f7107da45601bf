"""Real services for whoever has set no URL: a redis-server, SQLite, and a llama.cpp server.

They are children of this machine, shared by every process of one data directory, and reached by the
same clients as the production services. `guard.py` says how long they live.
"""
