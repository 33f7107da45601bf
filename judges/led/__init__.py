"""Judges that are led by instruments: what can be computed about a work, as points with reasons.

They are no oracles of taste. Each sees one side of a work and says which; a panel of several families and
a model is harder to fool, and harder to bribe, than any of them. The same case gives the same points on
every machine: integers at the borders, no chance, no network.
"""
