"""An agent's identity on the chain, its token, and the fees that the token brings its creator."""

from __future__ import annotations

import msgspec

from chain.client.abi import Event
from chain.client.contract import Contract
from chain.client.node import Reverted
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused, in_words
from chain.wallet.sent import Done

MAX_NAME, MAX_SYMBOL, MAX_URI = 25, 5, 128
MIN_VIRTUAL = 10**6
MAX_VIRTUAL = 2**96


class Registered(msgspec.Struct, frozen=True):
    agent: int
    tx: Done


class Launched(msgspec.Struct, frozen=True):
    agent: int
    token: str
    tx: Done


class Fetched(msgspec.Struct, frozen=True):
    micros: int
    tx: Done


async def register(hands: Hands, uri: str) -> Registered:
    """An identity for an agent, which the wallet owns. Raises FlowRefused, NoContract, OSError."""
    if not uri.startswith("ipfs://") or len(uri) > MAX_URI:
        raise FlowRefused(f"a card is named by ipfs:// and its CID, {MAX_URI} characters at most")
    agents = hands.contracts.agents
    done = await hands.sender.earlier()
    done = done or await hands.sender.send("registration", agents.register(uri))
    event = await _event(hands, agents, done, "Registered")
    return Registered(int(event.fields["agentId"]), done)


async def launch(hands: Hands, agent: int, name: str, symbol: str, virtual: int) -> Launched:
    """`virtual` is the reserve that sets the first price, micros. Raises FlowRefused, NoContract, OSError."""
    tokens = hands.contracts.agent_tokens
    done = await hands.sender.earlier()
    if done is None:
        await _check(hands, agent, name, symbol, virtual)
        done = await hands.sender.send("launch", tokens.launch(agent, name, symbol, virtual))
    address = await tokens.token(agent)
    if address is None:
        raise FlowRefused(
            f"the launch of agent {agent}'s token was in block {done.block}, and is gone"
        )
    return Launched(agent, address, done)


async def fetch_fees(hands: Hands, agent: int, to: str) -> Fetched:
    """What waits for the creator. Raises FlowRefused, NoContract, OSError."""
    token = await hands.contracts.agent_token(agent)
    done = await hands.sender.earlier()
    done = done or await hands.sender.send("fees", token.fetch_fees(to))
    event = await _event(hands, token, done, "FeesFetched")
    return Fetched(int(event.fields["usdc"]), done)


async def _check(hands: Hands, agent: int, name: str, symbol: str, virtual: int) -> None:
    for what, text, most in (("name", name, MAX_NAME), ("symbol", symbol, MAX_SYMBOL)):
        if not 0 < len(text.encode()) <= most or not text.isprintable():
            raise FlowRefused(f"--{what} {text!r}: 1 to {most} bytes of printable text")
    if not MIN_VIRTUAL <= virtual <= MAX_VIRTUAL:
        raise FlowRefused("--virtual-reserve: 1 USDC at least")
    try:
        owner = await hands.contracts.agents.owner(agent)
    except Reverted as reverted:
        raise FlowRefused(
            f"there is no agent {agent} on the chain ({in_words(reverted)}): `agon token register` makes one"
        ) from None
    if owner != hands.address:
        raise FlowRefused(f"agent {agent} belongs to {owner}, not to this wallet ({hands.address})")


async def _event(hands: Hands, contract: Contract, done: Done, name: str) -> Event:
    """What the transaction's log says."""
    logs = await hands.contracts.node.logs([contract.address], done.block, done.block)
    events = (contract.event(each) for each in logs)
    for event in events:
        if event is not None and event.name == name and event.log.tx == done.hash:
            return event
    raise FlowRefused(f"transaction {done.hash} has left no {name!r}: the node may be behind")
