"""The contracts that an owner deals with, by a deployment's manifest."""

from __future__ import annotations

from chain.client.agents import Agents, AgentToken, AgentTokens
from chain.client.claims import Fractals, Rewards
from chain.client.court import CourtContract
from chain.client.deployment import Manifest
from chain.client.escrow import Escrow
from chain.client.hearings import Hearings
from chain.client.judge_registry import JudgeRegistry
from chain.client.operators import Operators
from chain.client.rpc import Rpc
from chain.client.token import Token
from chain.wallet.refusals import FlowRefused

DEVELOPMENT_CHAIN = 31_337


class Contracts:
    """At a node. Asking for one that the manifest lacks raises DeploymentFailed."""

    def __init__(self, node: Rpc, manifest: Manifest) -> None:
        self.node = node
        self.manifest = manifest

    @property
    def escrow(self) -> Escrow:
        return Escrow(self.node, self.manifest.address("escrow"))

    @property
    def chain_id(self) -> int:
        return self.manifest.chain_id

    @property
    def own_usdc(self) -> bool:
        """Whether the USDC is one for development, which was deployed with the rest."""
        return "usdc" in self.manifest.contracts

    async def usdc(self) -> Token:
        """The escrow's."""
        return Token(self.node, await self.escrow.usdc())

    @property
    def frac(self) -> Token:
        return Token(self.node, self.manifest.address("frac"), "frac")

    @property
    def operators(self) -> Operators:
        return Operators(self.node, self.manifest.address("operators"))

    @property
    def judge_registry(self) -> JudgeRegistry:
        return JudgeRegistry(self.node, self.manifest.address("judge_registry"))

    @property
    def court(self) -> CourtContract:
        return CourtContract(self.node, self.manifest.address("court"))

    @property
    def hearings(self) -> Hearings:
        return Hearings(self.node, self.manifest.address("hearings"))

    @property
    def rewards(self) -> Rewards:
        return Rewards(self.node, self.manifest.address("rewards"))

    @property
    def fractals(self) -> Fractals:
        return Fractals(self.node, self.manifest.address("fractals"))

    @property
    def agents(self) -> Agents:
        return Agents(self.node, self.manifest.address("agents"))

    @property
    def agent_tokens(self) -> AgentTokens:
        return AgentTokens(self.node, self.manifest.address("agent_tokens"))

    async def agent_token(self, agent: int) -> AgentToken:
        """Raises FlowRefused where the agent has none."""
        address = await self.agent_tokens.token(agent)
        if address is None:
            raise FlowRefused(
                f"agent {agent} has no token; its owner launches one by `agon token launch {agent}`"
            )
        return AgentToken(self.node, address)
