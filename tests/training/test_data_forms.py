"""The forms besides winners: pairs, labelled answers, advantages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.conformance.rig import Dice
from tests.training.letters import Letters
from tests.training.sessions import bidding, cid_of, played
from training.data.advantage import Baselines, group_relative, role_of
from training.data.build import build, examples_of, recipe_for
from training.data.example import Labelled, Pair, Sample
from training.data.groups import GroupsOptions, groups
from training.data.labelled import LabelledOptions, labelled
from training.data.pairs import MAX_SMOOTHING_MILLI, PairsOptions, pairs, smoothing_milli
from training.trajectory.returns import Verdict
from training.trajectory.turn import SeatRecord, Turn
from training.trajectory.unroll import unroll

LETTERS = Letters()
SYSTEM = "You write well."
WRITING = played("writing", 3, {"form": "tweet"}).document()
BATTLE = played("rap-battle", 2, {"rounds": 2}).document()
VERDICT = Verdict(ranks=(1, 2, 3, 4, 4), totals_milli=(8_000, 7_500, 4_000, 1_000, 1_000))
GAMES = [record for number in range(30) for record in unroll(bidding(number), SYSTEM)]


def text(ids: Sequence[int]) -> str:
    return LETTERS.decode(ids)


def with_fault_words(record: SeatRecord, words: str) -> SeatRecord:
    """As a match that was played in process keeps them: the first decision was answered with `words` first."""
    first, *rest = record.turns
    bad = replace(first, completion=words, legal=False, reason="no bid found")
    return replace(record, turns=(bad, replace(first, attempt=2), *rest))


# ------------------------------------------------------------------ pairs


def test_texts_on_one_brief_pair_by_their_scores() -> None:
    records = unroll(WRITING, SYSTEM, verdict=VERDICT)
    made, counts = pairs(records, LETTERS, PairsOptions())
    said = {record.seat: record.turns[0].completion for record in records}
    wanted = {
        (said[one], said[other]): VERDICT.totals_milli[one] - VERDICT.totals_milli[other]
        for one, other in itertools.permutations(range(5), 2)
        if VERDICT.ranks[one] < VERDICT.ranks[other] and said[one] != said[other]
    }
    assert {(text(each.chosen), text(each.rejected)): each.margin_milli for each in made} == wanted
    assert len({each.prompt for each in made}) == 1
    assert counts["coupled"] == len(wanted)


def test_close_scores_make_no_pair_and_less_reliable_ones_a_smoother_label() -> None:
    records = unroll(WRITING, SYSTEM, verdict=VERDICT)
    options = PairsOptions(least_margin_milli=600, reliability=((0, 600), (3_500, 900)))
    made, _ = pairs(records, LETTERS, options)
    assert {each.margin_milli for each in made} == {3_000, 3_500, 4_000, 6_500, 7_000}
    for each in made:
        assert each.smoothing_milli == (400 if each.margin_milli < 3_500 else 100)


@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 1_000)), max_size=4).map(sorted),
)
@settings(deadline=None)
def test_smoothing_is_below_a_half(margin: int, reliability: list[tuple[int, int]]) -> None:
    assert 0 <= smoothing_milli(margin, reliability) <= MAX_SMOOTHING_MILLI


def test_verses_of_a_battle_pair_round_by_round_as_one_task() -> None:
    verdict = Verdict(ranks=(2, 1), totals_milli=(5_000, 6_000))
    records = unroll(BATTLE, SYSTEM, verdict=verdict)
    assert pairs(records, LETTERS, PairsOptions())[0] == []
    made, _ = pairs(records, LETTERS, PairsOptions(same="task"))
    won, lost = records[1], records[0]
    assert sorted((text(each.chosen), text(each.rejected)) for each in made) == sorted(
        (a.completion, b.completion) for a, b in zip(won.turns, lost.turns, strict=True)
    )
    assert all("rounds" not in each.origin and each.margin_milli == 1_000 for each in made)


def test_first_bids_of_many_games_pair_across_them() -> None:
    made, _ = pairs(GAMES, LETTERS, PairsOptions(across=True, per_prompt=0))
    assert made
    by_place = {
        f"{turn.session}#{turn.seat}.{turn.number}.{turn.attempt}": (record, turn)
        for record in GAMES
        for turn in record.turns
    }
    used = []
    for each in made:
        (better, asked), (worse, asked_too) = (by_place[one] for one in each.origin.split("/"))
        assert better.return_milli > 0 > worse.return_milli
        assert asked.messages == asked_too.messages
        assert each.chosen != each.rejected
        used.append(each.origin.split("/")[1])
    assert len(used) == len(set(used)), "a loser's answer is rejected once"


def test_a_refused_answer_pairs_with_the_one_that_was_taken() -> None:
    record = with_fault_words(GAMES[0], "all of it")
    (made,), counts = pairs([replace(record, return_milli=-1_000)], LETTERS, PairsOptions())
    assert (text(made.chosen), text(made.rejected)) == (record.turns[1].completion, "all of it")
    assert made.smoothing_milli == 0
    assert counts["retried"] == 1
    assert pairs([record], LETTERS, PairsOptions(retries=False))[0] == []


# ------------------------------------------------------------------ good and bad answers


def test_answers_are_good_or_bad_by_what_came_of_their_seats() -> None:
    made, counts = labelled(GAMES, LETTERS, LabelledOptions(per_prompt=0))
    good = sorted(text(each.completion) for each in made if each.desirable)
    assert good == sorted(
        turn.completion for record in GAMES if record.return_milli > 0 for turn in record.turns
    )
    assert counts["desirable"] == counts["won"]
    assert len(made) == counts["won"] + counts["lost"]


def test_a_refused_answer_is_bad_though_its_seat_won() -> None:
    won = next(record for record in GAMES if record.return_milli > 0)
    made, counts = labelled([with_fault_words(won, "all of it")], LETTERS, LabelledOptions())
    assert [text(each.completion) for each in made if not each.desirable] == ["all of it"]
    assert counts["faults"] == 1
    silent, _ = labelled([with_fault_words(won, "")], LETTERS, LabelledOptions())
    assert all(each.desirable for each in silent), "of a fault without words nothing is learnt"


@given(st.integers(0, 12), st.integers(0, 12))
@settings(deadline=None)
def test_good_and_bad_answers_weigh_the_same_in_all(won: int, lost: int) -> None:
    records = [
        SeatRecord(
            session=f"s{number}",
            space="bid-tac-toe",
            seat=0,
            seats=2,
            player="",
            rivals=("",),
            turns=(replace(GAMES[0].turns[0], session=f"s{number}"),),
            return_milli=1_000 if number < won else -1_000,
        )
        for number in range(won + lost)
    ]
    made, _ = labelled(records, LETTERS, LabelledOptions())
    sums = [
        sum(one.weight_milli for one in made if one.desirable == side) for side in (True, False)
    ]
    if won and lost:
        assert math.isclose(*sums, rel_tol=0.01)
    assert all(0 < each.weight_milli <= 1_000 for each in made)


# ------------------------------------------------------------------ advantages


@given(
    st.lists(st.tuples(st.sampled_from(["g/seat-0", "g/seat-1"]), st.floats(-1, 1)), min_size=1),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_the_order_within_a_batch_changes_no_expectation(
    rewards: list[tuple[str, float]], rng: object
) -> None:
    lead, after = Baselines({"g/seat-0": 0.5}).advantages(rewards)
    assert lead == tuple(
        reward - (0.5 if role == "g/seat-0" else 0.0) for role, reward in rewards
    ), "read before it is updated"
    _, other = Baselines({"g/seat-0": 0.5}).advantages(rewards[::-1])
    assert after.values.keys() == other.values.keys()
    for role, value in after.values.items():
        assert math.isclose(value, other.values[role], abs_tol=1e-12)


def test_a_role_that_always_wins_comes_to_be_expected_to() -> None:
    baselines = Baselines()
    for _ in range(200):
        lead, baselines = baselines.advantages([("g/seat-0", 1.0), ("g/seat-1", -1.0)])
    assert abs(lead[0]) < 1e-4
    assert math.isclose(baselines.values["g/seat-1"], -1.0, abs_tol=1e-4)
    single, _ = Baselines().advantages([("g/seat-0", 1.0)])
    _, after = Baselines().advantages([("g/seat-0", 1.0)])
    assert single == (1.0,)
    assert math.isclose(after.values["g/seat-0"], 0.05)


@given(st.lists(st.floats(-10, 10), max_size=12), st.booleans())
@settings(deadline=None)
def test_a_groups_advantages_add_up_to_nothing(rewards: list[float], scaled: bool) -> None:
    lead = group_relative(rewards, scaled=scaled)
    assert len(lead) == len(rewards)
    assert abs(math.fsum(lead)) < 1e-6
    if scaled and any(lead):
        assert math.isclose(math.fsum(one * one for one in lead) / len(lead), 1, rel_tol=1e-6)


def test_samples_have_the_lead_of_their_seat_over_its_role() -> None:
    made, counts = groups(GAMES, LETTERS, GroupsOptions(per_prompt=0))
    assert counts["groups"] == 2
    first = min(record.session for record in GAMES)
    opening = {record.seat: record for record in GAMES if record.session == first}
    by_text = {
        (text(each.prompt), text(each.completion)): each for each in made if each.logprobs == ()
    }
    for seat, record in opening.items():
        for turn in record.turns:
            asked = LETTERS.apply_chat_template(
                [{"role": each.role, "content": each.content} for each in turn.messages]
            )
            sample = by_text[asked, turn.completion]
            assert sample.group == role_of("bid-tac-toe", seat)
    refused, _ = groups([with_fault_words(GAMES[0], "no")], LETTERS, GroupsOptions())
    assert next(each.advantage for each in refused if text(each.completion) == "no") == -1.0


def test_answers_to_one_question_are_each_others_baseline() -> None:
    made, _ = groups(GAMES, LETTERS, GroupsOptions(baseline="group", per_prompt=0))
    names = {each.group for each in made}
    for name in names:
        group = [each for each in made if each.group == name]
        assert abs(math.fsum(each.advantage for each in group)) < 1e-9
        assert len({each.prompt for each in group}) == 1


# ------------------------------------------------------------------ all forms are data sets


@pytest.mark.parametrize(
    ("form", "kind", "options"),
    [
        ("pairs", Pair, {"across": True}),
        ("labelled", Labelled, {}),
        ("groups", Sample, {}),
        ("groups", Sample, {"baseline": "group"}),
    ],
)
def test_every_form_is_the_same_set_in_any_order(
    form: str, kind: type, options: dict[str, Any]
) -> None:
    documents = [
        played("bid-tac-toe", number, {"chips": 20}, Dice(fault=0.3)).document()
        for number in range(8)
    ]
    recipe = recipe_for(form, "bid-tac-toe", SYSTEM, LETTERS, seed=5, **options)
    examples, card = build(documents, recipe, LETTERS, SYSTEM)
    assert examples
    assert {type(each) for each in examples} == {kind}
    assert build(documents[::-1], recipe, LETTERS, SYSTEM) == (examples, card)
    assert build(documents, card.recipe, LETTERS, SYSTEM)[1] == card
    assert card.counts["legal"] < card.counts["turns"], "faults are counted"


def test_judged_sessions_without_a_verdict_are_counted_and_teach_nothing() -> None:
    recipe = recipe_for("pairs", "writing", SYSTEM, LETTERS)
    examples, card = build([WRITING], recipe, LETTERS, SYSTEM)
    assert (examples, card.counts["undecided"], card.counts["sessions"]) == ((), 1, 1)
    judged, _ = build([WRITING], recipe, LETTERS, SYSTEM, verdicts={cid_of(WRITING): VERDICT})
    assert judged


def test_turns_know_where_they_are_from() -> None:
    turns: list[Turn] = [turn for record in GAMES for turn in record.turns]
    assert len({(turn.session, turn.seat, turn.number) for turn in turns}) == len(turns)


def test_matches_played_in_process_teach_what_was_refused_in_them() -> None:
    records = [with_fault_words(record, "all of it") for record in GAMES]
    recipe = recipe_for("labelled", "bid-tac-toe", SYSTEM, LETTERS)
    made, counts = examples_of(records, recipe, LETTERS)
    assert counts["faults"] > 0
    assert {
        text(each.completion)
        for each in made
        if isinstance(each, Labelled) and not each.desirable and "{" not in text(each.completion)
    } == {"all of it"}
