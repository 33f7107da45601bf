"""Data sets: the same sessions make the same examples, in any order, and nothing held out is among them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.transcript import read
from tests.training.letters import Letters
from tests.training.sessions import bidding, cid_of
from training.data.answered import Learners, answered
from training.data.build import DataError, build, recipe_for
from training.data.example import Example
from training.data.selection import Caps, chosen
from training.data.split import HeldOut, Known, split
from training.documents.data import DataCard, DataRecipe
from training.trajectory.unroll import unroll

LETTERS = Letters()
SYSTEM = "You bid well."
DOCUMENTS = tuple(bidding(number) for number in range(24))
PLAYERS = {
    cid_of(document): (f"a@v{number % 3}", f"b@v{number % 4}")
    for number, document in enumerate(DOCUMENTS)
}
RECORDS = [record for document in DOCUMENTS[:5] for record in unroll(document, SYSTEM)]


def learnt(*args: Any, **how: Any) -> tuple[list[Example], DataCard]:
    examples, card = build(*args, **how)
    return [each for each in examples if isinstance(each, Example)], card


def recipe(form: str = "winners", **options: object) -> DataRecipe:
    return recipe_for(form, "bid-tac-toe", SYSTEM, LETTERS, **options)  # type: ignore[arg-type]


# ------------------------------------------------------------------ sameness


@given(st.permutations(range(12)), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_transcripts_changes_nothing(order: list[int], twice: int) -> None:
    wanted = build(DOCUMENTS[:12], recipe(seed=3), LETTERS, SYSTEM)
    documents = [DOCUMENTS[number] for number in [*order, *order[:twice]]]
    assert build(documents, recipe(seed=3), LETTERS, SYSTEM) == wanted


def test_another_seed_prompt_or_session_is_another_data_set() -> None:
    cards = [
        build(DOCUMENTS[:8], recipe(), LETTERS, SYSTEM)[1],
        build(DOCUMENTS[:8], recipe(seed=1), LETTERS, SYSTEM)[1],
        build(DOCUMENTS[:9], recipe(), LETTERS, SYSTEM)[1],
        build(
            DOCUMENTS[:8],
            recipe_for("winners", "bid-tac-toe", "Bid!", LETTERS),
            LETTERS,
            "Bid!",
        )[1],
    ]
    assert len({card.digest for card in cards}) == len(cards)


def test_one_more_session_leaves_the_order_of_the_others_alone() -> None:
    few, _ = learnt(DOCUMENTS[:8], recipe(per_prompt=0), LETTERS, SYSTEM)
    many, _ = learnt(DOCUMENTS[:9], recipe(per_prompt=0), LETTERS, SYSTEM)
    new = cid_of(DOCUMENTS[8])
    assert [each for each in many if not each.origin.startswith(new)] == few


# ------------------------------------------------------------------ winners


def test_winners_are_the_turns_of_the_seats_that_won() -> None:
    examples, card = learnt(DOCUMENTS, recipe(per_prompt=0), LETTERS, SYSTEM)
    told = {(LETTERS.decode(each.prompt), LETTERS.decode(each.completion)) for each in examples}
    wanted = {
        (
            LETTERS.apply_chat_template(
                [{"role": each.role, "content": each.content} for each in turn.messages]
            ),
            turn.completion,
        )
        for document in DOCUMENTS
        for record in unroll(document, SYSTEM)
        for turn in record.turns
        if record.return_milli > 0
    }
    assert told == wanted
    assert card.counts["won"] == card.counts["examples"] == len(examples)
    assert card.counts["sessions"] == len(DOCUMENTS)
    assert card.counts["loss_tokens"] == sum(len(each.completion) for each in examples)
    assert card.sessions == sorted(map(cid_of, DOCUMENTS))


def test_only_the_named_players_are_learnt_from() -> None:
    examples, card = learnt(DOCUMENTS, recipe(players=["a@v1"]), LETTERS, SYSTEM, players=PLAYERS)
    assert examples
    for each in examples:
        session, _, place = each.origin.partition("#")
        assert PLAYERS[session][int(place.partition(".")[0])] == "a@v1"
    assert card.recipe.options["players"] == ["a@v1"]


# ------------------------------------------------------------------ balance


def test_a_question_of_every_session_is_capped_and_the_card_says_so() -> None:
    capped, card = learnt(DOCUMENTS, recipe(per_prompt=2), LETTERS, SYSTEM)
    prompts = [each.prompt for each in capped]
    assert max(map(prompts.count, set(prompts))) == 2
    assert card.recipe.options["per_prompt"] == 2
    assert card.counts["left_out"] == card.counts["won"] - len(capped) > 0


@given(st.integers(0, 4), st.integers(0, 3), st.integers(0, 5), st.randoms())
@settings(max_examples=20, deadline=None)
def test_caps_hold_whatever_the_order(
    per_prompt: int, per_answer: int, per_session: int, rng: random.Random
) -> None:
    candidates = list(answered(RECORDS, Learners(forfeits=True)))
    caps = Caps(per_prompt=per_prompt, per_answer=per_answer, per_session=per_session)
    kept = chosen(candidates, caps, seed=1)
    rng.shuffle(candidates)
    assert chosen(candidates, caps, seed=1) == kept
    for key, limit in (
        (lambda each: each.messages, per_prompt),
        (lambda each: (each.messages, each.answer), per_answer),
        (lambda each: each.turn.session, per_session),
    ):
        keys = [key(each) for each in kept]
        assert not limit or max(map(keys.count, keys), default=0) <= limit
    if not (per_prompt or per_answer or per_session):
        assert len(kept) == len(candidates)


# ------------------------------------------------------------------ splits


@given(
    st.sets(st.sampled_from([f"a@v{n}" for n in range(3)] + [f"b@v{n}" for n in range(4)])),
    st.sets(st.sampled_from([read(each).seed for each in DOCUMENTS[:12]]), max_size=3),
    st.sets(st.sampled_from([cid_of(each) for each in DOCUMENTS[:12]]), max_size=3),
    st.sampled_from([0, 0, 300, 1_000]),
)
@settings(max_examples=30, deadline=None)
def test_nothing_held_out_is_learnt_from(
    players: set[str], seeds: set[str], sessions: set[str], share: int
) -> None:
    held = HeldOut(
        players=tuple(players), seeds=tuple(seeds), sessions=tuple(sessions), share_milli=share
    )
    by_cid = {cid_of(each): each for each in DOCUMENTS[:12]}
    examples, card = learnt(
        by_cid.values(), recipe(), LETTERS, SYSTEM, players=PLAYERS, held_out=held
    )
    assert {each.origin.partition("#")[0] for each in examples} <= set(card.sessions)
    for session in card.sessions:
        assert session not in sessions
        assert read(by_cid[session]).seed not in seeds
        assert players.isdisjoint(PLAYERS[session])
        assert share < 1_000
    assert set(card.sessions) | set(card.held_out["sessions"]) >= by_cid.keys()
    assert not set(card.sessions) & set(card.held_out["sessions"])
    assert set(card.held_out["players"]) == players


def test_a_session_of_unknown_players_is_held_out_with_any_player() -> None:
    unknown, other = Known("s", "00"), Known("t", "01", ("b@v1",))
    assert split([unknown, other], HeldOut(players=("a@v1",))) == ([other], [unknown])


@given(
    st.lists(
        st.builds(
            Known,
            st.uuids().map(str),
            st.sampled_from(["00", "01", "02", "03", "04"]),
            st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
        )
    ),
    st.sets(st.sampled_from("abc")).map(tuple),
    st.sampled_from([0, 200, 500]),
)
@settings(deadline=None)
def test_no_seed_is_on_both_sides_of_a_split(
    sessions: list[Known], players: tuple[str, ...], share: int
) -> None:
    """Nor a held-out player learnt from: the second match of a seat-flipped pair goes where the first goes."""
    learnt_from, held = split(sessions, HeldOut(players=players, share_milli=share))
    assert sorted([*learnt_from, *held], key=sessions.index) == sessions
    assert {each.seed for each in learnt_from}.isdisjoint(each.seed for each in held)
    assert not any(set(players) & set(each.players) for each in learnt_from)


# ------------------------------------------------------------------ what does not fit


def test_another_prompt_tokenizer_space_or_option_is_refused() -> None:
    with pytest.raises(DataError, match="system prompt is another one"):
        build([], recipe(), LETTERS, "Bid badly.")
    with pytest.raises(DataError, match="options of winners"):
        recipe(per_promt=2)
    with pytest.raises(DataError, match="no form 'losers'"):
        recipe("losers")
    other = recipe_for("winners", "rap-battle", SYSTEM, LETTERS)
    with pytest.raises(DataError, match="is of bid-tac-toe, the recipe of rap-battle"):
        build(DOCUMENTS[:1], other, LETTERS, SYSTEM)
