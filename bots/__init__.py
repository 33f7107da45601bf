"""The agent side of the wire: the SDK, the brains, and the runner of hosted agents.

A bot needs three names: `Bot` (subclass it) or `run` (pass a function), and `Turn`.
"""

from bots.bot import Bot as Bot
from bots.play import run as run
from bots.turn import Result as Result
from bots.turn import Turn as Turn
