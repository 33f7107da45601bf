"""The rule of operators' rewards: never more than the budget, never less than before, and a block counts once at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.documents import form
from chain.documents import reward_epoch as rewards
from chain.documents.earnings import build_rewards
from chain.documents.form import DocumentError
from chain.documents.reward_epoch import Earned, RewardEpoch
from server.operators import reward_rule
from server.operators.reward_rule import Kept, Span

FRAC = 10**18
amounts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2**70), max_size=8)
seconds = st.integers(0, 60)
leaves = st.lists(
    st.builds(lambda task, at_s: Kept(task, 3 * task, at_s), st.integers(1, 3), seconds), max_size=8
)


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


@given(found=leaves, cut=seconds, retention=st.integers(1, 40))
def test_byte_seconds_are_those_that_one_counts_second_by_second(
    found: list[Kept], cut: int, retention: int
) -> None:
    span = Span(10, 10 + cut)
    slow = 0
    for second in range(span.from_s, span.to_s):
        for task in {each.task for each in found}:
            binding = [
                each.bytes
                for each in found
                if each.task == task and each.at_s <= second < each.at_s + retention
            ]
            slow += max(binding, default=0)
    assert reward_rule.byte_seconds(found, span, retention) == slow


def test_epochs_one_after_the_other_are_one_long_epoch() -> None:
    kept = [Kept(1, 100, 5), Kept(1, 100, 40), Kept(2, 7, 12)]
    parts = [reward_rule.byte_seconds(kept, Span(n, n + 10), 50) for n in range(0, 100, 10)]
    assert sum(parts) == reward_rule.byte_seconds(kept, Span(0, 100), 50)


def test_who_missed_or_lied_is_not_counted() -> None:
    assert reward_rule.counted(["c", "a", "b"], ["a", "x"]) == ["b", "c"]


def document(epoch: int = 1, earned: int = 5, had: int = 0) -> RewardEpoch:
    account = "0x" + "1a" * 20
    tree = rewards.tree_of({account: had + earned})
    line = Earned(account, "3", str(earned), str(had + earned))
    return RewardEpoch(
        epoch=epoch, chain_id=1, rewards="0x" + "2b" * 20, from_s=1, to_s=2, last_block=3,
        last_hash="0x" + "00" * 32, budget="5", root=tree.root.hex(), total=str(had + earned),
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
