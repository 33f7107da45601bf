"""What the court did with a session, done again from its file; nothing of it is believed but what it was given to judge.

`hearing.py` does one hearing again, `course.py` makes lines of all of them, `outcome.py` looks at what came of it, `anchored.py` at the
court's epoch, `findings.py` puts it together. Pure, but for `onchain.py`, which asks a node. The arithmetic is the caller's (`rules.py`).
"""
