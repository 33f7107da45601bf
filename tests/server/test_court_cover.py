"""Paid sessions that judges decide are played only where the judges can lose more than there is to win."""

from __future__ import annotations

import msgspec
import pytest

from chain.ethereum import LocalAccount
from judges.court.terms import MIN_STAKE
from server.config import Config
from server.court.cover import Cover, NotCovered
from server.entering import Entrance, EntryRefused
from server.identity import Identity
from server.store.court_logs import Said
from tests.server.court_world import FAMILIES, accounts, family_id

DEAREST = 25_000_000


class Logs:
    """Of the registry, with one snapshot or none."""

    def __init__(self, judges: list[LocalAccount], stake: int = MIN_STAKE) -> None:
        self.fields = {
            "judges": [each.address for each in judges],
            "operators": [each.address for each in judges],
            "families": [family_id(FAMILIES[at % len(FAMILIES)]) for at in range(len(judges))],
            "weights": [stake] * len(judges),
        }

    async def newest(
        self, *names: str, ordinal: int | None = None, judge: str | None = None
    ) -> Said | None:
        assert names == ("SnapshotTaken",)
        return msgspec.convert(SAID | {"fields": self.fields}, Said, strict=False)


SAID = {
    "number": 5,
    "log_index": 0,
    "block_hash": "0x",
    "tx": "0x",
    "name": "SnapshotTaken",
    "ordinal": 1,
    "case": None,
    "hearing": None,
    "judge": None,
}


def cover(judges: int, stake: int = MIN_STAKE, frac_micros: int = 20_000) -> Cover:
    return Cover(Logs(accounts(judges), stake), Config(frac_micros=frac_micros))  # type: ignore[arg-type]


async def test_the_dearest_tier_is_covered_by_judges_with_the_least_stake() -> None:
    await cover(12).check("rap-battle", DEAREST)
    await cover(12).check("writing", DEAREST)


async def test_what_is_not_covered_is_refused_and_says_why() -> None:
    with pytest.raises(NotCovered, match=r"rap-battle for 25\.00 USDC: play a lower tier"):
        await cover(12, frac_micros=100).check("rap-battle", DEAREST)
    with pytest.raises(NotCovered):
        await cover(6).check("rap-battle", 100_000)
    with pytest.raises(NotCovered):
        await cover(0).check("rap-battle", 100_000)


async def test_what_rules_decide_and_what_is_free_needs_no_judges() -> None:
    await cover(0).check("bid-tac-toe", DEAREST)
    await cover(0).check("rap-battle", 0)


async def test_nobody_queues_for_what_no_panel_may_decide() -> None:
    async def rating(version: str, space: str) -> tuple[int, int]:
        raise AssertionError("refused before")

    entrance = Entrance(
        entries=None,  # type: ignore[arg-type]
        queues=None,  # type: ignore[arg-type]
        rating_of=rating,
        tiers_open=(100_000,),
        clock=lambda: 0,
        covered=cover(0).check,
    )
    agent = Identity("a", "A", "v", "o")
    with pytest.raises(EntryRefused, match="too few judges") as refused:
        await entrance.enter(agent, "rap-battle", 100_000)
    assert refused.value.code == "too-few-judges"
