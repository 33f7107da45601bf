"""The formula of Fractals: what earns, what does not, and what bounds it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server import points
from server.days import DAY_MS, day_of
from server.identity import HOUSE_OWNER
from server.points import Award, Standing, granted
from server.points_claims import Claim, Played, Seat, Viewed, for_session

NOON_MS = 1_800_014_400_000 - 1_800_014_400_000 % DAY_MS + DAY_MS // 2


def seats(*accounts: str, ranks: tuple[int, ...] = (), version: int = 1) -> list[Seat]:
    places = ranks or tuple(range(1, len(accounts) + 1))
    return [
        Seat(account, f"agent-{account}", f"agent-{account}@v{version}", rank)
        for account, rank in zip(accounts, places, strict=True)
    ]


def earn(claims: list[Claim], standing: Standing, now_ms: int = NOON_MS) -> list[Award]:
    """What ann's claims of one session are granted."""
    [claim] = [claim for claim in claims if claim.account == "ann"]
    return granted(claim, standing, 1, now_ms)


def play(number: int, before: Standing, *others: str, now_ms: int = NOON_MS) -> Standing:
    claims = for_session(f"s{number}", "logic", 0, seats("bob", "ann", *others))
    return before.after(earn(claims, before, now_ms))


def of(code: str, awards: list[Award] | tuple[Award, ...]) -> list[int]:
    return [award.points for award in awards if award.code == code]


def test_a_first_session_earns_for_itself_the_day_the_agent_and_the_space() -> None:
    awards = earn(for_session("s1", "logic", 0, seats("ann", "bob")), Standing())
    assert [(award.id, award.code, award.points) for award in awards] == [
        (f"activity:ann:{day_of(NOON_MS)}", "activity", 5),
        ("creation:ann:1", "creation", 50),
        ("space:ann:1:logic", "engagement", 20),
        ("session:s1:agent-ann", "session", 15),
    ]
    assert all(award.agent == "agent-ann" for award in awards)


def test_paid_tiers_earn_more_and_only_a_sole_winner_more_still() -> None:
    won = earn(for_session("s", "logic", 25_000_000, seats("ann", "bob")), Standing())
    drawn = earn(
        for_session("s", "logic", 25_000_000, seats("ann", "bob", ranks=(1, 1))), Standing()
    )
    assert (of("session", won), of("session", drawn)) == ([75], [50])
    assert "won x 1.5" in won[-1].words
    assert points.tier_points(999_999) == points.tier_points(500_000)


def test_the_house_a_forfeiter_and_an_account_with_two_seats_claim_nothing() -> None:
    [one] = for_session("s", "logic", 0, seats("ann", HOUSE_OWNER, HOUSE_OWNER))
    assert one.account == "ann"
    lost = for_session("s", "logic", 0, seats("ann", "bob"), by_forfeit=True)
    assert [claim.account for claim in lost] == ["ann"]
    both = seats("ann", "bob", ranks=(1, 1))
    assert for_session("s", "logic", 0, both, by_forfeit=True) == []
    assert for_session("s", "logic", 0, seats("ann", "bob", "ann")) == []


def test_against_the_house_alone_a_session_earns_half() -> None:
    awards = earn(
        for_session("s", "logic", 0, seats(HOUSE_OWNER, "ann")),
        Standing(),
    )
    assert of("session", awards) == [5]


def test_a_day_counts_in_full_then_by_half_then_not_at_all() -> None:
    standing = Standing()
    for number in range(40):
        standing = play(number, standing, f"other-{number}")
    assert of("session", standing.today) == [10] * points.FULL_A_DAY + [5] * points.HALF_A_DAY


def test_the_same_company_counts_a_few_times_a_day() -> None:
    standing = Standing()
    for number in range(9):
        standing = play(number, standing)
    assert len(of("session", standing.today)) == points.COMPANY_A_DAY
    assert len(of("session", play(9, standing, "carl").today)) == points.COMPANY_A_DAY + 1


def test_days_in_a_row_add_up_to_a_week_and_a_gap_begins_anew() -> None:
    standing, earned = Standing(), []
    for day in (*range(9), 10):
        now_ms = NOON_MS + day * DAY_MS
        fresh = Standing((), standing.known)
        standing = play(day, fresh, now_ms=now_ms)
        earned += of("activity", standing.today)
    assert earned == [5, 10, 15, 20, 25, 30, 35, 35, 35, 5]


def test_three_agents_of_an_account_are_rewarded_once_each() -> None:
    standing = Standing()
    for number, agent in enumerate(("a", "b", "a", "c", "d")):
        other = Seat(f"other-{number}", "x", "x@v1", 2)
        claims = for_session(
            f"s{number}", "logic", 0, [Seat("ann", agent, f"{agent}@v1", 1), other]
        )
        standing = standing.after(earn(claims, standing))
    created = [award for award in standing.today if award.code == "creation"]
    assert [(award.id, award.agent) for award in created] == [
        ("creation:ann:1", "a"),
        ("creation:ann:2", "b"),
        ("creation:ann:3", "c"),
    ]


def test_a_new_version_counts_once_and_one_a_day() -> None:
    standing = Standing()
    for number, version in enumerate((2, 2, 3)):
        claims = for_session(f"s{number}", "logic", 0, seats("ann", "bob", version=version))
        standing = standing.after(earn(claims, standing))
    assert [award.id for award in standing.today if award.id.startswith("version:")] == [
        "version:agent-ann@v2"
    ]


def test_views_are_bounded_by_link_and_by_account() -> None:
    standing = Standing()
    for link in ("one", "two", "three"):
        for viewer in range(8):
            claim = Viewed(link, f"viewer-{link}-{viewer}", "ann", None)
            standing = standing.after(granted(claim, standing, 1, NOON_MS))
    links = [award.id.split(":")[1] for award in standing.today]
    assert links == ["one"] * points.VIEWS_A_LINK + ["two"] * points.VIEWS_A_LINK
    assert len(links) == points.VIEWS_A_DAY


def test_a_network_counts_once_a_day_whatever_it_looks_at() -> None:
    one, two = (Viewed(link, "viewer", "ann", None) for link in ("one", "two"))
    standing = Standing().after(granted(one, Standing(), 1, NOON_MS))
    assert granted(two, standing, 1, NOON_MS) == []


def test_nothing_is_granted_twice() -> None:
    standing = play(1, Standing(), "carl")
    assert play(1, standing, "carl") == standing
    claim = Viewed("link", "viewer", "ann", None)
    seen = standing.after(granted(claim, standing, 1, NOON_MS))
    assert granted(claim, seen, 1, NOON_MS) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(points.SESSION_POINTS)),
            st.lists(st.sampled_from("bcdefghijk"), unique=True, max_size=4),
            st.integers(1, 3),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_a_day_never_earns_more_than_its_cap_and_every_line_is_whole(
    day: list[tuple[int, list[str], int, bool]],
) -> None:
    standing = Standing()
    for number, (tier, others, version, ours) in enumerate(day):
        at_table = seats("ann", *others, *([HOUSE_OWNER] if ours or not others else []))
        at_table[0] = Seat("ann", f"a{version}", f"a{version}@v{version}", 1)
        claims = for_session(f"s{number}", f"space-{version}", tier, at_table)
        standing = standing.after(earn(claims, standing))
    assert sum(award.points for award in standing.today) <= points.POINTS_A_DAY
    ids = [award.id for award in standing.today]
    assert len(ids) == len(set(ids))
    assert all(award.points >= 1 and len(award.words) <= 200 for award in standing.today)
    assert all(len(award.id) <= 160 for award in standing.today)


def test_a_claim_names_every_award_that_it_must_know() -> None:
    [claim, _] = for_session("s", "logic", 0, seats("ann", "bob", version=2))
    assert isinstance(claim, Played)
    names = {award.id for award in granted(claim, Standing(), 1, NOON_MS)}
    assert names <= set(points.asked(claim, 1, NOON_MS))
