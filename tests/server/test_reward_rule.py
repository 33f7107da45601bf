"""The rule of operators' rewards: never more than the budget, never less than before, and a block counts once at a time."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.documents import form
from chain.documents import reward_epoch as rewards
from chain.documents.earnings import build_rewards
from chain.documents.form import DocumentError
from chain.documents.reward_epoch import Earned, RewardEpoch
from chain.operator import assign
from server.operators import reward_rule
from server.operators.reward_rule import Kept, Span

FRAC = 10**18
amounts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2**70), max_size=8)
seconds = st.integers(0, 60)
NAMES = [f"0x{number:040x}" for number in range(1, 6)]
DIGEST = hashlib.sha256(b"a block").digest()
leaves = st.lists(st.builds(Kept, st.sampled_from(NAMES), seconds), max_size=10)


@given(kept=amounts, budget=st.integers(0, 2**100))
def test_shares_are_never_more_than_the_budget_and_nearly_all_of_it(
    kept: dict[str, int], budget: int
) -> None:
    found = reward_rule.shares(kept, budget)
    assert sum(found.values()) <= budget
    if any(kept.values()):
        assert sum(found.values()) > budget - len(kept), "only what rounding leaves"
    for who, weight in kept.items():
        for other, less in kept.items():
            if weight >= less:
                assert found.get(who, 0) >= found.get(other, 0)


@given(before=amounts, earned=amounts)
def test_what_was_earned_in_all_never_falls(before: dict[str, int], earned: dict[str, int]) -> None:
    after = reward_rule.cumulative(before, earned)
    assert all(after[who] >= amount for who, amount in before.items())
    assert sum(after.values()) == sum(before.values()) + sum(earned.values())


@given(wanted=st.integers(0, 2**90), funded=st.integers(0, 2**90), spent=st.integers(0, 2**90))
def test_no_epoch_pays_what_was_not_funded(wanted: int, funded: int, spent: int) -> None:
    budget = reward_rule.budget_of(wanted, funded, spent)
    assert 0 <= budget <= wanted
    assert budget == 0 or spent + budget <= funded


@given(found=leaves, cut=seconds, retention=st.integers(1, 40), replicas=st.integers(1, 4))
def test_seconds_are_those_that_one_counts_one_by_one(
    found: list[Kept], cut: int, retention: int, replicas: int
) -> None:
    span = Span(10, 10 + cut)
    slow: Counter[str] = Counter()
    for second in range(span.from_s, span.to_s):
        bound = {each.operator for each in found if each.at_s <= second < each.at_s + retention}
        slow.update(assign.keepers(bound, DIGEST, replicas))
    told = reward_rule.seconds(found, DIGEST, span, retention, replicas)
    assert told == dict(slow)
    assert sum(told.values()) <= replicas * cut


def test_epochs_one_after_the_other_are_one_long_epoch() -> None:
    kept = [Kept(NAMES[0], 5), Kept(NAMES[0], 40), Kept(NAMES[1], 12), Kept(NAMES[2], 60)]
    parts: Counter[str] = Counter()
    for n in range(0, 100, 10):
        parts.update(reward_rule.seconds(kept, DIGEST, Span(n, n + 10), 50, 2))
    assert parts == reward_rule.seconds(kept, DIGEST, Span(0, 100), 50, 2)


def test_who_keeps_everything_earns_no_more_than_its_share() -> None:
    """Ten honest operators keep each what is theirs, an eleventh keeps all: it had 3.7 shares where every leaf was paid."""
    names = [f"0x{number:040x}" for number in range(1, 12)]
    greedy = names[-1]
    earned: Counter[str] = Counter()
    for number in range(600):
        digest = hashlib.sha256(b"%d" % number).digest()
        keepers = {*assign.keepers(names, digest, 3), greedy}
        earned.update(
            reward_rule.seconds([Kept(who, 0) for who in keepers], digest, Span(0, 1), 9, 3)
        )
    honest = (sum(earned.values()) - earned[greedy]) / (len(names) - 1)
    assert sum(earned.values()) == 600 * 3
    assert earned[greedy] == sum(
        greedy in assign.keepers(names, hashlib.sha256(b"%d" % n).digest(), 3) for n in range(600)
    )
    assert earned[greedy] < 1.25 * honest


def test_a_keeper_that_is_gone_makes_room_for_the_next() -> None:
    first, second = assign.keepers(NAMES[:2], DIGEST, 2)
    kept = [Kept(first, 0), Kept(second, 0)]
    assert reward_rule.seconds(kept, DIGEST, Span(0, 30), 90, 1) == {first: 30}
    kept = [Kept(first, 20), Kept(second, 0)]
    assert reward_rule.seconds(kept, DIGEST, Span(0, 30), 90, 1) == {second: 20, first: 10}
    assert reward_rule.seconds(kept[1:], DIGEST, Span(0, 30), 90, 1) == {second: 30}


def test_who_missed_or_lied_is_not_counted() -> None:
    assert reward_rule.counted(["c", "a", "b"], ["a", "x"]) == ["b", "c"]


def document(epoch: int = 1, earned: int = 5, had: int = 0) -> RewardEpoch:
    account = "0x" + "1a" * 20
    tree = rewards.tree_of({account: had + earned})
    line = Earned(account, "3", str(earned), str(had + earned))
    return RewardEpoch(
        epoch=epoch, chain_id=1, rewards="0x" + "2b" * 20, from_s=1, to_s=2, last_block=3,
        last_hash="0x" + "00" * 32, budget="5", replicas=3, root=tree.root.hex(), total=str(had + earned),
        accounts=[line],
    )  # fmt: skip


def test_the_document_is_read_back_and_has_the_root_of_the_list_of_claims() -> None:
    first, second = document(), document(2, 4, had=5)
    read, tree = rewards.read(form.encode(first))
    assert read == first
    rewards.follows(None, first)
    rewards.follows(first, second)
    list_, same = build_rewards(1, 1, first.rewards, {each.account: 5 for each in first.accounts})
    assert list_.root == first.root == tree.root.hex() == same.root.hex()
    with pytest.raises(DocumentError, match="budget"):
        rewards.check(document(earned=6))
    with pytest.raises(DocumentError, match="cumulative"):
        rewards.follows(first, document(2, 4, had=4))
    with pytest.raises(DocumentError, match="does not follow"):
        rewards.follows(first, document(3, 4, had=5))
