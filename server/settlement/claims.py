"""What owners have been allotted, into their balances: for them, by multi-proofs of up to 128."""

from __future__ import annotations

import asyncio
import itertools

from chain.client.escrow import MAX_CLAIMS, Escrow
from chain.client.node import Reverted
from chain.client.nonces import OPEN
from chain.documents import payouts as payout_documents
from chain.payout_tree import PayoutTree
from server.settlement import reckoning
from server.settlement.actions import Writer
from server.settlement.alarms import Alarming
from server.store.epochs import EpochRow
from server.store.epochs import Epochs as Rows

DUST_MICROS = 10_000
"""A cent: what is less waits for more. A claim beside others costs 10,000 gas (`docs/gas.md`): at 0.04 gwei and 2,500 dollars
an ether a tenth of a cent."""


class Claims:
    """By the tree of the newest epoch alone: sums are cumulative, so whoever was left out by a crash, or had only dust, comes
    with a later one."""

    def __init__(self, *, rows: Rows, escrow: Escrow, writer: Writer, alarming: Alarming) -> None:
        self._rows = rows
        self._escrow = escrow
        self._writer = writer
        self._alarming = alarming
        self._tree: tuple[str, PayoutTree, dict[str, int]] | None = None
        self._due: tuple[str, int, list[str]] | None = None

    async def round(self, epoch: EpochRow) -> None:
        """Claim for all who have something in this epoch, which is closed, and for whom nobody claims yet."""
        if epoch.payouts is None:
            return
        due = await self._claimable(epoch.payout_root, epoch.payouts)
        if not due:
            return
        tree, _ = await self._tree_of(epoch.payout_root, epoch.payouts)
        under_way, following = await self._under_way(epoch.number)
        waiting = [account for account in due if account not in under_way]
        for number, start in enumerate(range(0, len(waiting), MAX_CLAIMS), following):
            chunk = waiting[start : start + MAX_CLAIMS]
            action = f"claim:{epoch.number}:{number}"
            try:
                await self._writer.submit(action, *self._escrow.claim_many(tree.claims(chunk)))
            except Reverted as error:  # a node that is behind, or somebody was faster
                self._alarming("claim-refused", action, error.reason)
                return

    async def _claimable(self, root: str, payouts: bytes) -> list[str]:
        """Looked up anew where something was claimed since, as there may be a hundred thousand accounts."""
        total = await self._rows.claimed_micros()
        if self._due is None or self._due[:2] != (root, total):
            _, cumulative = await self._tree_of(root, payouts)
            claimed = await self._rows.claimed()
            self._due = root, total, reckoning.claimable(cumulative, claimed, DUST_MICROS)
        return self._due[2]

    async def _tree_of(self, root: str, payouts: bytes) -> tuple[PayoutTree, dict[str, int]]:
        """With what each account has been allotted, in the order in which claims are cheapest. Made off the loop: of a hundred
        thousand accounts it takes seconds."""
        if self._tree is None or self._tree[0] != root:
            self._tree = root, *await asyncio.to_thread(_read, payouts)
        return self._tree[1:]

    async def _under_way(self, epoch: int) -> tuple[set[str], int]:
        """Whose claims by this epoch's tree are done or may yet be, by address in lower case, and the next number."""
        accounts: set[str] = set()
        for number in itertools.count():
            tx = await self._writer.find(f"claim:{epoch}:{number}")
            if tx is None:
                return accounts, number
            if tx.state in OPEN or tx.done:
                claimants = await asyncio.to_thread(self._escrow.claimants, tx.call.data)
                accounts |= {each.lower() for each in claimants}
        raise AssertionError("counting has no end")


def _read(payouts: bytes) -> tuple[PayoutTree, dict[str, int]]:
    _, tree = payout_documents.read(payouts)
    return tree, {account: tree.cumulative(account) for account in tree.accounts}
