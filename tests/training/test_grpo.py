"""Learning from one's own matches, on a tiny model: a planted preference is found, and a killed run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from spaces import registry
from tests.training import tiny
from tests.training.lucky import Lucky
from training.model.base import Base
from training.play import Ask, Said
from training.play.curriculum import Curriculum, Stage
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.online import Online

pytestmark = pytest.mark.slow


class Zero:
    """Says 0, which never wins."""

    system = ""

    def answers(self, asks: Sequence[Ask]) -> list[Said]:
        return [Said(text='{"bid": 0}') for _ in asks]


class Watch:
    """Keeps what it is told."""

    def __init__(self, stop: int = 0) -> None:
        self.stop = stop
        self.losses: dict[int, float] = {}
        self.figures: list[Mapping[str, float]] = []

    def begun(self, model: Any, config: TrainConfig) -> None:
        pass

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        self.losses[step] = loss
        if step == self.stop:
            raise KeyboardInterrupt

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        self.figures.append(figures)

    def ended(self, trained: Any) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def lucky() -> None:
    registry.register(Lucky())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return tiny.make(tmp_path_factory.mktemp("tiny"))


COURSE = Curriculum(
    stages=(Stage(opponents={"zero": 2, "past": 1, "self": 1}, until=1.0),), freeze_every=2
)
ONLINE = Online(space="lucky", matches=24, curriculum=COURSE)


def config(**changes: Any) -> TrainConfig:
    knobs: dict[str, Any] = {
        "recipe": "grpo",
        "lora": LoraShape(rank=8, alpha=16),
        "steps": 6,
        "batch": 16,
        "micro_batch": 8,
        "learning_rate": 1e-2,
        "four_bit": False,
        "threads": 1,
        "checkpoint_every": 2,
        "beta": 0.0,
    }
    return TrainConfig(**{**knobs, **changes})


def run(folder: Path, base: Base, online: Online, told: Watch, **changes: Any) -> Any:
    from training.recipes import grpo

    return grpo.train(
        config(**changes), online, base, folder, {"zero": Zero()}, observers=[told], device="cpu"
    )


def test_what_wins_becomes_likelier_and_forced_tokens_are_let_be(
    tmp_path: Path, base: Base
) -> None:
    """At a low temperature, since so small a model can hardly prefer one number otherwise."""
    told = Watch()
    course = Curriculum(stages=(Stage(opponents={"zero": 1}, until=1.0),))
    online = Online(space="lucky", matches=24, temperature=0.25, curriculum=course)
    run(tmp_path, base, online, told, steps=16, batch=24, learning_rate=3e-2, warmup=0.0)
    rewards = [each["rollout/reward"] for each in told.figures]
    assert rewards[0] < 0.4, "one throw in ten by chance"
    assert sum(rewards[-4:]) / 4 > 0.7
    first = told.figures[0]
    assert first["rollout/valid"] == 1
    assert first["clip_ratio/region_mean"] == 0, "the first step is on what was sampled"
    assert 1 < first["entropy"] < 2.31, "of ten numbers, not of all words"


def test_the_form_is_learnt_where_answers_are_free(tmp_path: Path, base: Base) -> None:
    """Random weights never say a bid, so nothing is to be praised; the run goes on."""
    told = Watch()
    online = Online(space="lucky", matches=4, constrained=False, max_tokens=4, curriculum=COURSE)
    run(tmp_path, base, online, told, steps=2)
    assert told.figures[0]["rollout/valid"] == 0
    assert told.losses[1] == 0, "all failed alike, against an expectation of nothing"


@pytest.mark.parametrize("beta", [0.0, 0.05])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, base: Base, beta: float) -> None:
    whole, part = Watch(), Watch(stop=5)
    run(tmp_path / "whole", base, ONLINE, whole, beta=beta)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "part", base, ONLINE, part, beta=beta)
    again = Watch()
    trained = run(tmp_path / "part", base, ONLINE, again, beta=beta)
    assert trained.began_at == 4
    assert list(again.losses) == [5, 6]
    assert again.losses == {step: whole.losses[step] for step in (5, 6)}
    weights = "adapter/adapter_model.safetensors"
    assert (tmp_path / "part" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()


def test_opponents_that_are_not_there_are_named(tmp_path: Path, base: Base) -> None:
    course = Curriculum(stages=(Stage(opponents={"solver": 1}),))
    with pytest.raises(ValueError, match=r"names \['solver'\]"):
        run(tmp_path, base, Online(space="lucky", curriculum=course), Watch())


def test_a_learning_curve_is_made_of_played_points(tmp_path: Path, base: Base) -> None:
    from server.training import curve
    from training.recipes.refused import CannotTrain

    online = Online(matches=2)
    out = tmp_path / "curve.json"
    made = curve.learn(config(steps=2), online, base, tmp_path / "run", out, every=2, pairs=1)
    assert [each.step for each in made.points] == [0, 2]
    assert {name: each.matches for name, each in made.points[1].against.items()} == {
        "base": 2,
        "bidder": 2,
    }
    assert made.points[0].against["base"].b.first_answers.value == 1
    with pytest.raises(CannotTrain, match="another run"):
        curve.learn(config(steps=3), online, base, tmp_path / "run", out, every=2, pairs=1)
