"""Gas of agents, operators, rewards, points and tokens of agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boa

from chain.payout_tree import PayoutTree
from chain.points_tree import PointsTree
from tests.chain.blocks import pass_time
from tests.chain.contracts import deploy
from tests.chain.gas import Cost, gas_of
from tests.chain.operators_stage import EVE, MIN_STAKE, OPERATOR, SEED_BLOCKS, UNBONDING_S, Stage
from tests.chain.roles import give_role
from tests.chain.wallets import now, sign, wallet

ADMIN, PUBLISHER, TREASURY, ANN, BOB = (wallet(n).address for n in range(11, 16))
CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
USD = 10**6
ACCOUNTS = {f"0x{number:040x}": 100 + number for number in range(1, 1_000)}
"""Beside ANN: a tree of 1,000 accounts, proofs of 10."""


def agents() -> Iterator[Cost]:
    it = deploy("agents")
    yield Cost("agents", "register", gas_of(it, "register", CARD, sender=ANN))
    until = now() + 60
    v, r, s = sign(wallet(16), it, "AgentWalletSet", 1, wallet(16).address, ANN, until)
    agreed = (1, wallet(16).address, until, r + s + bytes([v]))
    yield Cost("agents", "setAgentWallet", gas_of(it, "setAgentWallet", *agreed, sender=ANN))
    moved = gas_of(it, "transferFrom", ANN, BOB, 1, sender=ANN)
    yield Cost("agents", "transferFrom, wallet cleared", moved)


def operators() -> Iterator[Cost]:
    stage = Stage()
    it = stage.operators

    def cost(call: str, method: str, *arguments: object, sender: str = OPERATOR) -> Cost:
        return Cost("operators", call, gas_of(it, method, *arguments, sender=sender))

    peer = "12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2"
    yield cost("register", "register", "https://node.example.org", peer)
    yield cost("stake, the first", "stake", 2 * MIN_STAKE)
    stage.attest([10])
    yield cost("attest a batch", "attest", b"\1" * 32, 65_536, b"\2" * 32)
    batch = stage.attest([20_000] * 256)
    asked = (OPERATOR, batch.number, 77)
    yield cost("challenge, with a bond", "challenge", *asked, sender=EVE)
    pass_time(blocks=SEED_BLOCKS + 1, seconds=60)
    yield cost("draw", "draw", 1, sender=EVE)
    answer = stage.answer(1, batch)
    yield cost("answer: batch of 256, block of 20,000 bytes", "answer", 1, *answer)
    challenge = stage.drawn(EVE, batch, 5)
    pass_time(blocks=10_000, seconds=86_400)
    yield cost("record_miss", "record_miss", challenge, sender=EVE)
    lie = stage.attest([20_000], lie=0)
    yield cost("expose: 20,000 bytes", "expose", *stage.exposure(lie, 0), sender=EVE)
    yield cost("unbond", "unbond", MIN_STAKE)
    pass_time(seconds=UNBONDING_S)
    yield cost("release", "release", OPERATOR)


def rewards() -> Iterator[Cost]:
    frac = deploy("frac", TREASURY)
    it = deploy("rewards", str(frac.address), sender=ADMIN)
    give_role(it, "publisher", PUBLISHER, ADMIN)
    frac.approve(str(it.address), 2**255, sender=TREASURY)
    it.fund(10**9, sender=TREASURY)
    for epoch, earned in ((1, 500), (2, 900)):
        tree = PayoutTree({**ACCOUNTS, ANN: earned})
        posted = gas_of(it, "post", epoch, tree.root, 10**6 + earned, sender=PUBLISHER)
        if epoch == 2:
            yield Cost("rewards", "post", posted)
        boa.env.time_travel(seconds=86_400)
        claim = (epoch, ANN, earned, tree.proof(ANN))
        which = "the first" if epoch == 1 else "a later one"
        claimed = gas_of(it, "claim", *claim, sender=BOB)
        yield Cost("rewards", f"claim of 1,000 accounts, {which}", claimed)


def fractals() -> Iterator[Cost]:
    it = deploy("fractals", sender=ADMIN)
    give_role(it, "publisher", PUBLISHER, ADMIN)
    for number, earned in ((1, 500), (2, 900)):
        tree = PointsTree(1, {**ACCOUNTS, ANN: earned})
        posted = gas_of(it, "post", 1, number, tree.root, tree.total, sender=PUBLISHER)
        if number == 2:
            yield Cost("fractals", "post", posted)
        which = "the first" if number == 1 else "a later one"
        claim = (1, number, ANN, earned, tree.proof(ANN))
        claimed = gas_of(it, "claim", *claim, sender=BOB)
        yield Cost("fractals", f"claim of 1,000 accounts, {which}", claimed)


def tokens() -> Iterator[Cost]:
    usdc = deploy("usdc_dev", sender=ADMIN)
    token = (str(usdc.address), 1, "Gambler", "GMBL", ADMIN, TREASURY, 5_000 * USD)
    it = deploy("agent_token", *token)
    pass_time(seconds=600)
    for account in (ANN, BOB):
        usdc.mint(account, 10**6 * USD, sender=ADMIN)
        usdc.approve(str(it.address), 2**255, sender=account)
    first = gas_of(it, "buy", 100 * USD, 1, now(), sender=ANN)
    yield Cost("agent_token", "buy, the token's first", first)
    it.buy(USD, 1, now(), sender=BOB)
    yield Cost("agent_token", "buy", gas_of(it, "buy", 100 * USD, 1, now(), sender=BOB))
    half = it.balanceOf(BOB) // 2
    yield Cost("agent_token", "sell", gas_of(it, "sell", half, 1, now(), sender=BOB))
    fetched = gas_of(it, "fetch_fees", TREASURY, sender=TREASURY)
    yield Cost("agent_token", "fetch_fees", fetched)


SCENARIOS: list[Callable[[], Iterator[Cost]]] = [agents, operators, rewards, fractals, tokens]
