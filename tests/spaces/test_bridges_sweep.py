"""Every game that docs/bridges.md lists plays, and every one that plays is listed."""

from __future__ import annotations

import importlib
import random
import re
from pathlib import Path
from typing import Any

import pytest

from spaces import registry
from spaces.seed import Streams
from spaces.space import IllegalAction, Outcome

DOCS = Path(__file__).parents[2] / "docs" / "bridges.md"
TRIES = 60
"""Illegal guesses of the baseline before it gives up and forfeits."""


def listed(heading: str) -> list[str]:
    found = re.search(rf"<!-- {heading} -->\n(.*?)\n<!-- end -->", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return re.split(r",\s+", found[1].strip())


def played(space_id: str) -> Outcome:
    space, rng, streams = registry.get(space_id), random.Random(0), Streams(bytes(32))
    state, refused = space.initial(space.params({}), streams), 0
    while (outcome := space.outcome(state)) is None:
        seat = rng.choice(space.decisions(state)).seat
        try:
            state = space.apply(state, seat, space.random_action(state, seat, rng), streams)
            refused = 0
        except IllegalAction:
            refused += 1
            if refused == TRIES:
                state = space.forfeit(state, seat, streams)
    assert len(outcome.returns or ()) == space.seats
    assert space.returns_sum in (None, sum(outcome.returns or ()))
    assert space.render(state)
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("game", listed("openspiel: played"))
def test_a_listed_game_of_openspiel_is_played_to_the_end(game: str) -> None:
    assert played(f"openspiel:{game}").termination in ("complete", "ply-limit")


@pytest.mark.slow
@pytest.mark.parametrize("game", listed("textarena: played"))
def test_a_listed_game_of_textarena_is_played_to_the_end(game: str) -> None:
    assert played(f"textarena:{game}").termination in ("complete", "ply-limit")


@pytest.mark.slow
@pytest.mark.parametrize("game", listed("textarena: guessed"))
def test_a_game_whose_moves_the_baseline_guesses_can_be_played(game: str) -> None:
    assert played(f"textarena:{game}").termination in ("complete", "ply-limit", "forfeit")


@pytest.mark.slow
def test_every_playable_game_of_openspiel_is_listed() -> None:
    spiel: Any = importlib.import_module("pyspiel")
    assert [name for name in spiel.registered_names() if _resolves(f"openspiel:{name}")] == listed(
        "openspiel: played"
    )


@pytest.mark.slow
def test_every_playable_game_of_textarena_is_listed() -> None:
    registered = importlib.import_module("textarena.envs.registration").ENV_REGISTRY
    entry = {name: spec.entry_point for name, spec in registered.items()}
    known = {entry[name] for kind in ("played", "guessed") for name in listed(f"textarena: {kind}")}
    rest = [name for name in entry if entry[name] not in known and "-train" not in name]
    playable = [name for name in rest if _resolves(f"textarena:{name}")]
    assert playable == []


def _resolves(space_id: str) -> bool:
    try:
        registry.get(space_id)
    except registry.UnknownSpace:
        return False
    return True
