"""Serving adapters: routes by name, a gateway before the servers that have them, and the probe that an adapter is used.

Nothing here imports torch: whoever serves needs a model's server and no more.
"""
