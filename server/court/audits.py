"""Hidden audits: of the battles that the house's own agents play against each other, some have one side planted worse.

It happens where the runner asks an agent of the house for a verse (`AuditedBrain`), over the wire as in any session. The answer
is stored (`store.court.plant`) before the last spoiled verse is sent, so before there is a case; the clerk commits to it
in the filing (`chain.court.reference`) and opens it with the case's document.

An audit has to look like any other battle. So every verse of these agents, audited or not, is written in silence first and then
shown to spectators word by word: a fault can only be planted in what is whole.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import secrets
from collections.abc import Collection
from pathlib import Path

import structlog

from bots.brains import Brain
from bots.hosted import HostedAgent
from bots.turn import Answer, Turn
from judges.bench.planted import KEY_BYTES, ROUNDS, Plan, plan
from server.config import Config, ConfigError
from server.store import Store
from spaces import registry
from spaces.rap_battle.topics import TOPICS
from spaces.space import IllegalAction, InvalidAction

SPACE = "rap-battle"
KEY_FILE = "audit.key"
WORD_S = 0.08
"""Between two words that spectators are shown: a small model's pace."""
SHOW_SHARE = 0.25
"""Of what is left to the deadline, at most, for showing."""
MAX_LIVE = 64
"""Sessions of one agent that are remembered at once."""

_logger = structlog.get_logger()


def audit_key(file: Path) -> bytes:
    """Of the arena, made with mode 600 when it is new. Whoever has it knows which battles are audits: every process that plays the
    house's agents needs the same one. Raises ConfigError."""
    try:
        key = _made(file) or file.read_bytes()
    except OSError as error:
        raise ConfigError(f"the key of hidden audits, {file}: {error.strerror}") from None
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"the key of hidden audits, {file}, is not {KEY_BYTES} bytes: remove it, and a new one is made"
        )
    return key


def _made(file: Path) -> bytes | None:
    """None where there is one. Appears whole, so that two processes that start together have the same."""
    if file.exists():
        return None
    key = secrets.token_bytes(KEY_BYTES)
    partial = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(key)
    try:
        os.link(partial, file)  # unlike a rename, not over another's
    except FileExistsError:
        return None
    finally:
        partial.unlink()
    return key


def audited(config: Config) -> bool:
    """Whether the arena has hidden audits at all: only the court can hold anybody against an answer, and nobody's money or
    standing but the house's may hang on it."""
    court = config.settlement == "chain" and config.court != "off"
    return court and config.audit_share > 0 and not config.house_tier


class Audits:
    """What dresses the house's agents for audits. One per runner."""

    def __init__(self, store: Store, key: bytes, share: float, house: Collection[str]) -> None:
        """`house`: ids of the house's agents; only among themselves there are audits."""
        self._store = store
        self._key = key
        self._share = share
        self._house = frozenset(house)

    def dressed(self, agent: HostedAgent, brain: Brain) -> Brain:
        return AuditedBrain(brain, self) if agent.space == SPACE else brain

    async def plan(self, turn: Turn) -> Plan | None:
        """What is planned for this seat of the session; None: to play as ever. Raises what the store raises."""
        found = plan(self._key, turn.session, self._share)
        ours = all(seat.agent in self._house for seat in turn.seats) and len(turn.seats) > 1
        if found is None or found.worse != turn.seat or not ours or turn.view["rounds"] != ROUNDS:
            return None
        row = await self._store.sessions.get(turn.session)
        if row is None or row.tier_micros or await self._store.tournaments.holds(turn.session):
            return None  # others' money or standing hangs on it
        return found

    async def plant(self, session: str, found: Plan) -> None:
        """Raises what the store raises. Idempotent."""
        await self._store.court.plant(session, found.answer())


class AuditedBrain:
    """A rapper of the house: plays as its brain does, or worse in the way that is planned."""

    def __init__(self, brain: Brain, audits: Audits) -> None:
        self._brain = brain
        self._audits = audits
        self._spoiled: dict[str, set[int]] = {}
        """Rounds that were played with the fault, by session. Lost in a restart: then the session is no audit."""

    async def close(self) -> None:
        close = getattr(self._brain, "close", None)
        if close is not None:
            await close()

    async def act(self, turn: Turn) -> Answer:
        """Raises what the brain raises."""
        try:
            found = await self._audits.plan(turn)
        except Exception as error:  # the store is away: it plays as ever
            _logger.warning("no audits", error=repr(error))
            found = None
        verse = await self._brain.act(_quiet(turn, found))
        if found is not None and turn.view["round"] in found.rounds and isinstance(verse, str):
            verse = await self._planted(turn, found, verse)
        if isinstance(verse, str):
            await _show(turn, verse)
        return verse

    async def _planted(self, turn: Turn, found: Plan, verse: str) -> str:
        """With the fault, where that is a verse by the rules."""
        round_ = turn.view["round"]
        spoiled = found.spoiled(verse, round_)
        done = self._remembered(turn.session)
        try:
            registry.get(SPACE).check_answer(turn.kind, spoiled, turn.view, turn.seat)
        except (IllegalAction, InvalidAction):
            done.discard(round_)
            return verse
        done.add(round_)
        if done == set(found.rounds):
            try:
                await self._audits.plant(turn.session, found)
            except Exception as error:  # no audit: a worse verse harms nobody but the house
                _logger.warning("no audit planted", error=repr(error))
        return spoiled

    def _remembered(self, session: str) -> set[int]:
        done = self._spoiled.pop(session, set())
        self._spoiled[session] = done  # the newest last
        while len(self._spoiled) > MAX_LIVE:
            del self._spoiled[next(iter(self._spoiled))]
        return done


def _quiet(turn: Turn, found: Plan | None) -> Turn:
    """The turn as the brain has it: nobody sees what it writes, and what it raps about may be another topic."""

    def nowhere(piece: str | None) -> None:
        """Spectators are shown the verse when it is whole."""

    view = turn.view
    if found is not None:
        view = {**view, "topic": found.topic(view["topic"], TOPICS)}
    return dataclasses.replace(turn, view=view, writer=nowhere)


async def _show(turn: Turn, verse: str) -> None:
    """Word by word, sooner where time is short."""
    words = verse.split(" ")
    pause_s = min(WORD_S, SHOW_SHARE * turn.time_left_s / len(words))
    turn.restart()
    for at, word in enumerate(words):
        await turn.write(word if at == 0 else f" {word}")
        await asyncio.sleep(pause_s)
