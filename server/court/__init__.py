"""The clerk: the arena's side of the court (docs/court.md).

`seam` is all that it needs of the chain. The rules are `judges.court`'s; here they are carried out, from rows: nothing is in memory alone.
"""
