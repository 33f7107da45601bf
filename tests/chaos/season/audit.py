"""An independent reading of a season: the chain's logs and the results that the arena hands out, added up anew.

None of the arena's own rows is believed, but for what is to be compared: the ledger's `usdc:chain` and owners' balances.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from chain.client.abi import Event
from chain.client.escrow import session_id
from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.form import digest_of
from chain.documents.payouts import PayoutsDocument
from chain.documents.result import ResultDocument
from chain.payout_tree import PayoutTree
from server.settlement.compare import Found
from tests.chaos.season.ground import Ground
from tests.chaos.season.owners import TIER_MICROS, Owner

AT_ONCE = 8
CHUNK = 2_000


class Card(msgspec.Struct, frozen=True):
    """A paid session, as the arena lists it."""

    session: str
    status: str


class Doubts:
    """What was expected and not found, a line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.checks = 0

    def equal(self, what: str, found: object, expected: object) -> None:
        self.checks += 1
        if found != expected:
            self.lines.append(f"{what}: expected {expected}, found {found}")

    def true(self, what: str, so: bool) -> None:
        self.equal(what, so, True)


class Chain(msgspec.Struct):
    """The escrow's logs, in their order."""

    opened: dict[bytes, list[tuple[int, tuple[str, ...]]]] = {}
    settled: dict[bytes, list[int]] = {}
    refunded: Counter[bytes] = msgspec.field(default_factory=Counter)
    epochs: list[dict[str, Any]] = []
    claimed: Counter[str] = msgspec.field(default_factory=Counter)
    deposited: Counter[str] = msgspec.field(default_factory=Counter)
    withdrawn: Counter[str] = msgspec.field(default_factory=Counter)
    refused: int = 0

    def take(self, event: Event) -> None:
        fields = event.fields
        match event.name:
            case "Opened":
                opening = fields["entry"], tuple(fields["owners"])
                self.opened.setdefault(fields["session"], []).append(opening)
            case "EpochClosed":
                self.epochs.append(fields)
                for session in fields["sessions"]:
                    self.settled.setdefault(session, []).append(fields["epoch"])
            case "Refunded":
                self.refunded[fields["session"]] += 1
            case "Refused":
                self.refused += 1
            case "Claimed":
                self.claimed[fields["owner"]] += fields["amount"]
            case "Deposited":
                self.deposited[fields["owner"]] += fields["amount"]
            case "Withdrawn":
                self.withdrawn[fields["owner"]] += fields["amount"]


class Reckoning(msgspec.Struct):
    """What all of it adds up to."""

    allotted: dict[str, int]
    """By the results alone: wallet -> micros."""
    fees_micros: int
    tree: tuple[PayoutsDocument, PayoutTree] | None
    sessions: int
    void: int


async def read_chain(ground: Ground) -> Chain:
    """All logs of the escrow up to now."""
    found, head = Chain(), await ground.head()
    for first in range(ground.manifest.first_block, head + 1, CHUNK):
        last = min(head, first + CHUNK - 1)
        for log in await ground.node.logs([ground.escrow.address], first, last):
            event = ground.escrow.event(log)
            if event is not None:
                found.take(event)
    return found


async def cards(url: str) -> list[Card]:
    """All paid sessions of the arena."""
    found: list[Card] = []
    query: dict[str, str | int] = {"limit": 100}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        while True:
            page = (await http.get("/v1/sessions", params=query)).raise_for_status().json()
            paid = [each for each in page["sessions"] if each["tier_micros"]]
            found += [Card(each["session"], each["status"]) for each in paid]
            if page["next"] is None:
                return found
            query["before"] = page["next"]


async def fetch_results(url: str, sessions: Sequence[str]) -> dict[str, ResultDocument]:
    """Each as the arena hands it out, read and checked against itself."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:

        async def one(session: str) -> tuple[str, ResultDocument]:
            async with gate:
                answer = await http.get(f"/v1/sessions/{session}/result")
            return session, results.read(answer.raise_for_status().content)

        return dict(await asyncio.gather(*(one(each) for each in sessions)))


def reckon(
    ground: Ground,
    chain: Chain,
    listed: Sequence[Card],
    found: dict[str, ResultDocument],
    doubts: Doubts,
) -> Reckoning:
    """Each session opened once and ended once, each epoch's roots by the results, and what every wallet was allotted."""
    names = {session_id(each.session): each.session for each in listed}
    for name in chain.opened.keys() - names.keys():
        doubts.true(f"a session of the arena: {name.hex()}", False)
    void = 0
    for card in listed:
        id_ = session_id(card.session)
        ends = len(chain.settled.get(id_, [])), chain.refunded[id_]
        opened = len(chain.opened.get(id_, []))
        if card.session in found:
            doubts.equal(f"{card.session} opened, settled, refunded", (opened, *ends), (1, 1, 0))
        else:
            void += 1
            doubts.equal(f"{card.session} is void; status", card.status, "void")
            doubts.equal(f"{card.session} (void) opened, and so refunded", ends, (0, opened))
            doubts.true(f"{card.session} opened once at most", opened <= 1)
    allotted: Counter[str] = Counter()
    fees = 0
    tree = None
    for number, closed in enumerate(chain.epochs, 1):
        doubts.equal("the number of an epoch", closed["epoch"], number)
        sessions = sorted(names[each] for each in closed["sessions"] if each in names)
        documents = [found[each] for each in sessions if each in found]
        root = epochs.root_of([digest_of(each) for each in documents])
        doubts.equal(f"result root of epoch {number}", closed["result_root"].hex(), root)
        for document in documents:
            owners = chain.opened[session_id(document.session)][0][1]
            fees += _add(ground, document, owners, allotted, doubts)
        tree = payout_documents.build(
            number, ground.manifest.chain_id, ground.escrow.address, allotted
        )
        doubts.equal(f"payout root of epoch {number}", closed["payout_root"].hex(), tree[0].root)
        total = sum(allotted.values())
        doubts.equal(f"allotted up to epoch {number}", closed["allotted"], total)
    return Reckoning(dict(allotted), fees, tree, len(found), void)


def _add(
    ground: Ground,
    result: ResultDocument,
    owners: tuple[str, ...],
    allotted: Counter[str],
    doubts: Doubts,
) -> int:
    """What the session's pot pays, by the published table, to whose wallets; its fees are the treasury's."""
    name = result.session
    doubts.equal(f"{name}: the wallets that paid", tuple(s.wallet for s in result.seats), owners)
    try:
        results.check_money(result, TIER_MICROS)
    except ValueError as error:
        doubts.lines.append(f"{name}: {error}")
    wallets = {f"usdc:agent:{seat.agent}": seat.wallet for seat in result.seats}
    for paid in result.payouts_micros:
        wallet = wallets[paid.to]
        assert wallet is not None
        allotted[wallet] += paid.amount
    fees = results.pot_of(result) - sum(each.amount for each in result.payouts_micros)
    if fees:
        allotted[ground.treasury] += fees
    return fees


async def check_money(
    ground: Ground,
    chain: Chain,
    reckoning: Reckoning,
    owners: Sequence[Owner],
    compared: Found | None,
    doubts: Doubts,
) -> dict[str, int]:
    """Claims within allotments, held = deposits = balances and what is owed, ledger = chain, to the micro; what is unclaimed."""
    escrow = ground.escrow
    unclaimed: dict[str, int] = {}
    balances = ledger = 0
    for wallet, name in [*((o.wallet, o.name) for o in owners), (ground.treasury, "treasury")]:
        account = await escrow.account(wallet)
        allotted = reckoning.allotted.get(wallet, 0)
        doubts.equal(f"{name}: claims in the logs", chain.claimed[wallet], account.claimed)
        doubts.true(f"{name}: claimed {account.claimed} of {allotted}", account.claimed <= allotted)
        unclaimed[wallet] = allotted - account.claimed
        balances += account.balance
    for owner in owners:
        on_ledger = await owner.ledger_micros()
        on_chain = (await escrow.account(owner.wallet)).balance + unclaimed[owner.wallet]
        doubts.equal(f"{owner.name}: ledger, and chain with what is unclaimed", on_ledger, on_chain)
        doubts.equal(
            f"{owner.name}: deposits", chain.deposited[owner.wallet], owner.deposited_micros
        )
        ledger += on_ledger
    held, token = await escrow.held(), await ground.usdc.balance(escrow.address)
    deposited = sum(chain.deposited.values()) - sum(chain.withdrawn.values())
    doubts.equal("held by the escrow, and its token balance", held, token)
    doubts.equal("held, and deposits less withdrawals", held, deposited)
    doubts.equal(
        "held, and balances with all that is owed", held, balances + sum(unclaimed.values())
    )
    doubts.equal(
        "deposits, and owners' ledger balances with fees", ledger + reckoning.fees_micros, deposited
    )
    doubts.true("the ledger and the escrow were compared", compared is not None)
    if compared is not None:
        doubts.equal("the ledger's usdc:chain, and held", compared.believed.held_micros, held)
        doubts.equal("their difference at the same block", compared.difference_micros, 0)
    books = await escrow.books()
    doubts.equal("the escrow's books: allotted", books.allotted, sum(reckoning.allotted.values()))
    doubts.equal("the escrow's books: settled", books.settled, books.allotted)
    return unclaimed
