"""The documents of one session, checked against each other and against the rules. Pure.

What is believed: the rules in this checkout, SHA-256, and where it came from, the CID or the root that the caller names.
Nothing that the arena says is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.epoch import EpochDocument
from chain.documents.form import DocumentError, digest_of
from chain.documents.payouts import PayoutsDocument
from chain.documents.result import ResultDocument
from chain.verify.finding import Finding, Standing, false, true, unchecked
from spaces import registry, transcript
from spaces.transcript import Replayed, Transcript, TranscriptError
from spaces.transcript.checks import check_hashes

CidOf = Callable[[bytes], str]
"""The CIDv1 of one raw block."""


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched, as bytes; None: it could not be had, and why is in `missing`."""

    transcript: bytes | None = None
    result: bytes | None = None
    epoch: bytes | None = None
    payouts: bytes | None = None
    """The newest epoch's, or that of the session's."""
    case: bytes | None = None
    """The court's file of the session."""
    court_epoch: bytes | None = None
    """The court's epoch that has anchored it."""
    missing: dict[str, str] = {}
    kept: tuple[str, ...] = ()
    """Those that a content store gave under their ids."""
    lost: dict[str, str] = {}
    """Those that it was to have, and has not: its answer."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller wants to know about."""

    session: str | None = None
    """None: whichever the documents name."""
    cid: str | None = None
    """Of the transcript, from wherever the caller has it; None: the result's word."""
    entry_micros: Callable[[int], int]
    """What each seat pays in a fee tier."""


def check(documents: Documents, asked: Asked, cid_of: CidOf) -> list[Finding]:
    """All that can be said, in the order in which one thing rests on the other."""
    return list(findings(documents, asked, cid_of))


def findings(documents: Documents, asked: Asked, cid_of: CidOf) -> Iterator[Finding]:
    """The same, each when it is known: a long session is replayed for seconds."""
    yield from _kept(documents)
    played = _Played(asked, cid_of)
    yield from played.look(documents)
    came = _Came(documents, asked, played)
    yield from came.findings
    yield from _epoch(documents, came.result)
    yield from _payouts(documents, came.result)


def _kept(documents: Documents) -> list[Finding]:
    """Whether a content store has what it is said to have; nothing where none was asked."""
    if documents.lost:
        words = "; ".join(f"{name}: {why}" for name, why in documents.lost.items())
        return [false("pinned", f"not under its id in the content store: {words}")]
    if documents.kept:
        return [
            true("pinned", f"{', '.join(documents.kept)}: under their ids in the content store")
        ]
    return []


class _Played:
    """The transcript."""

    def __init__(self, asked: Asked, cid_of: CidOf) -> None:
        self.read: Transcript | None = None
        self.replayed: Replayed | None = None
        self.cid: str | None = None
        self._asked = asked
        self._cid_of = cid_of

    def look(self, documents: Documents) -> Iterator[Finding]:
        raw = documents.transcript
        if raw is None:
            yield unchecked("transcript", documents.missing.get("transcript", "it was not given"))
            return
        self.cid = self._cid_of(raw)
        yield self._content_id(self._asked.cid)
        form = self._form(raw, self._asked.session)
        yield form
        if form.standing is Standing.TRUE:
            yield from self._replay()

    def _content_id(self, wanted: str | None) -> Finding:
        if wanted is None:
            return true("content id", f"{self.cid}, by the bytes")
        if wanted == self.cid:
            return true("content id", f"the bytes are those of {wanted}")
        return false("content id", f"the bytes are those of {self.cid}, not of {wanted}")

    def _form(self, raw: bytes, session: str | None) -> Finding:
        try:
            self.read = transcript.read(raw)
        except TranscriptError as error:
            return false("transcript", str(error))
        if session is not None and self.read.session != session:
            words = f"it is of session {self.read.session}, not of {session}"
            return false("transcript", words)
        count = len(self.read.entries)
        words = f"canonical {transcript.VERSION} of session {self.read.session}, {count} entries"
        return true("transcript", words)

    def _replay(self) -> Iterator[Finding]:
        assert self.read is not None
        try:
            registry.get_known(self.read.space)
        except registry.UnknownSpace as error:
            yield self._unknown(str(error))
            return
        try:
            self.replayed = transcript.replay(self.read)
        except TranscriptError as error:
            yield false("replay", str(error))
            return
        words = "chain of entries, Merkle root, seed commitment, every action by the rules"
        outcome = self.replayed.outcome.termination
        yield true("replay", f"{words} of {self.read.rules}: {outcome}")
        if isinstance(self.read.sig, msgspec.UnsetType):
            words = "not signed: the arena that sealed it has no chain"
        else:
            words = f"by {self.read.sig.signer}: needs a chain (--rpc) to know whose key that is"
        yield unchecked("signature", words)

    def _unknown(self, why: str) -> Finding:
        """The rules are not here; the hashes need none."""
        assert self.read is not None
        try:
            check_hashes(self.read)
        except TranscriptError as error:
            return false("replay", str(error))
        return unchecked("replay", f"entries and root hold, but {why}")


class _Came:
    """The result."""

    def __init__(self, documents: Documents, asked: Asked, played: _Played) -> None:
        self.findings: list[Finding] = []
        self.result: ResultDocument | None = None
        self._played = played
        raw = documents.result
        if raw is None:
            why = documents.missing.get("result", "it was not given")
            self.findings.append(unchecked("result", why))
            return
        try:
            self.result = results.read(raw)
        except DocumentError as error:
            self.findings.append(false("result", str(error)))
            return
        self.findings.append(self._names(self.result))
        if self.findings[-1].standing == "true":
            self.findings += [
                self._seats(self.result),
                self._ranks(self.result),
                _seats_signed(self.result),
                self._money(self.result, asked),
                *self._rest(self.result),
            ]

    def _names(self, result: ResultDocument) -> Finding:
        read, cid = self._played.read, self._played.cid
        if read is None:
            return true("result", f"canonical {results.VERSION}; nothing to hold it against")
        if result.session != read.session or result.space != read.space:
            return false("result", f"it is of {result.space} session {result.session}")
        if result.transcript != cid:
            return false("result", f"it names transcript {result.transcript}, not {cid}")
        return true("result", f"canonical {results.VERSION}, of this transcript")

    def _seats(self, result: ResultDocument) -> Finding:
        read = self._played.read
        if read is None:
            return unchecked("seats", "no transcript with commitments")
        if len(read.seats) != len(result.seats):
            return false(
                "seats", f"{len(result.seats)} seats, the transcript has {len(read.seats)}"
            )
        for sealed, seat in zip(read.seats, result.seats, strict=True):
            if transcript.seat_commit(seat.version, bytes.fromhex(seat.salt)) != sealed.commit:
                words = (
                    f"seat {seat.seat}: {seat.version} with its salt does not open the commitment"
                )
                return false("seats", words)
        return true("seats", f"{len(result.seats)} salts open the commitments to the versions")

    def _ranks(self, result: ResultDocument) -> Finding:
        replayed = self._played.replayed
        if replayed is None:
            return unchecked("ranks", "no transcript that holds")
        void = replayed.outcome == transcript.VOID
        returns = replayed.outcome.returns
        if result.status == "void":
            if void:
                return true("ranks", "void, as it was played: nobody is ranked")
            return unchecked("ranks", f"voided after play, by the arena's word: {result.reason}")
        if void:
            return false("ranks", "the session was void, and the result ranks it")
        if returns is None:
            return self._judged(result)
        if result.verdict is not None:
            return false("ranks", "the rules decided, and the result names judges")
        due = [1 + sum(other > mine for other in returns) for mine in returns]
        if result.ranks != due:
            return false("ranks", f"{result.ranks}, the rules say {due}")
        return true("ranks", f"{result.ranks}, as the rules' returns {list(returns)} say")

    def _judged(self, result: ResultDocument) -> Finding:
        if result.verdict is None:
            return false("ranks", "the rules leave it to judges, and the result names none")
        if result.verdict.case is None:
            words = f"{result.ranks} by the arena's own judge: there is no court's file to check"
        else:
            words = f"{result.ranks} by the court, whose file is {result.verdict.case}"
        return unchecked("ranks", words)

    def _money(self, result: ResultDocument, asked: Asked) -> Finding:
        try:
            results.check_money(result, asked.entry_micros(result.tier_micros))
        except DocumentError as error:
            return false("money", str(error))
        pot = results.pot_of(result)
        if not pot:
            return true("money", "nothing was at stake")
        how = "given back" if result.status == "void" else "paid out by the ranks and the table"
        return true("money", f"a pot of {_amount(pot, result.tier_micros)}, {how}, to the micro")

    def _rest(self, result: ResultDocument) -> Sequence[Finding]:
        signed = not isinstance(result.sig, msgspec.UnsetType)
        return (
            unchecked("result signature", "needs a chain (--rpc)" if signed else "not signed"),
            unchecked(
                "ratings", "follow from all results of the versions: `agon results check FILE`"
            ),
        )


def _seats_signed(result: ResultDocument) -> Finding:
    signed = [each.seat for each in result.seats if not isinstance(each.sig, msgspec.UnsetType)]
    if not signed:
        return unchecked("seat signatures", "no seat has signed what it played")
    words = f"{len(signed)} of {len(result.seats)} seats have signed: needs a chain (--rpc)"
    return unchecked("seat signatures", words)


def in_usdc(micros: int, unit: str = "USDC") -> str:
    """`0.95 USDC`; as many decimals as it takes, two at least."""
    whole, fraction = divmod(micros, 1_000_000)
    decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals} {unit}"


def _amount(micros: int, tier_micros: int) -> str:
    return in_usdc(micros, "USDC" if tier_micros else "play dollars")


def _epoch(documents: Documents, result: ResultDocument | None) -> list[Finding]:
    raw = documents.epoch
    if raw is None:
        return [unchecked("epoch", documents.missing.get("epoch", "it was not given"))]
    try:
        epoch = epochs.read(raw)
    except DocumentError as error:
        return [false("epoch", str(error))]
    held = unchecked(
        "root", "needs a chain (--rpc): whether the escrow holds it, nobody else can say"
    )
    if result is None:
        return [unchecked("epoch", "no result to look for in it"), held]
    return [_included(epoch, result), held]


def _included(epoch: EpochDocument, result: ResultDocument) -> Finding:
    digest = digest_of(result)
    found = next((each for each in epoch.results if each.session == result.session), None)
    if found is None:
        return false("epoch", f"epoch {epoch.epoch} does not hold session {result.session}")
    if found.digest != digest:
        return false("epoch", f"epoch {epoch.epoch} holds another result of this session")
    return true("epoch", f"in the root of epoch {epoch.epoch}")


def winnings(result: ResultDocument) -> dict[str, int]:
    """What the result pays to wallets behind seats, micros, by address in lower case."""
    wallets = {f"usdc:agent:{seat.agent}": seat.wallet for seat in result.seats}
    found: dict[str, int] = {}
    for each in result.payouts_micros:
        wallet = wallets.get(each.to)
        if wallet is not None:
            found[wallet.lower()] = found.get(wallet.lower(), 0) + each.amount
    return found


def _payouts(documents: Documents, result: ResultDocument | None) -> list[Finding]:
    """The leaves of the pay-out tree: by themselves, against the session's epoch, and against its result."""
    what = "pay-out tree"
    if documents.payouts is None:
        why = documents.missing.get("payouts")
        return [] if why is None else [unchecked(what, why)]
    try:
        payouts, tree = payout_documents.read(documents.payouts)
    except DocumentError as error:
        return [false(what, str(error))]
    try:
        epoch = None if documents.epoch is None else epochs.read(documents.epoch)
    except DocumentError:
        epoch = None  # said already
    if epoch is not None and (wrong := _of_epoch(payouts, tree.total, epoch)):
        return [false(what, wrong)]
    if result is None or epoch is None or result.status != "settled":
        return [true(what, f"{len(payouts.accounts)} wallets up to epoch {payouts.epoch}")]
    allotted = dict(payouts.accounts)
    for wallet, micros in winnings(result).items():
        if allotted.get(wallet, 0) < micros:
            words = f"{wallet} won {in_usdc(micros)}, and may claim {in_usdc(allotted.get(wallet, 0))} in all"
            return [false(what, words)]
    words = f"whoever won may claim that much in all, by the tree of epoch {payouts.epoch}"
    return [true(what, words)]


def _of_epoch(payouts: PayoutsDocument, total: int, epoch: EpochDocument) -> str:
    """What is wrong with the leaves beside the session's epoch; empty: nothing."""
    where = (payouts.chain_id, payouts.escrow.lower())
    if where != (epoch.chain_id, epoch.escrow.lower()):
        return f"it is of escrow {payouts.escrow} on chain {payouts.chain_id}"
    if payouts.epoch < epoch.epoch:
        return f"it is of epoch {payouts.epoch}, and the session of epoch {epoch.epoch}"
    if payouts.epoch == epoch.epoch and (payouts.root, total) != (
        epoch.payouts.root,
        epoch.payouts.total_micros,
    ):
        return f"epoch {epoch.epoch} names another tree: {epoch.payouts.root[:16]}…"
    if total < epoch.payouts.total_micros:
        return f"it allots {total} micros, and epoch {epoch.epoch} {epoch.payouts.total_micros}"
    return ""
