"""Routes of adapters: what may answer, and that no answer that is owed is cut."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from training.serving.routes import Full, NotLive, Route, Routes, State

NAMES = [f"ag{n}@v1-0000000{n}" for n in range(5)]
CAPACITY = 3


def live(routes: Routes, name: str, now_ms: int = 0) -> Route:
    alias = routes.open(name, now_ms).alias
    routes.loaded(alias, now_ms)
    return routes.proved(alias, now_ms)


def test_nothing_answers_before_it_is_proved() -> None:
    routes = Routes(CAPACITY)
    alias = routes.open("a", 1).alias
    with pytest.raises(NotLive, match="a is loading"):
        routes.take("a", 2)
    routes.loaded(alias, 3)
    with pytest.raises(NotLive, match="a is probing"):
        routes.take("a", 4)
    routes.proved(alias, 5)
    assert routes.take("a", 6).alias == alias


def test_what_fails_its_probe_says_why_to_who_asks_for_it() -> None:
    routes = Routes(CAPACITY)
    alias = routes.open("a", 1).alias
    routes.loaded(alias, 2)
    routes.failed(alias, "it changes nothing", 3)
    with pytest.raises(NotLive, match="a is gone: it changes nothing"):
        routes.take("a", 4)
    with pytest.raises(AssertionError):
        routes.proved(alias, 5)


def test_one_that_comes_again_has_another_alias_also_within_one_millisecond() -> None:
    routes = Routes(CAPACITY)
    first = live(routes, "a", 7)
    routes.drain(first.alias, "for another", 7)
    routes.ended(first.alias, 7)
    assert live(routes, "a", 7).alias != first.alias


def test_one_that_still_drains_outlives_the_memory_of_a_later_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training.serving.routes.MAX_GONE", 0)
    routes = Routes(CAPACITY)
    old = live(routes, "a").alias
    routes.take("a", 1)
    routes.drain(old, "room", 2)
    routes.failed(routes.open("a", 3).alias, "no", 4)
    live(routes, "b")  # what is gone is forgotten here
    routes.give_back(old, 5)
    routes.ended(old, 6)
    live(routes, "c")
    assert routes.of("a") is None


def test_who_drains_answers_whom_it_owes_and_nobody_else() -> None:
    routes = Routes(CAPACITY)
    alias = live(routes, "a").alias
    routes.take("a", 1)
    routes.drain(alias, "replaced", 2)
    with pytest.raises(NotLive, match="a is draining: replaced"):
        routes.take("a", 3)
    assert not routes.drained()
    routes.give_back(alias, 4)
    assert [each.alias for each in routes.drained()] == [alias]


def test_the_one_unused_for_longest_goes_for_another_and_none_that_owes_an_answer() -> None:
    routes = Routes(CAPACITY)
    for at, name in enumerate("abc"):
        live(routes, name, at)
    with pytest.raises(Full):
        routes.open("d", 10)
    routes.take("a", 11)
    idlest = routes.idlest()
    assert idlest is not None
    assert idlest.name == "b"
    for name in "bc":
        routes.take(name, 12)
    assert routes.idlest() is None


class Traffic(RuleBasedStateMachine):
    """Anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = Routes(CAPACITY)
        self.now_ms = 1_000
        self.aliases: set[str] = set()
        self.gone: set[str] = set()
        self.owed: list[str] = []

    def tick(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def some(self, *states: State) -> list[Route]:
        return [each for each in self.routes.present() if each.state in states]

    @rule(name=st.sampled_from(NAMES))
    def open(self, name: str) -> None:
        known = self.routes.of(name)
        try:
            route = self.routes.open(name, self.tick())
        except Full:
            assert self.routes.room == 0
        except ValueError:
            assert known is not None
            assert known.state in (State.LOADING, State.PROBING, State.LIVE)
        else:
            assert route.alias not in self.aliases, "an alias is never used again"
            self.aliases.add(route.alias)

    @rule(data=st.data(), well=st.booleans())
    def go_on(self, data: st.DataObject, well: bool) -> None:
        waiting = self.some(State.LOADING, State.PROBING)
        if not waiting:
            return
        route = data.draw(st.sampled_from(waiting))
        if not well:
            self.routes.failed(route.alias, "broken", self.tick())
        elif route.state is State.LOADING:
            self.routes.loaded(route.alias, self.tick())
        else:
            self.routes.proved(route.alias, self.tick())

    @rule(name=st.sampled_from(NAMES))
    def ask(self, name: str) -> None:
        try:
            route = self.routes.take(name, self.tick())
        except NotLive:
            assert name not in {each.name for each in self.some(State.LIVE)}
        else:
            assert route.state is State.LIVE, "only who is live is ever routed to"
            self.owed.append(route.alias)

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        alias = data.draw(st.sampled_from(self.owed))
        self.owed.remove(alias)
        self.routes.give_back(alias, self.tick())

    @rule(data=st.data())
    def drain(self, data: st.DataObject) -> None:
        if there := self.some(State.LIVE):
            self.routes.drain(data.draw(st.sampled_from(there)).alias, "replaced", self.tick())

    @rule()
    def unload(self) -> None:
        for route in self.routes.drained():
            assert route.alias not in self.owed, "an answer that is owed is never cut"
            self.routes.ended(route.alias, self.tick())

    @invariant()
    def whoever_owes_an_answer_is_there(self) -> None:
        there = {each.alias: each.in_flight for each in self.routes.present()}
        for alias in self.owed:
            assert there[alias] == self.owed.count(alias)

    @invariant()
    def gone_never_comes_back(self) -> None:
        there = {each.alias for each in self.routes.present()}
        assert not there & self.gone
        self.gone |= self.aliases - there

    @invariant()
    def there_is_room(self) -> None:
        assert 0 <= self.routes.room <= CAPACITY


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
