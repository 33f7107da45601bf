"""The clerk over rows, judges over HTTP, and a session that waits for them; the chain alone is not real. Kill the clerk anywhere, and
the next one goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from chain.content import cid
from chain.documents import case as documents
from judges.case import Case as Question
from judges.reading import read_case
from server.admin import voiding
from server.api.app import create_app
from server.clock import unix_ms
from server.court.asking import Desk, Elsewhere, NoVerdict, Undecided
from server.court.case import Case
from server.court.clerk import Clerk
from server.court.docket import NO_PANEL
from server.court.seam import Forced, ForcedSeat
from server.court.telling import CHANNEL, Telling
from server.jobs.aftermath import Aftermath
from server.jobs.attempt import Attempts
from server.jobs.judge import JudgeStep
from server.live.log import LiveLog
from server.metrics import Metrics
from server.protocol import CaseView, CourtMessage, CourtView, VerdictView
from server.store import Store
from server.store.pins import NewPin
from tests.server import aftermath_session
from tests.server.aftermath_session import ScriptedPanel, Seats, finish
from tests.server.court_world import (
    CONFIG,
    COURT,
    FakeChain,
    Mind,
    Shelf,
    accounts,
    sheet_of,
)

CLEAR, CLOSE = sheet_of(8_000, 5_000), sheet_of(6_000, 5_900)


class World:
    def __init__(self, store: Store, redis: Redis, judges: int = 12) -> None:
        self.store, self.redis = store, redis
        self.chain = FakeChain(accounts(judges))
        self.shelf = Shelf()
        self.now_ms = unix_ms() + 60_000
        """Later than what is sealed in this test, whose steps are due then."""
        self.chain.now_ms = self.now_ms
        self.minds: dict[str, Mind] = {each.address: Mind(each) for each in self.chain.judges}
        self.panel = ScriptedPanel()
        self.session = ""
        app = create_app(
            config=CONFIG,
            store=store,
            redis=redis,
            gateway_address=lambda: "",
            court=COURT,
            clock=lambda: self.now_ms,
        )
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://arena")

    def clerk(self) -> Clerk:
        """A new one, that remembers nothing."""

        telling = Telling(
            store=self.store,
            log=LiveLog(self.redis),
            clock=lambda: self.now_ms,
        )
        return Clerk(
            store=self.store,
            chain=self.chain,
            court=COURT,
            content=self.shelf,
            clock=lambda: self.now_ms,
            patience_s=CONFIG.court_patience_s,
            told=telling.round,
        )

    def desk(self) -> Desk:
        return Desk(
            store=self.store,
            chain=self.chain,
            config=CONFIG,
            clock=lambda: self.now_ms,
            vowels_of=lambda word: word[:1],
        )

    async def play(self) -> Question:
        """A battle that has ended and is pinned."""
        seats = await Seats.registered(self.store)
        self.session = await finish(self.store, self.redis, seats)
        await self.pin()
        body = await self.store.sessions.transcript(self.session)
        assert body is not None
        return read_case(body).case

    async def pin(self) -> None:
        body = await self.store.sessions.transcript(self.session)
        assert body is not None
        pin = NewPin(self.session, str(cid.of(body)), len(body), self.now_ms)
        await self.store.pins.put(pin)

    async def case(self) -> Case:
        found = await self.store.court.get(self.session)
        assert found is not None
        return found

    async def until(self, state: str, rounds: int = 8) -> Case:
        """Each round by another clerk."""
        for _ in range(rounds):
            await self.clerk().round()
            case = await self.case()
            if state in (case.last.state, case.state):
                return case
        raise AssertionError(f"{case.state}, {case.last.state}: {case.note or case.last.note}")

    async def send(self, message: CourtMessage) -> httpx.Response:
        return await self.http.post(
            f"/v1/court/cases/{self.session}/messages",
            content=msgspec.json.encode(message),
            headers={"Content-Type": "application/json"},
        )

    async def commit(self, sheet: Sequence[int] = CLEAR) -> Case:
        case = await self.until("committing")
        for seat in case.last.panel.sitting():
            answer = await self.send(self.minds[seat.judge].commit(case, sheet))
            assert answer.status_code == 200, answer.text
        return await self.case()

    async def reveal(self, sheet: Sequence[int] = CLEAR) -> Case:
        case = await self.case()
        for seat in case.last.panel.sitting():
            answer = await self.send(self.minds[seat.judge].reveal(case, sheet))
            assert answer.status_code == 200, answer.text
        return await self.case()

    async def step(self) -> int | None:
        """What a worker does with the row; milliseconds to wait, None: it is over."""
        step = JudgeStep(
            store=self.store,
            aftermath=Aftermath(LiveLog(self.redis), unix_ms),
            panel=self.panel,
            timeout_s=20,
            court=self.desk(),
        )
        attempts = Attempts(
            store=self.store,
            steps={"judge": step},
            attempts=3,
            clock=lambda: self.now_ms,
            rng=random.Random(1),
            metrics=Metrics(CollectorRegistry()),
        )
        (row,) = [
            each for each in await self.store.outbox.steps(self.session) if each.step == "judge"
        ]
        return await attempts.run(row.id)


@pytest.fixture
async def world(store: Store, redis: Redis) -> AsyncIterator[World]:
    found = World(store, redis)
    yield found
    await found.http.aclose()


async def test_a_session_waits_for_the_court_and_has_its_verdict(world: World) -> None:
    await world.play()
    for _ in range(5):
        wait = await world.step()
        assert wait is not None, "waiting is no failure, however often"
        world.now_ms += wait
    await world.commit()
    assert (await world.reveal()).last.state == "decided"
    await world.until("decided")
    assert await world.step() is not None, "somebody may still appeal"
    case = await world.case()
    world.now_ms = case.appeal_by_ms or 0
    case = await world.until("final")
    assert await world.step() is None, "the clerk has woken it"
    body = await world.store.verdicts.get(world.session)
    assert body is not None
    verdict = msgspec.json.decode(body, type=VerdictView)
    assert (verdict.ranks, verdict.totals_milli) == ([1, 2], [8_000, 5_000])
    assert sorted(verdict.judges) == sorted(each.judge for each in case.last.panel.sitting())
    assert "rhyme factor" in {each.name for each in verdict.evidence}
    view = await aftermath_session.view(world.redis, world.session)
    assert view.court is not None
    assert (view.court.final, view.court.totals_milli) == (True, [8_000, 5_000])
    assert world.panel.cases == [], "the house was not asked"


async def test_the_cases_file_is_kept_pinned_and_handed_out(world: World) -> None:
    await world.play()
    await world.step()
    await world.commit()
    path = f"/v1/court/cases/{world.session}/document"
    assert (await world.http.get(path)).status_code == 404
    await world.reveal()
    case = await world.until("decided")
    world.now_ms = case.appeal_by_ms or 0
    await world.until("final")
    case = await world.case()
    answer = await world.http.get(path)
    assert documents.read(answer.content).session == world.session
    assert case.document == str(cid.of(answer.content))
    assert world.shelf.kept == [answer.content]
    assert (await world.http.get(f"/v1/content/{case.document}")).content == answer.content
    assert [row.case.session for row in await world.store.court.unanchored(9)] == [world.session]
    await world.store.court.put_in_epoch([world.session], 1)
    assert await world.store.court.unanchored(9) == []
    assert await world.store.court.named(world.session) == case.document
    (judge, *_) = (each.judge for each in case.last.panel.sitting())
    page = (await world.http.get(f"/v1/judges/{judge}")).json()
    assert (page["hearings"], page["revealed"]) == (1, 1)
    assert page["mean_skill_ppm"] == page["history"][0]["skill_ppm"] > 0
    assert page["reliability"]["method"] == "dawid-skene"
    assert (await world.http.get("/v1/judges/0x" + "00" * 20)).status_code == 404


async def test_what_is_told_while_it_goes_on(world: World) -> None:
    await world.play()
    await world.step()
    case = await world.commit()
    minds = [world.minds[each.judge] for each in case.last.panel.sitting()]
    for mind in minds[:-1]:
        await world.send(mind.reveal(case, CLEAR))
    await world.clerk().round()
    everything = (await world.http.get(f"/v1/court/cases/{world.session}")).text
    listed = (await world.http.get(f"/v1/court/cases?judge={minds[0].address.lower()}")).text
    page = (await world.http.get(f"/v1/judges/{minds[0].address}")).text
    head = await LiveLog(world.redis).head(CHANNEL)
    assert head is not None
    assert head.views is not None
    assert isinstance(head.views.public, CourtView)
    session = await aftermath_session.view(world.redis, world.session)
    for text in (everything, listed, page, repr(head.views.public), repr(session.court)):
        assert "8000" not in text, "no score leaves before the end"
        assert "salt" not in text
    (told,) = head.views.public.cases
    assert [each.state for each in told.panel].count("revealed") == 4
    (step,) = [each for each in session.steps if each.name == "judged"]
    assert (step.state, step.detail) == ("running", "4/5 judges have revealed")
    await world.send(minds[-1].reveal(case, CLEAR))
    view = msgspec.json.decode(
        (await world.http.get(f"/v1/court/cases/{world.session}")).content, type=CaseView
    )
    assert len(view.sheets) == 5
    assert view.filing is not None


async def test_the_same_message_again_is_harmless_and_another_is_refused(world: World) -> None:
    await world.play()
    await world.step()
    case = await world.until("committing")
    mind = world.minds[case.last.panel.sitting()[0].judge]
    message = mind.commit(case, CLEAR)
    assert (await world.send(message)).status_code == 200
    assert (await world.send(message)).status_code == 200
    assert len((await world.case()).last.messages) == 1
    other = await world.send(mind.commit(case, CLOSE, ordinal=0))
    assert (other.status_code, other.json()["code"]) == (409, "twice")
    early = await world.send(mind.reveal(case, CLEAR))
    assert (early.status_code, early.json()["code"]) == (409, "early")
    stranger = Mind(accounts(99)[-1])
    answer = await world.send(stranger.commit(case, CLEAR))
    assert (answer.status_code, answer.json()["code"]) == (422, "not-seated")
    answer = await world.http.post(
        f"/v1/court/cases/{world.session}/messages", json={"kind": "bribe"}
    )
    assert answer.status_code == 400


async def test_all_at_once_each_judge_commits_once(world: World) -> None:
    await world.play()
    await world.step()
    case = await world.until("committing")
    minds = [world.minds[each.judge] for each in case.last.panel.sitting()]
    messages = [mind.commit(case, sheet, ordinal=0) for mind in minds for sheet in (CLEAR, CLOSE)]
    answers = await asyncio.gather(*(world.send(each) for each in messages))
    assert sorted(each.status_code for each in answers) == [200] * 5 + [409] * 5
    case = await world.case()
    assert (case.last.state, len(case.last.messages)) == ("revealing", 5)
    assert [each.i for each in case.last.messages] == list(range(5))


async def test_nobody_has_one_ordinal_in_two_hearings(world: World) -> None:
    """Two cases at once draw the same five judges."""
    world.chain.judges = world.chain.judges[:5]
    await world.play()
    await world.step()
    first = await world.until("committing")
    mind = world.minds[first.last.bench[0].judge]
    assert (await world.send(mind.commit(first, CLEAR, ordinal=0))).status_code == 200
    await world.play()
    await world.step()
    second = await world.until("committing")
    answer = await world.send(mind.commit(second, CLEAR, ordinal=0))
    assert (answer.status_code, answer.json()["code"]) == (422, "ordinal")
    page = (await world.http.get(f"/v1/judges/{mind.address}")).json()
    assert page["next_ordinal"] == 1
    assert (await world.send(mind.commit(second, CLEAR, ordinal=1))).status_code == 200


async def test_a_judge_that_uses_an_ordinal_twice_on_the_chain_holds_no_case_up(
    world: World,
) -> None:
    """Only there can it: that costs it its stake, but not the session its verdict."""
    world.chain.judges = world.chain.judges[:5]
    await world.play()
    await world.step()
    first = await world.until("committing")
    judge = first.last.bench[0].judge
    assert (await world.send(world.minds[judge].commit(first, CLEAR, ordinal=0))).status_code == 200
    await world.play()
    await world.step()
    second = await world.until("committing")
    seats = tuple(
        ForcedSeat(
            each.judge,
            each.operator,
            each.family,
            "committed" if each.judge == judge else "drawn",
            each.reserve,
            ordinal=0 if each.judge == judge else None,
        )
        for each in second.last.bench
    )
    world.chain.on_chain[second.id] = [Forced(0, "open", seats)]
    case = await world.until("forced")
    assert next(each for each in case.last.bench if each.judge == judge).ordinal == 0
    before = await world.store.court.these([world.session])
    await world.clerk().round()
    assert await world.store.court.these([world.session]) == before, "nothing changes any more"
    page = (await world.http.get(f"/v1/judges/{judge}")).json()
    assert page["next_ordinal"] == 1


async def test_money_waits_while_an_appeal_is_being_buried(world: World) -> None:
    await world.play()
    await world.step()
    await world.commit()
    await world.reveal()
    case = await world.until("decided")
    world.now_ms = case.appeal_by_ms or 0
    world.chain.contested = True
    await world.clerk().round()
    assert (await world.case()).state == "open"
    world.chain.contested = False
    await world.until("final")


async def test_a_file_that_cannot_be_kept_holds_up_nobody_who_watches(world: World) -> None:
    await world.play()
    await world.step()
    await world.commit()
    await world.reveal()
    case = await world.until("decided")
    world.now_ms = case.appeal_by_ms or 0
    world.shelf.away = True
    with pytest.raises(OSError, match="the shelf"):
        await world.clerk().round()
    view = await aftermath_session.view(world.redis, world.session)
    assert view.court is not None
    assert view.court.final
    world.shelf.away = False
    await world.clerk().round()
    assert (await world.case()).document


async def test_a_close_case_escalates_and_a_failed_one_is_void(store: Store, redis: Redis) -> None:
    world = World(store, redis, judges=40)
    await world.play()
    await world.step()
    await world.commit(CLOSE)
    await world.reveal(CLOSE)
    await world.clerk().round()
    assert (await world.case()).last.seats == 11
    await world.commit(CLEAR)
    await world.reveal(CLEAR)
    case = await world.until("decided")
    world.now_ms = case.appeal_by_ms or 0
    assert (await world.until("final")).stands == 1

    await world.play()
    await world.step()
    for _ in range(2):
        case = await world.until("committing")
        for _ in range(2):
            world.now_ms = (await world.case()).last.by_ms or 0
            await world.clerk().round()
    assert (await world.case()).state == "void"
    assert isinstance(await world.desk().ask(world.session), NoVerdict)
    assert await world.step() is None
    result = await store.results.get(world.session)
    assert result is not None
    assert result.status == "void"
    await world.http.aclose()


async def test_nothing_is_lost_while_the_chain_is_away_or_loses_a_batch(world: World) -> None:
    await world.play()
    await world.step()
    world.chain.away = True
    with pytest.raises(OSError, match="away"):
        await world.clerk().round()
    world.chain.away = False
    world.chain.seeding = False
    await world.until("filed")
    world.chain.losing = True
    await world.clerk().round()
    assert (await world.case()).last.state == "wanted"
    world.chain.seeding = True
    await world.commit()
    assert (await world.reveal()).last.state == "decided"


async def test_free_sessions_go_to_the_house_while_too_few_judges_stand(
    store: Store, redis: Redis
) -> None:
    world = World(store, redis, judges=4)
    question = await world.play()
    assert isinstance(await world.desk().bring(world.session, question), Elsewhere)
    assert await world.step() is None
    assert len(world.panel.cases) == 1
    assert await store.court.get(world.session) is None
    await world.http.aclose()


async def test_a_case_for_whom_no_panel_can_be_drawn_is_given_up_in_the_end(world: World) -> None:
    question = await world.play()
    assert isinstance(await world.desk().bring(world.session, question), Undecided)
    world.chain.judges = []
    await world.clerk().round()
    assert (await world.case()).state == "open"
    world.now_ms += CONFIG.court_patience_s * 1_000
    await world.clerk().round()
    assert ((await world.case()).state, (await world.case()).note) == ("void", NO_PANEL)


async def test_a_session_that_is_voided_leaves_the_court(world: World) -> None:
    await world.play()
    await world.step()
    await world.until("committing")
    await voiding.turn_ended(world.store.database, world.session, "a bug", world.now_ms)
    await world.clerk().round()
    assert ((await world.case()).state, (await world.case()).note) == (
        "void",
        "the session is void",
    )


async def test_the_answer_that_was_planted_is_the_cases(world: World) -> None:
    question = await world.play()
    await world.store.court.plant(world.session, CLOSE)
    await world.store.court.plant(world.session, CLEAR)
    await world.desk().bring(world.session, question)
    assert (await world.case()).answer == CLOSE


async def test_of_a_battle_with_a_verse_missing_no_answer_is_known(world: World) -> None:
    question = await world.play()
    await world.store.court.plant(world.session, CLEAR)
    *given, last = question.pieces
    silent = (*given, msgspec.structs.replace(last, text=None))
    await world.desk().bring(world.session, msgspec.structs.replace(question, pieces=silent))
    assert (await world.case()).answer is None


async def test_a_chain_that_is_away_for_long_makes_no_session_void(world: World) -> None:
    await world.play()
    world.chain.away = True
    for _ in range(8):
        wait = await world.step()
        assert wait is not None, "no attempt is counted"
        world.now_ms += wait
    assert await world.store.results.get(world.session) is None
    world.chain.away = False
    assert await world.step() is not None
    assert (await world.case()).state == "open"


async def test_a_session_that_is_not_pinned_waits(world: World) -> None:
    seats = await Seats.registered(world.store)
    world.session = await finish(world.store, world.redis, seats)
    assert await world.step() is not None
    assert await world.store.court.get(world.session) is None
    await world.pin()
    world.now_ms += 60_000
    assert await world.step() is not None
    assert (await world.case()).state == "open"
