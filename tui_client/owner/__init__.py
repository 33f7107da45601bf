"""What an owner does at this screen: agents, automation, dashboards, money.

The same way as the spectator's: a state folded by pure functions, painters, and one shell (`clerk`) that makes
the HTTP calls which the state asks for.
"""
