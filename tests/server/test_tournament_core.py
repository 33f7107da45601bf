"""Tournaments as they are planned: brackets, heats, rounds, standings, restarts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, islice, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.tournament import bracket, cycles, heats, pairs
from server.tournament.coin import drawn
from server.tournament.commitment import committed
from server.tournament.fixture import Fixture, Format, points
from server.tournament.interval import wilson
from server.tournament.knockout import Knockout
from server.tournament.match import Match
from server.tournament.round_robin import RoundRobin, leg_games
from server.tournament.setup import Entrant, Setup
from server.tournament.standings import ranked
from server.tournament.tally import Tally
from server.tournament.tournament import ATTEMPTS, Due, Game, Tournament
from spaces.seed import Streams

SEED = bytes(range(32))
STREAMS = Streams(SEED)
Ranks = Callable[[Fixture], tuple[int, ...]]

seeds = st.integers(0, 2**32 - 1)


def lower_seed_wins(fixture: Fixture) -> tuple[int, ...]:
    order = sorted(fixture.seats)
    return tuple(order.index(each) + 1 for each in fixture.seats)


def by_chance(rng: random.Random) -> Ranks:
    return lambda fixture: tuple(rng.randint(1, 3) for _ in fixture.seats)


def all_draw(fixture: Fixture) -> tuple[int, ...]:
    return (1,) * len(fixture.seats)


def play(format_: Format, ranks: Ranks) -> list[Fixture]:
    """Play everything, in the order of the plan; the games."""
    played = []
    while not format_.done:
        ready = list(format_.ready())
        assert ready, "a plan that is not done has games"
        for fixture in ready:
            played.append(fixture)
            format_.take(fixture, ranks(fixture))
    assert list(format_.ready()) == []
    return played


# ------------------------------------------------------------------ points


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6))
def test_points_of_a_game_add_up(ranks: list[int]) -> None:
    assert sum(points(ranks)) == len(ranks) * (len(ranks) - 1)


def test_points_of_a_game_of_two() -> None:
    assert points([1, 2]) == (2, 0)
    assert points([1, 1]) == (1, 1)


def test_points_of_a_table() -> None:
    assert points([1, 3, 2, 3, 5]) == (8, 3, 6, 3, 0)


# ------------------------------------------------------------------ bracket


@given(st.integers(2, 1_000))
def test_bracket_places_everyone_once_and_byes_go_to_the_best(entrants: int) -> None:
    first = bracket.first_round(entrants)
    placed = [each for pair in first for each in pair if each is not None]
    assert sorted(placed) == list(range(entrants))
    byes = [better for better, other in first if other is None]
    assert sorted(byes) == list(range(2 ** bracket.rounds(entrants) - entrants))


def test_bracket_of_eight_is_the_usual_one() -> None:
    assert bracket.placing(8) == [0, 7, 3, 4, 1, 6, 2, 5]


@given(st.integers(2, 200))
def test_favourites_meet_as_late_as_they_can(entrants: int) -> None:
    knockout = Knockout(entrants, 2, STREAMS)
    play(knockout, lower_seed_wins)
    standings = knockout.standings()
    assert [each.entrant for each in standings] == list(range(entrants))
    assert standings[0].note == "winner"
    assert standings[1].rank == 2
    if entrants >= 8:
        assert [each.rank for each in standings[2:8]] == [3, 3, 5, 5, 5, 5]


@settings(deadline=None)
@given(st.integers(2, 70), seeds)
def test_knockout_of_two(entrants: int, seed: int) -> None:
    knockout = Knockout(entrants, 2, STREAMS)
    played = play(knockout, by_chance(random.Random(seed)))
    assert len(knockout.matches) == entrants - 1
    assert len(played) <= knockout.total == 3 * (entrants - 1)
    assert len({fixture.name for fixture in played}) == len(played)
    assert len(knockout.out) == entrants - 2
    for match in knockout.matches.values():
        games = [fixture for fixture in played if fixture.match == match.name]
        assert 2 <= len(games) <= 3
        for one, next_ in pairwise(games):
            assert one.seats == next_.seats[::-1]  # seats are swapped in each game
            assert set(one.seats) == set(match.players)


@settings(deadline=None)
@given(st.integers(3, 6), st.integers(0, 60), seeds)
def test_knockout_in_heats(seats: int, more: int, seed: int) -> None:
    entrants = seats + more
    knockout = Knockout(entrants, seats, STREAMS)
    played = play(knockout, by_chance(random.Random(seed)))
    assert len(played) == knockout.total
    assert knockout.final is not None
    assert len(knockout.final) == seats
    assert set(knockout.out) | set(knockout.final) == set(range(entrants))
    for fixture in played:
        assert len(set(fixture.seats)) == seats  # nobody meets itself
    for match in knockout.matches.values():
        games = [fixture for fixture in played if fixture.match == match.name]
        assert len(games) == 3
        first, second = games[0].seats, games[1].seats
        assert second == (first[-1], *first[:-1])  # everyone moves on by one seat
    ranks = [each.rank for each in knockout.standings()]
    assert ranks[:seats] == list(range(1, seats + 1))
    assert ranks == sorted(ranks)


@given(st.integers(3, 8), st.integers(1, 1_000))
def test_heats_leave_a_full_table_in_the_end(seats: int, more: int) -> None:
    sizes = heats.sizes(seats + more, seats)
    assert sizes[-1] == seats
    assert all(after < before for before, after in pairwise(sizes))
    plan = heats.plan(seats + more, seats)
    assert plan.byes + seats * len(plan.through) == seats + more
    assert all(seats // 2 <= each < seats for each in plan.through)


def test_heats_of_a_thousand() -> None:
    assert heats.sizes(1_000, 5) == [1_000, 400, 160, 64, 28, 13, 7, 5]


def test_snake() -> None:
    assert heats.snake(range(9), 3) == [[0, 5, 6], [1, 4, 7], [2, 3, 8]]


def test_a_full_tie_goes_to_the_committed_coin() -> None:
    winners = set()
    for number in range(32):
        streams = Streams(bytes([number]) * 32)
        knockout = Knockout(2, 2, streams)
        games = play(knockout, all_draw)
        assert len(games) == 3
        assert knockout.matches["r1.m1"].coin(1)
        assert knockout.final == [streams.coin("coin:r1.m1"), 1 - streams.coin("coin:r1.m1")]
        winners.add(knockout.final[0])
    assert winners == {0, 1}


def test_a_match_ends_when_nobody_can_be_caught_up() -> None:
    match = Match("r1.m1", 1, (0, 1), STREAMS)
    for _ in range(2):
        fixture = match.fixture()
        assert fixture is not None
        match.take(fixture, lower_seed_wins(fixture))
    assert match.decided
    assert match.fixture() is None
    assert match.order() == [0, 1]
    assert not match.coin(1)


def test_a_game_given_up_scores_nothing_and_ends_a_match() -> None:
    match = Match("r1.m1", 1, (0, 1), STREAMS)
    for ranks in (None, (1, 2), None):
        fixture = match.fixture()
        assert fixture is not None
        winner = fixture.seats[0]
        match.take(fixture, ranks)
        if ranks is not None:
            assert match.points[winner] == 2
            best = winner
    assert match.order()[0] == best


@pytest.mark.parametrize(("entrants", "seats"), [(6, 2), (7, 3)])
def test_where_nothing_is_played_the_better_seeds_go_on_and_nobody_wins(
    entrants: int, seats: int
) -> None:
    knockout = Knockout(entrants, seats, STREAMS)
    while not knockout.done:
        for fixture in list(knockout.ready()):
            knockout.take(fixture, None)
    assert knockout.final == list(range(seats))
    for match in knockout.matches.values():
        assert match.unplayed
        assert match.order() == sorted(match.players)
        assert not match.coin(knockout.through(match.name))
    finalists = knockout.standings()[:seats]
    assert {(each.rank, each.note) for each in finalists} == {(1, "final unplayed")}


# ------------------------------------------------------------------ round-robin


@given(st.integers(2, 40))
def test_a_leg_of_pairs(entrants: int) -> None:
    games = list(pairs.leg(entrants, 1))
    assert Counter(frozenset(each.seats) for each in games) == Counter(
        frozenset(pair) for pair in combinations(range(entrants), 2)
    )
    assert len(games) == pairs.pairs(entrants)
    for round_ in {each.round for each in games}:
        busy = [entrant for each in games if each.round == round_ for entrant in each.seats]
        assert len(busy) == len(set(busy))  # nobody plays twice in a round
    first, second = (Counter(each.seats[seat] for each in games) for seat in (0, 1))
    assert all(abs(first[entrant] - second[entrant]) <= 1 for entrant in range(entrants))


@given(st.integers(2, 20))
def test_the_second_leg_swaps_the_seats(entrants: int) -> None:
    first = {each.seats for each in pairs.leg(entrants, 1)}
    second = {each.seats for each in pairs.leg(entrants, 2)}
    assert second == {seats[::-1] for seats in first}


@settings(deadline=None)
@given(st.integers(3, 6), st.integers(0, 40))
def test_a_leg_of_tables(seats: int, more: int) -> None:
    entrants = seats + more
    games = list(cycles.leg(entrants, seats, 1))
    assert len(games) == cycles.tables(entrants, seats)
    met = {frozenset(pair) for each in games for pair in combinations(each.seats, 2)}
    assert len(met) == entrants * (entrants - 1) // 2  # everyone meets everyone
    assert all(len(set(each.seats)) == seats for each in games)
    for round_ in {each.round for each in games}:
        cycle = [each for each in games if each.round == round_]
        for seat in range(seats):  # and everyone sits in each seat once
            assert sorted(each.seats[seat] for each in cycle) == list(range(entrants))
    assert len({each.name for each in games}) == len(games)


def test_a_thousand_sessions_of_four() -> None:
    robin = RoundRobin(4, 2, STREAMS, 1_000)
    played = play(robin, lower_seed_wins)
    met = Counter(frozenset(each.seats) for each in played)
    assert len(played) == 1_000
    assert set(met.values()) == {166, 167}
    assert [each.entrant for each in robin.standings()] == [0, 1, 2, 3]


def test_a_thousand_entrants_are_no_trouble() -> None:
    assert leg_games(1_000, 2) == 499_500
    assert len(list(islice(RoundRobin(1_000, 2, STREAMS, 10**6).ready(), 10_000))) == 10_000
    knockout = Knockout(1_000, 2, STREAMS)
    play(knockout, lower_seed_wins)
    assert knockout.standings()[0].entrant == 0
    assert leg_games(1_000, 5) < 3 * 49_950  # what a perfect design would take


# ------------------------------------------------------------------ standings


def tally_of(results: list[tuple[int, int, int]], entrants: int) -> Tally:
    """Results as (entrant, entrant, 1 for the first's win, 0 for a draw, -1)."""
    tally = Tally(entrants, 2)
    for one, other, result in results:
        ranks = {1: (1, 2), 0: (1, 1), -1: (2, 1)}[result]
        tally.add((one, other), ranks)
    return tally


def test_points_come_first() -> None:
    tally = tally_of([(0, 1, -1), (1, 2, 0), (0, 2, -1)], 3)
    found = ranked(tally, 3, STREAMS)
    assert [each.entrant for each in found[:2]] in ([1, 2], [2, 1])
    assert found[2].entrant == 0
    assert (found[2].points, found[2].possible, found[2].losses) == (0, 4, 2)


def test_then_the_direct_encounter() -> None:
    tally = tally_of([(0, 1, -1), (0, 2, 1), (0, 3, 1), (1, 2, 1), (1, 3, -1), (2, 3, 1)], 4)
    found = ranked(tally, 4, STREAMS)
    assert [each.entrant for each in found] == [1, 0, 2, 3]
    assert found[0].note == "head-to-head"


def test_then_who_was_beaten() -> None:
    # 0 and 1 drew with each other and have a win each; 0's was over the better one
    tally = tally_of([(0, 1, 0), (0, 2, 1), (1, 2, -1), (0, 3, -1), (1, 3, 1), (2, 3, 1)], 4)
    found = {each.entrant: each for each in ranked(tally, 4, STREAMS)}
    assert found[0].points == found[1].points == 3
    assert found[0].rank < found[1].rank
    assert found[0].note == "Sonneborn-Berger"


def test_ranks_are_shared_until_the_coin_falls() -> None:
    tally = tally_of([(0, 1, 0)], 2)
    assert [each.rank for each in ranked(tally, 2, None)] == [1, 1]
    decided = ranked(tally, 2, STREAMS)
    assert [each.rank for each in decided] == [1, 2]
    assert decided[0].entrant == STREAMS.below("rank:1:2", 2)
    assert decided[0].note == "coin"


@given(st.integers(2, 9), seeds, st.integers(0, 12))
def test_the_first_few_are_those_of_all(entrants: int, seed: int, top: int) -> None:
    rng = random.Random(seed)
    tally = Tally(entrants, 2)
    for _ in range(rng.randint(0, 20)):
        one, other = rng.sample(range(entrants), 2)
        tally.add((one, other), rng.choice([(1, 2), (2, 1), (1, 1)]))
    for streams in (None, STREAMS):
        everybody = ranked(tally, entrants, streams)
        assert ranked(tally, entrants, streams, top) == everybody[:top]
        shares = [Fraction(each.points, each.possible or 1) for each in everybody if each.played]
        assert shares == sorted(shares, reverse=True)


def test_no_coin_falls_for_who_has_not_played() -> None:
    found = ranked(tally_of([(0, 1, 1)], 4), 4, STREAMS)
    assert [(each.rank, each.entrant, each.note) for each in found] == [
        (1, 0, ""),
        (2, 1, ""),
        (3, 2, ""),
        (3, 3, ""),
    ]
    assert [each.rank for each in ranked(Tally(3, 2), 3, STREAMS)] == [1, 1, 1]


@given(st.integers(2, 9), seeds)
def test_standings_name_everyone_once(entrants: int, seed: int) -> None:
    robin = RoundRobin(entrants, 2, STREAMS, leg_games(entrants, 2))
    play(robin, by_chance(random.Random(seed)))
    found = robin.standings()
    assert [each.rank for each in found] == list(range(1, entrants + 1))
    assert sorted(each.entrant for each in found) == list(range(entrants))
    assert sum(each.points for each in found) == 2 * robin.total
    for one, next_ in pairwise(found):
        assert one.points * next_.possible >= next_.points * one.possible


@given(st.lists(st.integers(0, 99), min_size=1, max_size=9, unique=True), seeds)
def test_a_draw_of_lots_is_a_permutation(tied: list[int], seed: int) -> None:
    streams = Streams(seed.to_bytes(32, "big"))
    assert sorted(drawn(streams, tied, lambda k: f"x:{k}")) == sorted(tied)


def test_wilson() -> None:
    low, high = wilson(50, 100)
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


# ------------------------------------------------------------------ the state machine


class Table:
    """Plays a tournament's games by hand and keeps the facts that a store would keep."""

    def __init__(self, make: Callable[[], Format], entrants: int, parallel: int, each: int) -> None:
        self._make = make
        self._limits = {"parallel": parallel, "at_once": [each] * entrants}
        self.tournament = Tournament(make(), **self._limits)  # type: ignore[arg-type]
        self.games: dict[str, Game] = {}
        self.most = 0

    def form(self) -> None:
        for due in self.tournament.due():
            session = f"s{len(self.games)}"
            self.games[session] = self.tournament.formed(due, session)
        busy = Counter(e for game in self.tournament.live.values() for e in game.fixture.seats)
        assert len(self.tournament.live) <= self._limits["parallel"]  # type: ignore[operator]
        assert all(count <= self._limits["at_once"][0] for count in busy.values())  # type: ignore[index]
        self.most = max(self.most, len(self.tournament.live))

    def end(self, session: str, ranks: tuple[int, ...] | None) -> None:
        if ranks is None:
            self.games[session] = self.tournament.void(session, "the model is dead")
        else:
            self.games[session] = self.tournament.score(session, ranks)

    def die(self) -> None:
        """The process dies; another one takes the stored facts up."""
        self.tournament = Tournament.restored(
            self._make(),
            self.games.values(),
            **self._limits,  # type: ignore[arg-type]
        )


@settings(deadline=None)
@given(
    st.sampled_from(["knockout", "round-robin", "heats", "tables"]),
    st.integers(5, 12),
    st.integers(1, 8),
    st.integers(1, 3),
    seeds,
)
def test_a_tournament_survives_its_director(
    kind: str, entrants: int, parallel: int, each: int, seed: int
) -> None:
    def make() -> Format:
        seats = 5 if kind in ("heats", "tables") else 2
        if kind in ("knockout", "heats"):
            return Knockout(entrants, seats, STREAMS)
        return RoundRobin(entrants, seats, STREAMS, leg_games(entrants, seats))

    rng = random.Random(seed)
    table = Table(make, entrants, parallel, each)
    while not table.tournament.done:
        table.form()
        assert table.tournament.live, "something is always being played"
        session = rng.choice(list(table.tournament.live))
        seats = len(table.games[session].fixture.seats)
        void = rng.random() < 0.2
        table.end(session, None if void else tuple(rng.randint(1, 2) for _ in range(seats)))
        if rng.random() < 0.2:
            table.die()
    attempts = Counter(game.fixture.name for game in table.games.values())
    assert max(attempts.values()) <= ATTEMPTS
    scored = Counter(g.fixture.name for g in table.games.values() if g.state == "scored")
    assert all(count == 1 for count in scored.values())  # no game counts twice
    before = table.tournament.standings()
    table.die()
    assert table.tournament.done
    assert table.tournament.standings() == before


def test_a_void_session_is_replayed_and_then_given_up() -> None:
    table = Table(lambda: RoundRobin(2, 2, STREAMS, 1), 2, 4, 4)
    for attempt in range(1, ATTEMPTS + 1):
        table.form()
        [(session, game)] = table.tournament.live.items()
        assert game.attempt == attempt
        table.end(session, None)
    assert table.tournament.done
    assert table.tournament.given_up == 1
    assert [each.played for each in table.tournament.standings()] == [0, 0]


def test_a_busy_entrant_holds_up_nobody_else() -> None:
    robin = RoundRobin(4, 2, STREAMS, 60)
    tournament = Tournament(robin, parallel=8, at_once=[1, 8, 8, 8])
    live = [tournament.formed(due, due.fixture.name) for due in tournament.due()]
    assert len(live) == 8
    assert sum(0 in game.fixture.seats for game in live) == 1


def test_who_is_voided_plays_fewer_at_once_and_recovers() -> None:
    tournament = Tournament(RoundRobin(2, 2, STREAMS, 100), parallel=64, at_once=[8, 8])

    def form() -> int:
        for due in tournament.due():
            tournament.formed(due, f"{due.fixture.name}.{due.attempt}")
        return len(tournament.live)

    assert form() == 8
    for session in list(tournament.live)[:6]:
        tournament.void(session)
    assert form() == 2  # two are still being played, and there is room for one
    for count in (2, 3, 4):
        tournament.score(next(iter(tournament.live)), (1, 2))
        assert form() == count


def test_due_is_not_lost_when_it_is_not_formed() -> None:
    tournament = Tournament(RoundRobin(4, 2, STREAMS, 6), parallel=2, at_once=[4] * 4)
    first: list[Due] = tournament.due()
    assert tournament.due() == first


def test_too_few_entrants() -> None:
    with pytest.raises(ValueError, match="as many entrants"):
        Knockout(4, 5, STREAMS)
    with pytest.raises(ValueError, match="as many entrants"):
        RoundRobin(4, 5, STREAMS, 10)


def test_the_commitment_binds_the_setup_the_entrants_and_their_order() -> None:
    one, two = (
        Entrant(agent=name, name=name, version=f"{name}@v1", owner="x") for name in ("a", "b")
    )
    setup = Setup(space="bid-tac-toe", format="knockout")
    made = committed("01T", setup, [one, two], SEED)
    replace = msgspec.structs.replace
    others = [
        committed("01U", setup, [one, two], SEED),
        committed("01T", replace(setup, params={"chips": 20}), [one, two], SEED),
        committed("01T", setup, [two, one], SEED),
        committed("01T", setup, [replace(one, version="a@v2"), two], SEED),
        committed("01T", setup, [one, two], SEED[::-1]),
    ]
    assert len({made, *others}) == 6
