"""A bot signs what it has played, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from bots.api import Domain
from bots.signing import Played, Signing, WouldNotSign, check
from server.protocol import Accepted, Act, Sign
from spaces import canonical, merkle, registry, transcript
from spaces.transcript import Transcript
from tests.bots.arena import SESSION as LIVE
from tests.bots.arena import arena, ended_view, update
from tests.bots.test_sdk import bid, playing, seated
from tests.conformance.rig import SESSION, Dice, play

ESCROW = "0x" + "e5" * 20
VALUE = "0x" + "ab" * 65
DOMAIN = Domain(31_337, ESCROW)
replace = msgspec.structs.replace


def sealed(space: str = "bid-tac-toe", dice: Dice | None = None) -> bytes:
    params = {"chips": 20} if space == "bid-tac-toe" else {"rounds": 1}
    return play(registry.get(space), params, 9, dice).document()


def own(document: bytes, seat: int, *, but: int | None = None) -> Played:
    """What a seat has sent to get there; in turn `but` it was something else."""
    played = Played()
    for entry in transcript.read(document).entries:
        if entry.by != f"seat:{seat}" or entry.type != "action":
            continue
        turn = entry.body["turn"]
        text = entry.body.get("raw") or canonical.encode(entry.body["action"]).decode()
        played.sent(f"a{turn}", turn, "bid: 0" if turn == but else text)
        played.accepted(f"a{turn}")
    return played


def turns_of(document: bytes, seat: int) -> list[int]:
    entries = transcript.read(document).entries
    return [e.body["turn"] for e in entries if e.by == f"seat:{seat}" and e.type == "action"]


@pytest.mark.parametrize("space", ["bid-tac-toe", "rap-battle"])
@pytest.mark.parametrize("seat", [0, 1])
def test_a_transcript_of_what_was_sent_is_signed(space: str, seat: int) -> None:
    document = sealed(space)
    assert check(document, SESSION, seat, own(document, seat)) == transcript.read(document)


def test_faults_of_ours_are_no_reason_not_to_sign() -> None:
    document = sealed(dice=Dice(fault=0.3))
    check(document, SESSION, 0, own(document, 0))


def test_an_action_that_was_not_ours_is_refused() -> None:
    document = sealed()
    last = turns_of(document, 0)[-1]
    with pytest.raises(WouldNotSign, match=f"in turn {last} that we did not send"):
        check(document, SESSION, 0, own(document, 0, but=last))
    with pytest.raises(WouldNotSign, match="that we did not send"):
        check(document, SESSION, 0, Played())


def test_words_that_were_changed_are_refused() -> None:
    document = sealed("rap-battle")
    played = Played()
    for turn in turns_of(document, 0):
        played.sent(f"a{turn}", turn, "what we really said\nin two lines")
    with pytest.raises(WouldNotSign, match="that we did not send"):
        check(document, SESSION, 0, played)


def test_an_accepted_action_that_is_left_out_is_refused() -> None:
    document = sealed()
    played = own(document, 0)
    played.sent("more", 999, "bid: 1")
    check(document, SESSION, 0, played)
    played.accepted("more")
    with pytest.raises(WouldNotSign, match="our accepted action of turn 999 is not in it"):
        check(document, SESSION, 0, played)


def test_a_transcript_that_does_not_replay_or_is_another_s_is_refused() -> None:
    document = sealed()
    with pytest.raises(WouldNotSign, match="is of session"):
        check(document, "another", 0, own(document, 0))
    read = transcript.read(document)
    leaves = [canonical.encode(msgspec.to_builtins(e)) for e in read.entries[:-1]]
    cut = replace(read, entries=read.entries[:-1], root=merkle.root(leaves).hex())
    with pytest.raises(WouldNotSign, match="end before the session does"):
        check(encoded(cut), SESSION, 0, own(document, 0))
    with pytest.raises(WouldNotSign):
        check(b"[" * 100_000, SESSION, 0, Played())


def encoded(read: Transcript) -> bytes:
    return canonical.encode(msgspec.to_builtins(read))


class Sealing:
    """An arena that has the transcript when it is asked for the second time."""

    def __init__(self, document: bytes, domain: Domain | None = DOMAIN) -> None:
        self._document = document
        self._domain = domain
        self.asked = 0

    async def domain(self) -> Domain | None:
        return self._domain

    async def transcript(self, session: str) -> bytes | None:
        self.asked += 1
        return self._document if self.asked > 1 else None


class Desk:
    """Signs, keeps what is handed in, and answers at once."""

    def __init__(self, arena: Sealing) -> None:
        self.data: list[Mapping[str, Any]] = []
        self.requests: list[Sign] = []
        self.said: list[str] = []
        self.signing = Signing(self.sign, arena, self.request, self.said.append)

    def sign(self, data: Mapping[str, Any]) -> str:
        self.data.append(data)
        return VALUE

    def request(self, request: Sign) -> None:
        self.requests.append(request)
        asyncio.get_running_loop().call_soon(self.signing.answered, request.id)


async def test_the_bot_waits_for_the_seal_and_signs_the_typed_data() -> None:
    document = sealed()
    read = transcript.read(document)
    desk = Desk(Sealing(document))
    await desk.signing.sign(SESSION, 1, own(document, 1))
    [data] = desk.data
    assert data["primaryType"] == "Transcript"
    assert data["domain"]["verifyingContract"] == ESCROW
    assert data["message"] == {
        "session": SESSION,
        "digest": "0x" + transcript.digest(document),
        "root": "0x" + read.root,
        "entries": len(read.entries),
    }
    expected = Sign(f"{SESSION}:sign:1", SESSION, transcript.digest(document), VALUE)
    assert desk.requests == [expected]


async def test_what_it_did_not_play_it_refuses_loudly_and_its_key_is_not_used() -> None:
    document = sealed()
    desk = Desk(Sealing(document))
    await desk.signing.sign(SESSION, 0, own(document, 0, but=turns_of(document, 0)[0]))
    assert (desk.data, desk.requests) == ([], [])
    assert "NOT SIGNED, THE TRANSCRIPT IS NOT WHAT WE PLAYED" in desk.said[0]


async def test_without_a_chain_nothing_is_signed() -> None:
    desk = Desk(Sealing(sealed(), None))
    await desk.signing.sign(SESSION, 0, Played())
    assert (desk.data, desk.requests) == ([], [])
    assert "settles on no chain" in desk.said[0]


async def test_a_signer_that_fails_or_returns_nonsense_ends_nothing() -> None:
    document = sealed()

    def fails(data: Mapping[str, Any]) -> str:
        raise RuntimeError("the key is in the other house")

    for signer, words in ((fails, "in the other house"), (lambda data: "0x1", "not signed")):
        said: list[str] = []
        requests: list[Sign] = []
        signing = Signing(signer, Sealing(document), requests.append, said.append)
        await signing.sign(SESSION, 0, own(document, 0))
        assert not requests
        assert words in said[0]


async def test_the_sdk_hands_its_signature_in_before_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last session's, too, and over a connection that breaks before the answer."""
    digest = "d1" * 32

    async def sign(self: Signing, session: str, seat: int, played: Played) -> None:
        assert played.texts(1) == ['{"bid":7}']
        assert played.missing(set()) == [1], "it was accepted"
        request = Sign(f"{session}:sign:{seat}", session, digest, VALUE)
        answer = self._answers.setdefault(request.id, asyncio.Event())
        self._request(request)
        await answer.wait()

    monkeypatch.setattr(Signing, "sign", sign)
    async with arena() as ring, playing(ring, bid, signer=lambda data: VALUE) as game:
        line = await ring.line()
        await seated(line)
        act = await line.expect(Act)
        await line.say(Accepted(act.id, LIVE, 2))
        await line.say(update(2, ended_view(), "end"))
        first = await line.expect(Sign)
        line.websocket.transport.abort()
        again = await ring.line()
        await again.greet()
        assert await again.expect(Sign) == first
        await again.say(Accepted(first.id, LIVE, -1))
        [result] = await game.results()
        assert result.won
        assert f"{LIVE}  signed" in game.said
