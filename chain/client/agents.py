"""Identities of agents, and the token that an agent may have (`agents.vy`, `agent_token.vy`, `agent_tokens.vy`)."""

from __future__ import annotations

import msgspec

from chain.client.contract import Caller, Contract, Invocation
from chain.client.roles import NOBODY
from chain.client.token import Permit


class Agents(Contract):
    """The registry at `address` (ERC-721, in the spirit of ERC-8004)."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "agents", address)

    async def owner(self, agent: int) -> str:
        """Raises Reverted where there is no such agent."""
        return str(await self.read("ownerOf", agent))

    async def uri(self, agent: int) -> str:
        """Of its card."""
        return str(await self.read("tokenURI", agent))

    async def wallet(self, agent: int) -> str | None:
        """Where it is paid; None after a transfer, until the new owner has set one."""
        found = await self.read("getAgentWallet", agent)
        return None if found == NOBODY else str(found)

    def register(self, uri: str) -> Invocation:
        """The sender owns it; its number is in the log."""
        return self.invoke("register", uri)

    def set_uri(self, agent: int, uri: str) -> Invocation:
        return self.invoke("setAgentURI", agent, uri)


class Standing(msgspec.Struct, frozen=True):
    """Where a token's curve stands."""

    name: str
    symbol: str
    agent: int
    supply: int
    """Tokens that were bought and not sold back."""
    unsold: int
    reserve: int
    """Micro-USDC that lie there for those who sell."""
    virtual: int
    """Micro-USDC that set the first price and are not there."""
    creator: str
    fees: int
    """Micro-USDC that wait for the creator."""
    launched_at: int
    start_bps: int
    """Of what a buyer pays now, that stays on the curve and buys nothing."""

    @property
    def price(self) -> int:
        """10^-18 USDC for one token, at the margin."""
        return (self.virtual + self.reserve) * 10**30 // self.unsold if self.unsold else 0


_STANDING = (
    *("name", "symbol", "AGENT_ID", "totalSupply", "unsold", "reserve", "VIRTUAL"),
    *("creator", "creator_fees", "LAUNCHED_AT", "sniper_bps"),
)
"""What the contract calls the fields of `Standing`."""


class Bought(msgspec.Struct, frozen=True):
    """What a purchase brings."""

    tokens: int
    fee: int
    """Micro-USDC of what is paid."""
    stays: int
    """Micro-USDC of it that stay on the curve and buy nothing, while a launch is young."""


class Sold(msgspec.Struct, frozen=True):
    """What a sale brings."""

    usdc: int
    """Micros, after the fee."""
    fee: int


class AgentToken(Contract):
    """One agent's token, on its curve. USDC in micros, tokens in their smallest part."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "agent_token", address)

    async def quote_buy(self, usdc: int) -> Bought:
        """Now. Raises Reverted, as buying would."""
        return Bought(*await self.read("quote_buy", usdc))

    async def quote_sell(self, tokens: int) -> Sold:
        """Now. Raises Reverted, as selling would."""
        return Sold(*await self.read("quote_sell", tokens))

    async def balance(self, owner: str) -> int:
        return int(await self.read("balanceOf", owner))

    async def standing(self) -> Standing:
        """Now, by several questions: a trade between them may show."""
        return Standing(*[await self.read(name) for name in _STANDING])

    def buy_with_permit(
        self, usdc: int, at_least: int, deadline: int, permit: Permit
    ) -> Invocation:
        """As `buy`, with the approval in the same call (`chain.client.signing.permit`)."""
        return self.invoke("buy_with_permit", usdc, at_least, deadline, *permit)

    def fetch_fees(self, receiver: str) -> Invocation:
        """By the creator, or the treasury: its half of the fees."""
        return self.invoke("fetch_fees", receiver)

    def buy(self, usdc: int, at_least: int, deadline: int) -> Invocation:
        """By whoever has approved the USDC; refused where it brings fewer tokens, or after a unix second."""
        return self.invoke("buy", usdc, at_least, deadline)

    def sell(
        self, tokens: int, at_least: int, deadline: int, receiver: str | None = None
    ) -> Invocation:
        """Always open; refused where it brings less USDC, or after a unix second. The receiver is the seller, if no other is
        named."""
        more = [] if receiver is None else [receiver]
        return self.invoke("sell", tokens, at_least, deadline, *more)


class AgentTokens(Contract):
    """Where tokens of agents are launched."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "agent_tokens", address)

    async def token(self, agent: int) -> str | None:
        found = await self.read("token_of", agent)
        return None if found == NOBODY else str(found)

    async def agent(self, token: str) -> int | None:
        """Whose token is at that address; None: none that was launched here."""
        return int(await self.read("agent_of", token)) or None

    def launch(self, agent: int, name: str, symbol: str, virtual_reserve: int) -> Invocation:
        """By the agent's owner, once."""
        return self.invoke("launch", agent, name, symbol, virtual_reserve)
