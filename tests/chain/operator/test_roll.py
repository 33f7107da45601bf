"""What the logs of `operators.vy` add up to is what the contract itself says."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from chain.artifacts import load
from chain.attestation import ANY_LEAF
from chain.client.abi import Abi
from chain.client.node import Log
from chain.operator.roll import Outcome, Roll
from tests.chain.blocks import block_number, pass_time
from tests.chain.operators_stage import (
    ANSWER_BLOCKS,
    ANSWER_S,
    BOND,
    CHALLENGER,
    EVE,
    MIN_STAKE,
    OPERATOR,
    OTHER,
    SEED_BLOCKS,
    UNBONDING_S,
    Stage,
)

ABI = Abi(load("operators").abi)


class Told:
    """The roll of a stage; `hear` after each call of the contract."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.roll = Roll()

    def hear(self) -> None:
        for _, _, topics, data in self.stage.operators._computation.get_raw_log_entries():
            words = tuple(f"0x{topic:064x}" for topic in topics)
            log = Log(self.stage.address, words, data, block_number(), "0x", 0, "0x", 0)
            event = ABI.event(log)
            if event is not None:  # FRAC's own are among them
                self.roll.take(event)
        for address, operator in self.roll.operators.items():
            said = self.stage.operators.operators(address)
            assert (operator.bonded, operator.unbonding, operator.unbonding_at) == said[:3]
            assert (len(operator.batches), operator.first_batch) == said[3:5]

    def join(self, operator: str, stake: int) -> None:
        self.stage.operators.register("https://node.example", "12D3KooW", sender=operator)
        self.hear()
        self.stage.operators.stake(stake, sender=operator)
        self.hear()

    def challenge(self, leaf: int, challenger: str, operator: str = OPERATOR) -> int:
        id_: int = self.stage.operators.challenge(operator, 0, leaf, sender=challenger)
        self.hear()
        return id_

    def draw(self, id_: int) -> None:
        pass_time(blocks=SEED_BLOCKS + 1, seconds=60)
        self.stage.operators.draw(id_, sender=EVE)
        self.hear()

    def miss(self, id_: int) -> None:
        pass_time(blocks=ANSWER_BLOCKS + 1, seconds=ANSWER_S + 1)
        self.stage.operators.record_miss(id_, sender=EVE)
        self.hear()


def test_a_life_of_two_operators_adds_up_to_what_the_contract_says() -> None:
    stage = Stage()
    told = Told(stage)
    told.join(OPERATOR, 2 * MIN_STAKE)
    assert told.roll.standing(MIN_STAKE) == [to_checksum_address(OPERATOR)]
    told.join(OTHER, MIN_STAKE)
    assert told.roll.standing(MIN_STAKE) == sorted([OPERATOR, OTHER])
    batch = stage.attest([10, 2_000, 1_024])
    told.hear()
    [attested] = told.roll.operators[OPERATOR].batches
    assert (attested.number, attested.leaves) == (batch.number, 3)

    missed = told.challenge(ANY_LEAF, CHALLENGER)
    [challenge] = told.roll.open_at(OPERATOR)
    assert (challenge.id, challenge.seed, challenge.bond) == (missed, None, 0)
    assert not challenge.can_be_drawn(challenge.block + SEED_BLOCKS)
    assert challenge.can_be_drawn(challenge.block + SEED_BLOCKS + 1)
    told.draw(missed)
    [challenge] = told.roll.open_at(OPERATOR)
    assert challenge.seed == stage.operators.challenges(missed)[7]
    assert challenge.leaf == stage.operators.challenges(missed)[4] != ANY_LEAF
    told.miss(missed)
    assert told.roll.open_at(OPERATOR) == []
    assert told.roll.challenges[missed].outcome is Outcome.MISSED
    assert told.roll.standing(MIN_STAKE) == [OTHER]  # nothing is given to who has fallen silent

    stage.attest([5])
    told.hear()
    assert told.roll.standing(MIN_STAKE) == sorted([OPERATOR, OTHER])

    stage.operators.unbond(MIN_STAKE, sender=OTHER)
    told.hear()
    assert told.roll.standing(MIN_STAKE) == [OPERATOR]
    pass_time(blocks=1, seconds=UNBONDING_S)
    stage.operators.release(OTHER, sender=OTHER)
    told.hear()


def test_a_stake_that_unbonds_is_slashed_behind_what_is_bonded() -> None:
    stage = Stage()
    told = Told(stage)
    told.join(OPERATOR, 2 * MIN_STAKE)
    stage.attest([3_000], lie=0)
    told.hear()
    stage.operators.unbond(2 * MIN_STAKE - 1, sender=OPERATOR)
    told.hear()
    lapsing = told.challenge(0, EVE)
    assert told.roll.challenges[lapsing].bond == BOND
    pass_time(blocks=1, seconds=3_601)
    stage.operators.lapse(lapsing, sender=OTHER)
    told.hear()
    assert told.roll.challenges[lapsing].outcome is Outcome.LAPSED
    missing = told.challenge(0, EVE)
    told.draw(missing)
    told.miss(missing)
    operator = told.roll.operators[OPERATOR]
    assert (operator.bonded, operator.misses) == (0, 1)
    assert operator.lost == 2 * MIN_STAKE // 100
