"""Who may play an agent: the runner while it is hosted, its owner's bot while it is remote, and whoever was
seated to the end of a session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from server.protocol import (
    Abandon,
    Accepted,
    Act,
    Confirm,
    Enqueue,
    Error,
    Partial,
    Rejected,
    SessionView,
    Ticket,
    Writing,
)
from tests.server.gateway_arena import Arena, LivePlay, arena_of


@pytest.fixture
async def arena(redis: Redis) -> AsyncIterator[Arena]:
    async with arena_of(redis) as arena:
        yield arena


ENQUEUE = Enqueue("bid-tac-toe")


def bid(play: LivePlay, act: str) -> Act:
    return Act(act, play.table.session, play.match.turn, "bid: 7")


async def test_the_runner_alone_queues_a_hosted_agent(arena: Arena) -> None:
    arena.agent("ember", hosted=True, runner=False)
    async with arena.client("ember") as owner, arena.client(arena.runner_of("ember")) as runner:
        await owner.send(ENQUEUE)
        refused = await owner.expect(Error)
        assert (refused.code, refused.ref) == ("other-player", "bid-tac-toe")
        assert "set its kind to remote" in refused.reason
        await owner.send(Confirm("bid-tac-toe:0:o1"))
        assert (await owner.expect(Error)).code == "other-player"
        await runner.send(ENQUEUE)
        assert (await runner.expect(Ticket)).state == "waiting"
        [held] = arena.entries.holding.values()
        assert held.kind == "hosted"


async def test_the_runner_stays_away_from_a_remote_agent(arena: Arena) -> None:
    arena.agent("ember")
    async with arena.client("ember") as owner, arena.client(arena.runner_of("ember")) as runner:
        await runner.send(ENQUEUE)
        assert (await runner.expect(Error)).code == "other-player"
        await owner.send(ENQUEUE)
        assert (await owner.expect(Ticket)).state == "waiting"


async def test_a_change_of_kind_counts_on_connections_that_stand(arena: Arena) -> None:
    arena.agent("ember", hosted=True, runner=False)
    async with arena.client("ember") as owner, arena.client(arena.runner_of("ember")) as runner:
        arena.changes("ember", kind="remote")
        await runner.send(ENQUEUE)
        assert (await runner.expect(Error)).code == "other-player"
        await owner.send(ENQUEUE)
        assert (await owner.expect(Ticket)).state == "waiting"


async def test_an_edit_counts_on_connections_that_stand(arena: Arena) -> None:
    arena.agent("ember")
    async with arena.client("ember") as owner:
        was = arena.standings["ember"]
        arena.standings["ember"] = was.__class__(
            was.identity.__class__("ember", "Cinder", "ember@v2", "owner-ember"), False, None
        )
        await owner.send(ENQUEUE)
        await owner.expect(Ticket)
        [held] = arena.entries.holding.values()
        assert (held.name, held.version) == ("Cinder", "ember@v2")


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ({"archived": True}, "the agent is archived"),
        ({"frozen": "it floods"}, "the agent is frozen: it floods"),
    ],
)
async def test_who_may_not_play_is_told_why(
    arena: Arena, standing: dict[str, Any], words: str
) -> None:
    arena.agent("ember")
    async with arena.client("ember") as owner:
        arena.changes("ember", **standing)
        for request in (ENQUEUE, Confirm("bid-tac-toe:0:o1")):
            await owner.send(request)
            refused = await owner.expect(Error)
            assert refused.code == "not-playing"
            assert refused.reason.startswith(words)


@pytest.mark.parametrize("seated", ["hosted", "remote"])
async def test_a_session_is_finished_by_who_was_seated(arena: Arena, seated: str) -> None:
    ember = arena.agent("ember", hosted=seated == "hosted", runner=False)
    play = await arena.play(agents=(ember, arena.agent("rival")))
    arena.changes("ember", kind="remote" if seated == "hosted" else "hosted")
    async with arena.client("ember") as owner, arena.client(arena.runner_of("ember")) as runner:
        first, second = (runner, owner) if seated == "hosted" else (owner, runner)
        await second.send(bid(play, "theirs"))
        refused = await second.expect(Rejected)
        assert (refused.code, refused.id) == ("other-player", "theirs")
        assert "was seated here" in refused.reason
        await first.send(bid(play, "own"))
        await play.step()
        assert (await first.expect(Accepted)).id == "own"
    assert [inbound.act for inbound in play.taken] == ["own"]


async def test_nobody_but_the_runner_voids_the_session_of_a_hosted_agent(arena: Arena) -> None:
    ember = arena.agent("ember", hosted=True, runner=False)
    play = await arena.play(agents=(ember, arena.agent("rival")))
    async with arena.client("ember") as owner:
        await owner.send(Abandon("x", play.table.session, play.match.turn, "I lose"))
        assert (await owner.expect(Error)).code == "forbidden"


async def test_pieces_of_who_was_not_seated_are_not_shown(arena: Arena) -> None:
    names = [arena.agent(name, hosted=True, runner=False) for name in ("ember", "frost")]
    play = await arena.play("rap-battle", agents=(names[0], names[1]))
    view = play.match.views().public
    assert isinstance(view, SessionView)
    begins = names[view.decisions[0].seat]
    async with (
        arena.client(begins) as owner,
        arena.client(arena.runner_of(begins)) as runner,
        arena.client() as spectator,
    ):
        await spectator.snapshot(play.table.channel)
        for client, text in ((owner, "forged"), (runner, "true")):
            await client.send(Partial(play.table.session, play.match.turn, 0, text))
        assert (await spectator.expect(Writing)).text == "true"
