"""Storms over identities: a wallet is one that has agreed to this owner, and is gone when the agent changes hands."""

from __future__ import annotations

import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chain.ethereum import LocalAccount
from tests.chain.contracts import deploy
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import now, sign, wallet

OWNERS = [wallet(n) for n in range(1, 4)]
WALLETS = [wallet(n) for n in range(4, 7)]
NOBODY = "0x" + "0" * 40
CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
OWNER = st.sampled_from(OWNERS).map(lambda account: account.address)
PICK = st.integers(0, 10**6)


class Agents(Storm):
    @initialize()
    def begin(self) -> None:
        self.agents = deploy("agents")
        self.owner: dict[int, str] = {}
        self.wallet: dict[int, str] = {}
        self.approved: dict[int, str] = {}
        # Signatures that were ever made: agent, wallet, owner, deadline, bytes.
        self.agreed: list[tuple[int, str, str, int, bytes]] = []

    def pick(self, number: int) -> int:
        return number % len(self.owner) + 1

    @precondition(lambda self: len(self.owner) < 3)
    @rule(owner=OWNER)
    def register(self, owner: str) -> None:
        agent = self.call(self.agents, "register", CARD, sender=owner)
        assert agent == len(self.owner) + 1
        self.owner[agent] = self.wallet[agent] = owner

    @precondition(lambda self: self.owner)
    @rule(pick=PICK, by=OWNER, to=OWNER, safely=st.booleans())
    def transfer(self, pick: int, by: str, to: str, safely: bool) -> None:
        agent = self.pick(pick)
        owner = self.owner[agent]
        name = "safeTransferFrom" if safely else "transferFrom"
        done = self.call(self.agents, name, owner, to, agent, sender=by)
        assert (done is not REFUSED) == (by in (owner, self.approved.get(agent)))
        if done is not REFUSED:
            self.owner[agent], self.wallet[agent] = to, NOBODY
            self.approved.pop(agent, None)

    @precondition(lambda self: self.owner)
    @rule(pick=PICK, by=OWNER, to=OWNER)
    def approve(self, pick: int, by: str, to: str) -> None:
        agent = self.pick(pick)
        done = self.call(self.agents, "approve", to, agent, sender=by)
        assert (done is not REFUSED) == (by == self.owner[agent] != to)
        if done is not REFUSED:
            self.approved[agent] = to

    @precondition(lambda self: self.owner)
    @rule(pick=PICK, signer=st.sampled_from(WALLETS), ahead=st.sampled_from([0, 100, 300, 301]))
    def agree(self, pick: int, signer: LocalAccount, ahead: int) -> None:
        agent = self.pick(pick)
        owner, until = self.owner[agent], now() + ahead
        v, r, s = sign(signer, self.agents, "AgentWalletSet", agent, signer.address, owner, until)
        self.agreed.append((agent, signer.address, owner, until, r + s + bytes([v])))

    @precondition(lambda self: self.agreed)
    @rule(pick=PICK, by=OWNER, other=st.booleans())
    def set_wallet(self, pick: int, by: str, other: bool) -> None:
        """With any signature that was ever made, by anybody, for its wallet or another."""
        agent, of, owner, until, signature = self.agreed[-1 - pick % len(self.agreed)]
        of = WALLETS[0].address if other else of
        real = (agent, of, owner, until, signature) in self.agreed
        done = self.call(self.agents, "setAgentWallet", agent, of, until, signature, sender=by)
        allowed = (
            real
            and owner == self.owner[agent]
            and by in (owner, self.approved.get(agent))
            and now() <= until <= now() + 300
        )
        assert (done is not REFUSED) == allowed
        if allowed:
            self.wallet[agent] = of

    @precondition(lambda self: self.owner)
    @rule(pick=PICK, signer=st.sampled_from(WALLETS), ahead=st.sampled_from([0, 300]))
    def agree_and_set(self, pick: int, signer: LocalAccount, ahead: int) -> None:
        self.agree(pick, signer, ahead)
        self.set_wallet(0, self.owner[self.pick(pick)], other=False)

    @precondition(lambda self: self.owner)
    @rule(pick=PICK, by=st.sampled_from([*OWNERS, *WALLETS]))
    def unset_wallet(self, pick: int, by: LocalAccount) -> None:
        agent = self.pick(pick)
        done = self.call(self.agents, "unsetAgentWallet", agent, sender=by.address)
        may = by.address in (self.owner[agent], self.approved.get(agent), self.wallet[agent])
        assert (done is not REFUSED) == may
        if may:
            self.wallet[agent] = NOBODY

    @rule(seconds=st.sampled_from([1, 99, 200]))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @invariant()
    def the_newest_is_as_it_should_be(self) -> None:
        if getattr(self, "owner", None):
            agent = len(self.owner)
            assert self.agents.getAgentWallet(agent) == self.wallet[agent]

    def at_the_end(self) -> None:
        for agent, owner in getattr(self, "owner", {}).items():
            assert self.agents.ownerOf(agent) == owner
            assert self.agents.getAgentWallet(agent) == self.wallet[agent]


def test_a_small_storm() -> None:
    seen = run(Agents, examples=6, steps=25, always_the_same=True)
    assert seen["register"]


@pytest.mark.slow
def test_a_storm() -> None:
    seen = run(Agents, examples=120, steps=50)
    assert seen.total() >= 1_500
    assert min(seen[name] for name in ("register", "setAgentWallet", "setAgentWallet!")) > 100
