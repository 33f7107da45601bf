"""The matches of an update of GRPO: who meets whom, by which seeds, and what is carried from update to update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from safetensors.torch import load_file, save_file

from spaces import registry
from training.chat import Tokenizer
from training.data.advantage import Baselines
from training.data.example import Sample
from training.play.ask import Ask, Player, Said
from training.play.curriculum import BASE, PAST, SELF, Standing
from training.play.lockstep import play, seeds
from training.play.model_player import ModelPlayer
from training.play.played import Played
from training.play.samples import Tally, learned
from training.recipes.config import TrainConfig
from training.recipes.online import Online
from training.recipes.refused import CannotTrain

LEARNER = "learner"
STATE, SELVES = "grpo.json", "selves.safetensors"
"""Beside the weights in a checkpoint."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the next update depends on beside the weights."""

    baselines: Baselines = Baselines()
    standing: Standing = Standing()


class Rollouts:
    """Plays the matches of an update and says what there is to learn from them."""

    def __init__(
        self,
        online: Online,
        config: TrainConfig,
        model: Any,
        tokenizer: Tokenizer,
        rivals: Mapping[str, Player],
    ) -> None:
        """`rivals` are the scripted players, by name. Raises CannotTrain where the curriculum names one that is not
        there."""
        self.state = State()
        self.selves: dict[int, dict[str, Any]] = {}
        self._online, self._seed, self._model = online, config.seed, model
        self._space = registry.get(online.space)
        self._space.load()
        how: dict[str, Any] = {
            "system": online.system,
            "constrained": online.constrained,
            "temperature": online.temperature,
            "max_tokens": online.max_tokens,
            "seed": config.seed,
        }
        self._learner = ModelPlayer(model, tokenizer, adapter="default", **how)
        self._players: dict[str, Player] = {
            **rivals,
            LEARNER: self._learner,
            BASE: ModelPlayer(model, tokenizer, **how),
        }
        named = {name for stage in online.curriculum.stages for name in stage.opponents}
        if missing := sorted(named - {*self._players, PAST, SELF}):
            raise CannotTrain(f"the curriculum names {missing}; there are {sorted(self._players)}")

    def round(self, step: int) -> tuple[list[Sample], Tally]:
        """Play the matches before update `step` + 1, and take what came of them into the state."""
        games = self._play(step)
        credit, state = self._online.credit, self.state
        samples, baselines, tally = learned(games, {LEARNER}, credit, state.baselines)
        scores = [
            game.score(game.seating.index(LEARNER))
            for game in games
            if set(game.seating) != {LEARNER}
        ]
        standing = self._online.curriculum.after(state.standing, scores)
        self.state = State(baselines=baselines, standing=standing)
        return samples, tally

    def _play(self, step: int) -> list[Played]:
        online, standing = self._online, self.state.standing
        label = f"training/{self._seed}"
        opponents = online.curriculum.opponents(standing, online.matches, f"{label}/{step}")
        seatings = [_seating(self._space.seats, name, at) for at, name in enumerate(opponents)]
        puzzles = -(-online.matches // online.copies)
        drawn = seeds(label, puzzles, step * puzzles)
        chance = [drawn[at // online.copies] for at in range(online.matches)]
        selves = {
            f"{PAST}-{at}": Frozen(self._learner, self._model, weights)
            for at, weights in self.selves.items()
        }
        return play(self._space, online.params, seatings, chance, {**self._players, **selves})

    def updated(self, step: int) -> None:
        """Update `step` is made: now and then the learner is frozen as it is."""
        curriculum = self._online.curriculum
        if not curriculum.meets_past or step % curriculum.freeze_every:
            return
        self.selves[step] = {
            name: weight.detach().clone() for name, weight in _trained(self._model).items()
        }
        standing = curriculum.froze(self.state.standing, step)
        self.state = msgspec.structs.replace(self.state, standing=standing)
        self.selves = {at: self.selves[at] for at in standing.frozen}

    def save(self, folder: Path) -> None:
        (folder / STATE).write_bytes(msgspec.json.encode(self.state))
        tensors = {
            f"{at}/{name}": weight.cpu()
            for at, weights in self.selves.items()
            for name, weight in weights.items()
        }
        save_file(tensors, folder / SELVES)

    def read(self, folder: Path) -> None:
        self.state = msgspec.json.decode((folder / STATE).read_bytes(), type=State)
        self.selves = {at: {} for at in self.state.standing.frozen}
        for key, tensor in load_file(folder / SELVES).items():
            at, _, name = key.partition("/")
            self.selves[int(at)][name] = tensor.to(self._model.device)


class Frozen:
    """The learner as it once was: its weights are put in place for as long as it answers."""

    def __init__(self, learner: ModelPlayer, model: Any, weights: Mapping[str, Any]) -> None:
        self.system = learner.system
        self._learner, self._model, self._weights = learner, model, weights

    def answers(self, asks: Sequence[Ask]) -> Sequence[Said]:
        with _in_place(self._model, self._weights):
            return self._learner.answers(asks)


@contextmanager
def _in_place(model: Any, weights: Mapping[str, Any]) -> Iterator[None]:
    trained = _trained(model)
    before = {name: weight.data for name, weight in trained.items()}
    try:
        for name, weight in trained.items():
            weight.data = weights[name]
        yield
    finally:
        for name, weight in trained.items():
            weight.data = before[name]


def _trained(model: Any) -> dict[str, Any]:
    """The learner's own weights, whether or not they may be trained right now."""
    return {name: weight for name, weight in model.named_parameters() if ".default." in name}


def _seating(seats: int, opponent: str, number: int) -> tuple[str, ...]:
    """Every other match has the learner in the last seat."""
    if opponent == SELF:
        return (LEARNER,) * seats
    others = (opponent,) * (seats - 1)
    return (*others, LEARNER) if number % 2 else (LEARNER, *others)
