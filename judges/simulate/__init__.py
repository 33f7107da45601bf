"""What the court's rules are worth against judges that do not judge: capture, flips, pay, slashes, bribes, absence.

The rules are production's (`judges.court`); what is assumed is the world they are in (`world.py`): how far apart contestants
are, and how far from each other honest judges. Those are stated numbers, not measurements of models. Words of one sheet are
as in the court: thousandths of a point, by line and then by contestant.
"""
