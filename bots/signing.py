"""A seat's word for what it played: check the sealed transcript against what was sent, sign it, hand the signature in.

`Played` and `check` are pure. A bot signs nothing but transcripts of the form that it has checked itself, whatever an arena sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from bots.api import Domain
from bots.errors import BotError
from bots.journal import Say, plain
from server.protocol import Sign
from spaces import transcript
from spaces.space import ActionError
from spaces.transcript import Replayed, Transcript, TranscriptError
from spaces.transcript.bodies import Action, read_body, same
from spaces.transcript.typed import transcript_data

Signer = Callable[[Mapping[str, Any]], str]
"""(EIP-712 typed data) -> the signature: r, s, v, as hex with 0x. It is called in a thread."""

LOOK_S = 0.25
"""Between two looks for the sealed transcript."""
PATIENCE_S = 8.0
"""An arena takes signatures for 5 s after the seal, and looks later than that are in vain."""


class WouldNotSign(Exception):
    """The transcript is not what the seat has seen and played; the message is the fact."""


class Played:
    """What a seat has sent in one session, in this run of the program."""

    def __init__(self) -> None:
        self._sent: dict[int, list[str]] = {}
        self._acks: dict[str, int] = {}
        self._accepted: set[int] = set()

    def sent(self, act_id: str, turn: int, text: str) -> None:
        self._sent.setdefault(turn, []).append(text)
        self._acks[act_id] = turn

    def accepted(self, act_id: str) -> None:
        """The arena has said that the action is in its log."""
        if act_id in self._acks:
            self._accepted.add(self._acks[act_id])

    def texts(self, turn: int) -> list[str]:
        """What was sent for a decision: of two attempts the transcript has one action at most."""
        return self._sent.get(turn, [])

    def missing(self, turns: set[int]) -> list[int]:
        """The turns whose accepted action is not among these."""
        return sorted(self._accepted - turns)


def check(document: bytes, session: str, seat: int, played: Played) -> Transcript:
    """The transcript, if it is true by the rules and its seat's actions are those that were sent. Raises WouldNotSign."""
    try:
        read = transcript.read(document)
        if read.session != session:
            raise WouldNotSign(f"the transcript is of session {read.session}")
        replayed = transcript.replay(read)
        _check_own(read, replayed, seat, played)
    except TranscriptError as error:
        raise WouldNotSign(str(error)) from None
    return read


def _check_own(read: Transcript, replayed: Replayed, seat: int, played: Played) -> None:
    turns = set()
    for entry in read.entries:
        if entry.by != f"seat:{seat}" or entry.type != "action":
            continue
        body = read_body(entry, Action)
        turns.add(body.turn)
        if not any(_says(replayed, body, text) for text in played.texts(body.turn)):
            raise WouldNotSign(
                f"entry {entry.i} is a {body.kind} of ours in turn {body.turn} that we did not send"
            )
    missing = played.missing(turns)
    if missing:
        raise WouldNotSign(f"our accepted action of turn {missing[0]} is not in it")


def _says(replayed: Replayed, body: Action, text: str) -> bool:
    """Whether the words that were sent are this action."""
    if body.raw is not None and body.raw != text:
        return False
    space = replayed.space
    try:
        action = space.stamp(space.parse(body.kind, text), body.elapsed_ms or 0)
    except ActionError:
        return False
    return same(space.encode_action(action), body.action)


class Arena(Protocol):
    """What is needed of `bots.api.Api`."""

    async def domain(self) -> Domain | None: ...
    async def transcript(self, session: str) -> bytes | None: ...


class Signing:
    """Signs the sessions of one agent."""

    def __init__(self, signer: Signer, arena: Arena, request: Callable[[Sign], None], say: Say):
        self._signer = signer
        self._arena = arena
        self._request = request
        self._say = say
        self._answers: dict[str, asyncio.Event] = {}

    def answered(self, name: str) -> bool:
        """A `sign` was accepted or rejected. False: it was no `sign` of ours."""
        waiting = self._answers.pop(name, None)
        if waiting is not None:
            waiting.set()
        return waiting is not None

    async def sign(self, session: str, seat: int, played: Played) -> None:
        """When the session is over: sign, if there is a chain and nothing to say against it, and wait for the answer. Says what
        comes of it and raises nothing: a session without a signature is as good to everybody but its owner."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._sign(session, seat, played)
        except TimeoutError:
            self._say(f"{session}  not signed: the arena did not have it ready in time")
        except WouldNotSign as refusal:
            self._say(f"{session}  NOT SIGNED, THE TRANSCRIPT IS NOT WHAT WE PLAYED: {refusal}")
        except BotError as error:
            self._say(f"{session}  not signed: {plain(str(error))}")
        except Exception as error:  # the author's signer, whatever it raises
            self._say(f"{session}  not signed: {type(error).__name__}: {plain(str(error))}")

    async def _sign(self, session: str, seat: int, played: Played) -> None:
        domain = await self._arena.domain()
        if domain is None:
            self._say(f"{session}  not signed: this arena settles on no chain")
            return
        document = await self._arena.transcript(session)
        while document is None:
            await asyncio.sleep(LOOK_S)
            document = await self._arena.transcript(session)
        read = await asyncio.to_thread(check, document, session, seat, played)
        signed = await asyncio.to_thread(self._signed, domain, read)
        request = Sign(f"{session}:sign:{seat}", session, *signed)
        answer = self._answers.setdefault(request.id, asyncio.Event())
        self._request(msgspec.convert(msgspec.to_builtins(request), Sign))
        await answer.wait()

    def _signed(self, domain: Domain, read: Transcript) -> tuple[str, str]:
        digest = transcript.digest_of(read)
        data = transcript_data(
            domain.chain_id,
            domain.escrow,
            session=read.session,
            digest=digest,
            root=read.root,
            entries=len(read.entries),
        )
        return digest, self._signer(data)
