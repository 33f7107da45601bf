"""Many matches at once in this process, by the live rules: rollouts for GRPO, and evaluations.

No clock runs and no server is needed; what a seat is asked, what counts as an answer, the one retry and the
forfeit are the arena's (`docs/architecture.md`). Only `model_player` and `generate` need torch.
"""

from training.play.ask import Ask as Ask
from training.play.ask import Player as Player
from training.play.ask import Said as Said
from training.play.lockstep import play as play
from training.play.lockstep import seeds as seeds
from training.play.played import Attempt as Attempt
from training.play.played import Played as Played
