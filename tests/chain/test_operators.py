"""Operators: stake is lost by an unanswered challenge alone, and whoever keeps what it attests can answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import boa
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chain import attestation
from chain.attestation import ANY_LEAF
from spaces import merkle
from tests.chain.blocks import block_hash, block_number, pass_time
from tests.chain.contracts import deploy, reverts
from tests.chain.operators_stage import (
    ADMIN,
    ANSWER_BLOCKS,
    ANSWER_S,
    BOND,
    CHALLENGER,
    DAY,
    EVE,
    FRAC,
    GUARDIAN,
    MIN_STAKE,
    OPERATOR,
    OTHER,
    RETENTION_S,
    SEED_BLOCKS,
    TERMS,
    UNBONDING_S,
    Stage,
)

STAKE = 2 * MIN_STAKE
SIZES = [1, 1_023, 1_024, 1_025, 5_000, 40_000, 7]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with boa.env.anchor():
        stage = Stage()
        stage.join()
        yield stage


def test_to_attest_takes_a_registration_and_the_least_stake(stage: Stage) -> None:
    with reverts("operators: less is bonded than the least stake"):
        stage.attest([5], operator=OTHER)
    stage.operators.stake(MIN_STAKE, sender=OTHER)
    with reverts("operators: caller is not registered"):
        stage.attest([5], operator=OTHER)
    stage.operators.register("/dns4/other.example", "12D3KooX", sender=OTHER)
    assert stage.operators.peer_id(OTHER) == "12D3KooX"
    assert stage.attest([5], operator=OTHER).number == 0
    assert stage.attest([6, 7], operator=OTHER).number == 1
    with reverts("operators: endpoint or peer id is empty"):
        stage.operators.register("", "x", sender=OTHER)
    for leaves in (0, 65_537):
        with reverts("operators: a batch has 1 to 65536 leaves"):
            stage.operators.attest(b"\1" * 32, leaves, b"\0" * 32, sender=OTHER)


@pytest.mark.parametrize("leaf", range(len(SIZES)))
def test_whoever_keeps_it_can_answer_for_each_leaf(stage: Stage, leaf: int) -> None:
    batch = stage.attest(SIZES)
    challenge = stage.drawn(EVE, batch, leaf)
    stage.operators.answer(challenge, *stage.answer(challenge, batch), sender=OTHER)
    with reverts("operators: the challenge is closed"):
        stage.operators.record_miss(challenge)
    assert stage.bonded() == stage.held() == STAKE


@given(leaves=st.integers(1, 300), place=st.integers(0, 10**6), size=st.integers(1, 9_000))
@example(leaves=1, place=0, size=1)
@example(leaves=64, place=63, size=8_192)
@example(leaves=65, place=64, size=8_193)
@example(leaves=3, place=1, size=2**20)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_answer_holds_in_trees_of_every_shape(
    stage: Stage, leaves: int, place: int, size: int
) -> None:
    with boa.env.anchor():
        index = place % leaves
        sizes = [1 + number % 7 for number in range(leaves)]
        sizes[index] = size
        batch = stage.attest(sizes)
        challenge = stage.drawn(EVE, batch, index)
        answer = stage.answer(challenge, batch)
        if leaves > 1:
            elsewhere = merkle.inclusion_proof(
                [leaf.encode() for leaf in batch.leaves], (index + 1) % leaves
            )
            with reverts("operators: the leaf is not the one that is asked for"):
                stage.operators.answer(challenge, *answer._replace(leaf_proof=elsewhere))
        stage.operators.answer(challenge, *answer)


def test_the_seed_is_a_later_blocks_hash_and_the_leaf_is_drawn_by_it(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    opened = block_number()
    challenge = stage.drawn(CHALLENGER, batch, ANY_LEAF)
    seed = attestation.seed(block_hash(opened + SEED_BLOCKS), stage.address, challenge)
    assert stage.seed(challenge) == seed
    assert stage.leaf(challenge) == attestation.drawn_leaf(seed, len(SIZES))
    stage.operators.answer(challenge, *stage.answer(challenge, batch))


def test_nobody_knows_the_seed_when_he_challenges(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    challenge = stage.operators.challenge(OPERATOR, batch.number, 0, sender=EVE)
    pass_time(blocks=SEED_BLOCKS)
    with reverts("operators: the block of the seed is not there yet"):
        stage.operators.draw(challenge)
    pass_time(blocks=1)
    stage.operators.draw(challenge)
    with reverts("operators: the challenge is drawn"):
        stage.operators.draw(challenge)


def test_another_leaf_piece_or_proof_is_no_answer(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    challenge = stage.drawn(EVE, batch, 5)
    leaf, leaf_proof, piece, piece_proof = stage.answer(challenge, batch)
    other = attestation.answer(batch.leaves, 4, batch.content[4], stage.seed(challenge))
    not_the_leaf = "operators: the leaf is not the one that is asked for"
    not_the_piece = "operators: the piece is not the one that is asked for"
    with reverts(not_the_leaf):
        stage.operators.answer(challenge, *other)
    with reverts(not_the_leaf):
        stage.operators.answer(challenge, leaf, leaf_proof[:-1], piece, piece_proof)
    with reverts(not_the_leaf):
        stage.operators.answer(challenge, leaf, [*leaf_proof, b"\0" * 32], piece, piece_proof)
    with reverts(not_the_leaf):
        stage.operators.answer(
            challenge, (*leaf[:3], leaf[3] + 1, leaf[4]), leaf_proof, piece, piece_proof
        )
    with reverts(not_the_piece):
        flipped = bytes([piece[0] ^ 1]) + piece[1:]
        stage.operators.answer(challenge, leaf, leaf_proof, flipped, piece_proof)
    with reverts(not_the_piece):
        stage.operators.answer(challenge, leaf, leaf_proof, piece, piece_proof[1:])
    with reverts("operators: the piece has another length"):
        stage.operators.answer(challenge, leaf, leaf_proof, piece[:-1], piece_proof)
    stage.operators.answer(challenge, leaf, leaf_proof, piece, piece_proof)


def test_an_answer_pays_the_operator_the_bond(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    before = stage.frac.balanceOf(OPERATOR)
    challenge = stage.drawn(EVE, batch, 2)
    assert stage.held() == STAKE + BOND
    stage.operators.answer(challenge, *stage.answer(challenge, batch))
    assert stage.frac.balanceOf(OPERATOR) == before + BOND
    assert stage.held() == STAKE


def test_a_miss_takes_time_and_blocks(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    challenge = stage.drawn(EVE, batch, 2)
    still = "operators: there is still time to answer"
    with boa.env.anchor(), reverts(still):  # many blocks in little time
        pass_time(blocks=10 * ANSWER_BLOCKS, seconds=ANSWER_S)
        stage.operators.record_miss(challenge)
    pass_time(blocks=1, seconds=ANSWER_S + 1)  # a chain that stood still: nobody could answer
    with reverts(still):
        stage.operators.record_miss(challenge)
    with reverts("operators: the challenge is drawn"):
        stage.operators.lapse(challenge)
    pass_time(blocks=ANSWER_BLOCKS, seconds=0)
    # Late, but not recorded: that is an answer, too.
    with boa.env.anchor():
        stage.operators.answer(challenge, *stage.answer(challenge, batch))
    stage.operators.record_miss(challenge)
    with reverts("operators: the challenge is closed"):
        stage.operators.answer(challenge, *stage.answer(challenge, batch))


def test_a_miss_burns_stake_and_rewards_the_challenger_by_its_bond_at_most(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    supply, before = stage.frac.totalSupply(), stage.frac.balanceOf(EVE)
    stage.miss(stage.drawn(EVE, batch, 2))
    assert stage.bonded() == stage.held() == STAKE - STAKE // 100
    assert stage.frac.balanceOf(EVE) == before + BOND  # its bond back, and as much again
    assert stage.frac.totalSupply() == supply - (STAKE // 100 - BOND)


def test_the_role_gains_nothing_by_a_miss(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    supply = stage.frac.totalSupply()
    stage.miss(stage.drawn(CHALLENGER, batch, 2))
    assert stage.frac.balanceOf(CHALLENGER) == 0
    assert stage.frac.totalSupply() == supply - STAKE // 100


def test_one_outage_is_one_miss_and_the_third_costs_a_fifth(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    first, second = stage.drawn(EVE, batch, 1), stage.drawn(EVE, batch, 2)
    stage.miss(first)
    stake = stage.bonded()
    stage.operators.record_miss(second)
    assert stage.bonded() == stake
    for share in (100, 5):
        pass_time(seconds=DAY)
        stake = stage.bonded()
        stage.miss(stage.drawn(EVE, batch, 1))
        assert stage.bonded() == stake - stake // share
    pass_time(seconds=30 * DAY)  # forgotten
    stake = stage.bonded()
    stage.miss(stage.drawn(EVE, batch, 1))
    assert stage.bonded() == stake - stake // 100
    assert stage.operators.operators(OPERATOR)[5] == 1


def test_a_challenge_that_nobody_draws_lapses_without_harm(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    before = stage.frac.balanceOf(EVE)
    challenge = stage.operators.challenge(OPERATOR, batch.number, 0, sender=EVE)
    pass_time(blocks=400, seconds=1_000)  # the hash is not at hand any more
    with reverts("operators: the hash of the seed's block is not at hand any more"):
        stage.operators.draw(challenge)
    with reverts("operators: there is still time to draw"):
        stage.operators.lapse(challenge)
    with reverts("operators: the challenge is not drawn"):
        stage.operators.record_miss(challenge)
    pass_time(seconds=2_700)
    with reverts("operators: the challenge has lapsed"):
        stage.operators.draw(challenge)
    stage.operators.lapse(challenge, sender=OTHER)
    assert stage.frac.balanceOf(EVE) == before
    assert stage.bonded() == STAKE
    with reverts("operators: the challenge is closed"):
        stage.operators.lapse(challenge)


def test_the_role_challenges_an_operator_one_at_a_time(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    challenge = stage.drawn(CHALLENGER, batch, 0)
    with reverts("operators: a challenge by the role is open"):
        stage.operators.challenge(OPERATOR, 0, 1, sender=CHALLENGER)
    stage.operators.answer(challenge, *stage.answer(challenge, batch))
    with reverts("operators: the role has challenged this operator less than 3600 s ago"):
        stage.operators.challenge(OPERATOR, 0, 1, sender=CHALLENGER)
    pass_time(seconds=3_600)
    stage.operators.challenge(OPERATOR, 0, 1, sender=CHALLENGER)


def test_only_what_is_owed_can_be_challenged(stage: Stage) -> None:
    batch = stage.attest([9, 9])
    with reverts("operators: the operator does not owe this batch"):
        stage.operators.challenge(OPERATOR, 1, 0, sender=EVE)
    with reverts("operators: the batch has fewer leaves"):
        stage.operators.challenge(OPERATOR, batch.number, 2, sender=EVE)
    with reverts("operators: the operator does not owe this batch"):
        stage.operators.challenge(OTHER, 0, 0, sender=EVE)
    pass_time(seconds=RETENTION_S - stage.operators.LIFE())
    with boa.env.anchor():
        stage.operators.challenge(OPERATOR, batch.number, 0, sender=EVE)
    pass_time(seconds=1)
    with reverts("operators: the batch need not be kept for as long as a challenge takes"):
        stage.operators.challenge(OPERATOR, batch.number, 0, sender=EVE)


def test_a_bond_must_be_there(stage: Stage) -> None:
    batch = stage.attest([9])
    with reverts("erc20: insufficient allowance"):
        stage.operators.challenge(OPERATOR, batch.number, 0, sender=ADMIN)


def test_stake_leaves_after_the_unbonding_time(stage: Stage) -> None:
    with reverts("operators: more than is bonded"):
        stage.operators.unbond(STAKE + 1, sender=OPERATOR)
    stage.operators.unbond(STAKE, sender=OPERATOR)
    pass_time(seconds=UNBONDING_S - 1)
    with reverts("operators: the unbonding time is not over"):
        stage.operators.release(OTHER, sender=OPERATOR)
    before = stage.frac.balanceOf(OTHER)
    pass_time(seconds=1)
    stage.operators.release(OTHER, sender=OPERATOR)
    assert stage.frac.balanceOf(OTHER) == before + STAKE
    assert stage.held() == 0
    with reverts("operators: nothing is unbonding"):
        stage.operators.release(OTHER, sender=OPERATOR)


def test_stake_that_is_unbonding_can_be_lost(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    stage.operators.unbond(STAKE, sender=OPERATOR)
    pass_time(seconds=UNBONDING_S // 2)
    stage.miss(stage.drawn(EVE, batch, 3))
    assert stage.unbonding() == STAKE - STAKE // 100
    pass_time(seconds=UNBONDING_S)
    before = stage.frac.balanceOf(OPERATOR)
    stage.operators.release(OPERATOR, sender=OPERATOR)
    assert stage.frac.balanceOf(OPERATOR) == before + STAKE - STAKE // 100


def test_what_is_bonded_is_lost_before_what_is_unbonding(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    stage.operators.unbond(STAKE - 1, sender=OPERATOR)
    stage.miss(stage.drawn(EVE, batch, 3))
    assert (stage.bonded(), stage.unbonding()) == (0, STAKE - STAKE // 100)


def test_no_challenge_can_delay_the_release_and_each_is_over_before_it(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    stage.operators.unbond(STAKE, sender=OPERATOR)
    life = stage.operators.LIFE()
    pass_time(seconds=UNBONDING_S - life)
    with boa.env.anchor():
        stage.miss(stage.drawn(EVE, batch, 3))  # the last moment: it still costs
        assert stage.unbonding() < STAKE
    pass_time(seconds=1)
    with reverts("operators: the operator has no stake for as long as a challenge takes"):
        stage.operators.challenge(OPERATOR, batch.number, 3, sender=EVE)
    pass_time(seconds=life)
    stage.operators.release(OPERATOR, sender=OPERATOR)


def test_who_has_left_owes_nothing_when_he_comes_back(stage: Stage) -> None:
    stage.attest(SIZES)
    stage.operators.unbond(STAKE, sender=OPERATOR)
    pass_time(seconds=UNBONDING_S)
    stage.operators.release(OPERATOR, sender=OPERATOR)
    stage.operators.stake(STAKE, sender=OPERATOR)
    with reverts("operators: the operator does not owe this batch"):
        stage.operators.challenge(OPERATOR, 0, 0, sender=EVE)
    batch = stage.attest(SIZES)
    assert batch.number == 1
    challenge = stage.drawn(EVE, batch, 0)
    stage.operators.answer(challenge, *stage.answer(challenge, batch))


def test_a_pause_stops_what_begins_and_nothing_else(stage: Stage) -> None:
    batch = stage.attest(SIZES)
    challenges = [stage.drawn(EVE, batch, leaf) for leaf in (0, 1)]
    undrawn = stage.operators.challenge(OPERATOR, batch.number, 2, sender=EVE)
    with reverts("operators: caller is not the guardian"):
        stage.operators.pause(sender=ADMIN)
    stage.operators.pause(sender=GUARDIAN)
    paused = "pausable: contract is paused"
    with reverts(paused):
        stage.operators.stake(1, sender=OPERATOR)
    with reverts(paused):
        stage.operators.register("x", "y", sender=OTHER)
    with reverts(paused):
        stage.attest(SIZES)
    with reverts(paused):
        stage.operators.challenge(OPERATOR, batch.number, 0, sender=EVE)
    stage.operators.answer(challenges[0], *stage.answer(challenges[0], batch))
    pass_time(blocks=SEED_BLOCKS + 1)
    stage.operators.draw(undrawn)
    stage.miss(challenges[1])
    stage.operators.unbond(stage.bonded(), sender=OPERATOR)
    pass_time(seconds=UNBONDING_S)
    stage.operators.release(OPERATOR, sender=OPERATOR)
    with reverts("operators: caller is neither guardian nor admin"):
        stage.operators.unpause(sender=EVE)
    stage.operators.unpause(sender=ADMIN)
    stage.operators.stake(1, sender=OPERATOR)


def test_no_role_takes_the_stake_of_who_answers(stage: Stage) -> None:
    """Every role in one hand, for two weeks: an operator that answers keeps all, and leaves with it."""
    batch = stage.attest(SIZES)
    for _ in range(20):
        challenge = stage.drawn(CHALLENGER, batch, ANY_LEAF)
        with reverts("operators: there is still time to answer"):
            stage.operators.record_miss(challenge, sender=CHALLENGER)
        stage.operators.answer(challenge, *stage.answer(challenge, batch))
        pass_time(seconds=3_600)
    stage.operators.pause(sender=GUARDIAN)
    stage.operators.unbond(STAKE, sender=OPERATOR)
    pass_time(seconds=UNBONDING_S)
    stage.operators.release(OPERATOR, sender=OPERATOR)
    assert stage.frac.balanceOf(OPERATOR) == 100_000 * FRAC


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({0: 0}, "operators: a stake or a bond of nothing"),
        ({1: 0}, "operators: a stake or a bond of nothing"),
        ({2: 3 * DAY}, "operators: unbonding is shorter than two challenges"),
        ({2: 91 * DAY}, "operators: unbonding takes more than 90 days"),
        ({3: 599}, "operators: not 600 s to 7 days to answer"),
        ({3: 8 * DAY}, "operators: not 600 s to 7 days to answer"),
        ({5: 3 * DAY}, "operators: retention is shorter than two challenges"),
    ],
)
def test_terms_that_could_trap_somebody_are_refused(
    stage: Stage, changed: dict[int, int], reason: str
) -> None:
    terms = tuple(changed.get(place, value) for place, value in enumerate(TERMS))
    with reverts(reason):
        deploy("operators", str(stage.frac.address), terms)


def test_a_leaf_that_contradicts_itself_is_exposed_once_a_batch(stage: Stage) -> None:
    batch = stage.attest([5_000, 70, 2_048], lie=0)
    supply, before = stage.frac.totalSupply(), stage.frac.balanceOf(EVE)
    with reverts("operators: the leaf is true"):
        stage.operators.expose(*stage.exposure(batch, 1), sender=EVE)
    other = (*stage.exposure(batch, 0)[:-1], batch.content[1])
    with reverts("operators: the content is not the digest's"):
        stage.operators.expose(*other, sender=EVE)
    not_there = (OPERATOR, batch.number, 1, *stage.exposure(batch, 0)[3:])
    with reverts("operators: the leaf is not of that batch"):
        stage.operators.expose(*not_there, sender=EVE)
    stage.operators.expose(*stage.exposure(batch, 0), sender=EVE)
    assert stage.bonded() == STAKE - STAKE // 5
    assert stage.frac.balanceOf(EVE) == before + BOND
    assert stage.frac.totalSupply() == supply - (STAKE // 5 - BOND)
    with reverts("operators: the batch is exposed already"):
        stage.operators.expose(*stage.exposure(batch, 0), sender=EVE)


def test_a_size_that_is_not_the_blocks_is_a_contradiction(stage: Stage) -> None:
    block = b"x" * 3_000
    leaf = msgspec.structs.replace(attestation.leaf_of("session", block, 1), size=3_001)
    stage.operators.attest(attestation.batch_root([leaf]), 1, b"\0" * 32, sender=OPERATOR)
    stage.operators.expose(OPERATOR, 0, 0, leaf.fields(), [], block, sender=EVE)
    assert stage.bonded() == STAKE - STAKE // 5


@given(
    size=st.one_of(
        st.integers(1, 5_000), st.integers(1, 64).map(lambda n: n * 1_024), st.integers(1, 65_536)
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_nobody_is_exposed_for_a_true_leaf(stage: Stage, size: int) -> None:
    with boa.env.anchor():
        batch = stage.attest([size])
        with reverts("operators: the leaf is true"):
            stage.operators.expose(*stage.exposure(batch, 0), sender=EVE)


def test_a_block_that_is_not_there_cannot_be_answered_for(stage: Stage) -> None:
    batch = stage.attest([3_000])
    challenge = stage.drawn(EVE, batch, 0)
    with pytest.raises(ValueError, match="not that of leaf 0"):
        attestation.answer(batch.leaves, 0, b"something else", stage.seed(challenge))
    assert batch.leaves[0].digest == hashlib.sha256(batch.content[0]).digest()
    with pytest.raises(ValueError, match="1 to"):
        attestation.pieces(b"")
