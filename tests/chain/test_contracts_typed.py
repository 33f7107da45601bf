"""Every contract's typed calls, on a whole deployment: what the wrappers expect is what the contracts say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.client import deployment
from chain.client.agents import Agents, AgentToken, AgentTokens
from chain.client.claims import Fractals, Rewards
from chain.client.deployment import Manifest
from chain.client.node import Reverted
from chain.client.operators import Attested, Operators
from chain.client.plans import FRAC, TERMS, Fixed, plans
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES
from tests.chain.node import Net, net_prepared

CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
ROOT = b"\x11" * 32
DEPLOYER, OTHER = ADDRESSES[0], ADDRESSES[1]


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[tuple[Net, Manifest]]:
    async with net_prepared(_verified, tmp_path, plans(Fixed(DEPLOYER))) as found:
        yield found


async def _verified(chain: Net, made: Manifest) -> None:
    await deployment.verify(chain.rpc, made)


async def test_operators(arena: tuple[Net, Manifest]) -> None:
    chain, made = arena
    operators = Operators(chain.rpc, made.address("operators"))
    frac = Token(chain.rpc, made.address("frac"), "frac")
    assert await operators.terms() == TERMS
    stake = 2 * TERMS.min_stake
    await chain.send(0, *frac.approve(operators.address, stake))
    assert await frac.allowance(DEPLOYER, operators.address) == stake
    await chain.send(0, *operators.register("wss://operator.example", "12D3"))
    await chain.send(0, *operators.stake(stake))
    receipt = await chain.send(0, *operators.attest(ROOT, 4, ROOT))
    assert receipt["status"] == "0x1"
    batch = await operators.batch(DEPLOYER, 0)
    assert (batch.root, batch.leaves, batch.exposed) == (ROOT, 4, False)
    state = await operators.operator(DEPLOYER)
    assert (state.bonded, state.batches) == (stake, 1)
    await chain.send(0, *operators.offer_role("challenger", OTHER))
    assert await operators.offered("challenger") == OTHER
    await chain.send(1, *operators.take_role("challenger"))
    assert await operators.holder("challenger") == OTHER
    await chain.send(1, *operators.open_challenge(DEPLOYER, 0, 2))
    challenge = await operators.challenge(await operators.challenge_count())
    assert (challenge.operator, challenge.leaf, challenge.closed) == (DEPLOYER, 2, False)
    leaf = Attested(ROOT, ROOT, 10, 5, ROOT)
    with pytest.raises(Reverted, match="operators: "):
        await chain.rpc.call(*operators.answer(0, leaf, [], b"piece", []))
    with pytest.raises(Reverted, match="operators: "):
        await chain.rpc.call(*operators.expose(DEPLOYER, 0, 0, leaf, [], b"content"))


async def test_rewards_and_points(arena: tuple[Net, Manifest]) -> None:
    chain, made = arena
    rewards = Rewards(chain.rpc, made.address("rewards"))
    assert await rewards.epoch_count() == 0
    assert await rewards.admin() == DEPLOYER
    await chain.send(0, *rewards.offer_role("publisher", DEPLOYER))
    await chain.send(0, *rewards.take_role("publisher"))
    frac = Token(chain.rpc, made.address("frac"), "frac")
    await chain.send(0, *frac.approve(rewards.address, 100 * FRAC))
    await chain.send(0, *rewards.fund(100 * FRAC))
    await chain.send(0, *rewards.post(1, ROOT, 50 * FRAC))
    epoch = await rewards.epoch(await rewards.epoch_count())
    assert (epoch.root, epoch.total) == (ROOT, 50 * FRAC)
    assert await rewards.claimable(OTHER, 5) == 0, "it can be vetoed still"
    await chain.wire("evm_increaseTime", epoch.counts_at)
    await chain.wire("evm_mine")
    assert await rewards.claimable(OTHER, 5) == 5
    with pytest.raises(Reverted):
        await chain.rpc.call(*rewards.claim(1, OTHER, 5, []))

    fractals = Fractals(chain.rpc, made.address("fractals"))
    await chain.send(0, *fractals.offer_role("publisher", DEPLOYER))
    await chain.send(0, *fractals.take_role("publisher"))
    season = await fractals.season()
    assert await fractals.points(season, OTHER) == 0
    with pytest.raises(Reverted):
        await chain.rpc.call(*fractals.claim(1, 1, OTHER, 5, []))


async def test_agents_and_their_tokens(arena: tuple[Net, Manifest]) -> None:
    chain, made = arena
    agents = Agents(chain.rpc, made.address("agents"))
    tokens = AgentTokens(chain.rpc, made.address("agent_tokens"))
    usdc = Token(chain.rpc, made.address("usdc"))
    receipt = await chain.send(0, *agents.register(CARD))
    number = int(receipt["blockNumber"], 16)
    events = map(agents.event, await chain.rpc.logs([agents.address], number, number))
    (registered,) = [each for each in events if each is not None and each.name == "Registered"]
    agent = int(registered.fields["agentId"])
    assert registered.fields["agentURI"] == CARD
    assert (await agents.owner(agent), await agents.uri(agent)) == (DEPLOYER, CARD)
    assert await agents.wallet(agent) in (DEPLOYER, None)
    with pytest.raises(Reverted):
        await agents.owner(agent + 100)
    assert await tokens.token(agent) is None
    await chain.send(0, *tokens.launch(agent, "Ember", "EMBR", 5_000_000_000))
    address = await tokens.token(agent)
    assert address is not None
    token = AgentToken(chain.rpc, address)
    await chain.wire("evm_increaseTime", 86_400)
    await chain.wire("evm_mine")
    await chain.send(0, *usdc.mint(DEPLOYER, 100_000_000))
    await chain.send(0, *usdc.approve(address, 100_000_000))
    bought = await token.quote_buy(100_000_000)
    await chain.send(0, *token.buy(100_000_000, bought.tokens, 2**40))
    assert await token.balance(DEPLOYER) == bought.tokens
    sold = await token.quote_sell(bought.tokens)
    assert 0 < sold.usdc < 100_000_000
    await chain.send(0, *token.sell(bought.tokens, sold.usdc, 2**40))
    assert await usdc.balance(DEPLOYER) == sold.usdc
    assert await usdc.domain() == ("USD Coin (development)", await usdc.read("version"))
