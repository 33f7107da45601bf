"""Hidden audits: planted by the arena's own rappers, committed to in the filing, opened when nobody can judge any more; and until
then like any other battle."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bots.hosted import HostedAgent
from bots.turn import Turn
from chain.court import reference
from judges.bench.damage import Damage
from judges.bench.planted import FAULTY_MILLI, Plan, plan
from server.config import Config, ConfigError
from server.court.audits import KEY_FILE, AuditedBrain, Audits, audit_key, audited
from server.court.view import view_of
from server.protocol import SeatCard
from server.store import Store
from tests.server.aftermath_session import Seats
from tests.server.court_world import sheet_of
from tests.server.test_court_docket import Court

KEY = b"k" * 32
VERSE = "\n".join(
    (
        "I'm the king of the night with a mic in my hand",
        "You're a leaf in the wind that can't even stand",
        "The drums on the roof are the beat of the rain",
        "And you lost all your keys and you missed the last train",
    )
)
ROUNDS = 3
ALL = (1, 2, 3)


class Rapper:
    """Raps what it is told, of the topic it is told."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    async def act(self, turn: Turn) -> str:
        self.topics.append(turn.view["topic"])
        turn.write("words that are in no verse")
        return VERSE


class House:
    """Two rappers of the house, and the sessions they are seated in."""

    def __init__(self, store: Store, seats: Seats, share: float = 1.0) -> None:
        self.store, self.seats = store, seats
        self.audits = Audits(store, KEY, share, [each.agent for each in seats.agents])
        self.shown: list[str] = []

    async def formed(self, damage: Damage | None = None, count: int | None = None) -> str:
        """A session; an audit with this fault, and in so many verses, if that is named."""
        while True:
            record = self.seats.record("rap-battle")
            found = plan(KEY, record.session, 1.0)
            assert found is not None
            if damage in (None, found.damage) and count in (None, len(found.rounds)):
                await self.store.sessions.form(record)
                return record.session

    def turn(self, session: str, seat: int, round_: int) -> Turn:
        def shown(piece: str | None) -> None:
            self.shown = [] if piece is None else [*self.shown, piece]

        cards = [
            SeatCard(at, each.agent, each.name, each.version)
            for at, each in enumerate(self.seats.agents)
        ]
        view = {
            "topic": "night buses",
            "rounds": ROUNDS,
            "round": round_,
            "bars": 4,
            "char_limit": 600,
        }
        return Turn(
            session=session,
            space="rap-battle",
            turn=2 * round_ + seat,
            seat=seat,
            kind="verse",
            view=view,
            seats=tuple(cards),
            writer=shown,
        )

    async def played(self, session: str, rounds: int = ROUNDS) -> list[list[str]]:
        """What each seat raps."""
        said: list[list[str]] = [[], []]
        for seat in (0, 1):
            brain = AuditedBrain(Rapper(), self.audits)
            for round_ in range(1, rounds + 1):
                answer = await brain.act(self.turn(session, seat, round_))
                assert isinstance(answer, str)
                assert "".join(self.shown) == answer, "spectators are shown what is played"
                said[seat].append(answer)
        return said


@pytest.fixture
async def house(store: Store) -> House:
    return House(store, await Seats.registered(store))


def planned(session: str) -> Plan:
    found = plan(KEY, session, 1.0)
    assert found is not None
    return found


@pytest.mark.parametrize("damage", list(FAULTY_MILLI))
async def test_one_side_is_worse_as_planned_and_the_court_has_the_answer(
    house: House, damage: Damage
) -> None:
    session = await house.formed(damage)
    said = await house.played(session)
    found = planned(session)
    assert said[1 - found.worse] == [VERSE] * ROUNDS
    same = {at for at, verse in enumerate(said[found.worse], 1) if verse == VERSE}
    assert same == (set(ALL) if damage is Damage.OFF_TOPIC else set(ALL) - set(found.rounds))
    assert await house.store.court.answer(session) == found.answer()


async def test_who_is_to_be_off_topic_raps_of_something_else(house: House) -> None:
    session = await house.formed(Damage.OFF_TOPIC)
    found = planned(session)
    for seat in (0, 1):
        rapper = Rapper()
        await AuditedBrain(rapper, house.audits).act(house.turn(session, seat, 1))
        assert (rapper.topics == ["night buses"]) == (seat != found.worse)


async def test_there_is_no_answer_before_the_last_verse_is_worse(house: House) -> None:
    session = await house.formed(Damage.REPEATED, count=ROUNDS)
    await house.played(session, rounds=ROUNDS - 1)
    assert await house.store.court.answer(session) is None
    worse = planned(session).worse
    brain = AuditedBrain(Rapper(), house.audits)  # of a runner that was started again
    await brain.act(house.turn(session, worse, ROUNDS))
    assert await house.store.court.answer(session) is None


async def test_against_others_and_for_others_nothing_is_planted(store: Store) -> None:
    seats = await Seats.registered(store)
    house = House(store, seats)
    house.audits = Audits(store, KEY, 1.0, [seats.agents[0].agent])
    session = await house.formed()
    assert await house.played(session) == [[VERSE] * ROUNDS] * 2
    assert await store.court.answer(session) is None

    house = House(store, seats)
    record = msgspec.structs.replace(seats.record("rap-battle"), tier_micros=100_000)
    brain = AuditedBrain(Rapper(), house.audits)
    for seat in (0, 1):
        assert await brain.act(house.turn(record.session, seat, 1)) == VERSE, "no session of ours"


async def test_without_a_share_nothing_is_planted(store: Store) -> None:
    house = House(store, await Seats.registered(store), share=0.0)
    assert await house.played(await house.formed()) == [[VERSE] * ROUNDS] * 2


async def test_only_rappers_are_dressed(house: House) -> None:
    rapper = Rapper()
    other = HostedAgent(name="Quill", space="writing", brain="llm")
    assert house.audits.dressed(other, rapper) is rapper
    dressed = house.audits.dressed(msgspec.structs.replace(other, space="rap-battle"), rapper)
    assert isinstance(dressed, AuditedBrain)


async def test_an_audit_is_shown_to_spectators_as_any_verse_is(house: House) -> None:
    """As many pieces and lines; a fault that shortens is shorter."""
    session = await house.formed(Damage.SHUFFLED, count=ROUNDS)
    worse, pieces = planned(session).worse, {}
    for seat in (0, 1):
        await AuditedBrain(Rapper(), house.audits).act(house.turn(session, seat, 1))
        pieces[seat] = len(house.shown)
        assert "".join(house.shown).count("\n") == 3
    assert pieces[worse] == pieces[1 - worse]


def test_an_arena_has_audits_where_a_court_judges_and_nobody_plays_for_money() -> None:
    on = Config(data_dir="unused", settlement="chain")
    assert audited(on)
    for other in ({"court": "off"}, {"audit_share": 0.0}, {"house_tier": 100_000}):
        assert not audited(msgspec.structs.replace(on, **other))
    assert not audited(Config(data_dir="unused", settlement="simulated"))


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / KEY_FILE
    key = audit_key(file)
    assert audit_key(file) == key != audit_key(tmp_path / "another")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["another", KEY_FILE]
    file.write_bytes(b"short")
    with pytest.raises(ConfigError, match="not 32 bytes"):
        audit_key(file)


# --------------------------------------------------------------------------- before the court

CLEAR, CLOSE = sheet_of(8_000, 5_000), sheet_of(6_000, 5_900)
ANSWER = Plan(1, Damage.TRUNCATED, ALL, b"seed").answer()


def looks(answer: Sequence[int] | None, *sheets: Sequence[int]) -> list[Any]:
    """A case as everybody sees it, after each thing that happens to it until its last hearing is over."""
    court = Court(answer=answer)
    seen = [view_of(court.case)]
    court.draw()
    seen.append(view_of(court.case))
    minds = court.sitting()
    for act in (court.commit, court.reveal):
        for mind in minds:
            act(mind, sheets[0])
            seen.append(view_of(court.case))
    return [msgspec.to_builtins(each) for each in seen]


def test_until_its_end_an_audit_looks_like_any_other_case() -> None:
    audit, live = looks(ANSWER, CLOSE), looks(None, CLOSE)
    assert len(audit) == len(live)
    for one, other in zip(audit, live, strict=True):
        if one.get("filing") is not None:
            mine, theirs = (each["filing"]["filing"].pop("reference") for each in (one, other))
            assert mine != theirs
            assert len(mine) == len(theirs) == 64
        assert one == other, "nothing else differs"
    assert not any(sheet["pay_micros"] for sheet in audit[-1]["sheets"])


def test_what_a_hearing_brought_its_judges_is_not_told_while_another_panel_may_follow() -> None:
    court = Court(answer=ANSWER)
    court.hear(CLOSE)
    assert {each.skill_ppm for each in view_of(court.case).sheets} == {0}
    court.conclude()
    assert court.case.last.hearing == 1, "it was close"

    court = Court(answer=ANSWER)
    court.hear(CLEAR)
    court.conclude()
    assert {each.skill_ppm for each in view_of(court.case).sheets} != {0}
    assert "audit" not in view_of(court.case).note
    court.close()
    assert "it was a hidden audit" in view_of(court.case).note


def test_the_filing_commits_to_the_answer() -> None:
    court = Court(answer=ANSWER)
    filing = court.draw().last.filing
    assert filing is not None
    salt = bytes.fromhex(court.case.last.salt)
    assert bytes.fromhex(filing.reference) == reference.commitment(salt, ANSWER)
    assert bytes.fromhex(filing.reference) != reference.commitment(salt, None)


def test_judges_who_see_the_fault_earn_more_than_those_who_say_the_usual() -> None:
    court = Court(answer=ANSWER)
    court.hear(sheet_of(5_000, 5_000), CLEAR)
    lazy, *honest = [each.skill or 0 for each in court.case.last.bench if each.skill is not None]
    assert lazy < min(honest)
