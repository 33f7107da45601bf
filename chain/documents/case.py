"""`agon-case/1`: what the court did with one session, so that anybody can do it again. Pure.

One document a session, with its hearings in order: what each was about (filed before anybody was drawn), who was drawn, what the
judges sent in the order in which it came, and what that came to. FRAC has more digits than JSON's numbers carry safely, so
amounts of it are decimal text in its smallest part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.court.anchor import inputs_hash
from chain.court.anchor import verdict_hash as anchored_hash
from chain.court.filing import Filing
from chain.court.snapshot import MAX_JUDGES, Snapshot, snapshot_of
from chain.documents import form
from chain.documents.form import Address, Cid, Count, DocumentError, Hex32, Name, Signature
from spaces import canonical

VERSION = "agon-case/1"
MAX_BYTES = 1 << 20
"""One raw block: its SHA-256 is in its CID and in the leaves of the epoch's anchor."""
MAX_HEARINGS = 8
MAX_PANEL = 31
MAX_LINES = 8
MAX_CONTESTANTS = 8
MAX_REASON = 600
"""Characters that a judge may say for one score."""
MAX_REASONS_BYTES = 6_144
"""Of the canonical JSON of one judge's reasons: six hearings of the largest panels stay below MAX_BYTES."""

Number = Annotated[int, Meta(ge=-canonical.MAX_INTEGER, le=canonical.MAX_INTEGER)]
Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,38})\Z")]
Score = Annotated[int, Meta(ge=0, le=10_000)]
Signed = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{130}\Z")]
TxHash = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
Words = Annotated[str, Meta(max_length=1_024)]
Scores = Annotated[
    list[Annotated[list[Score], Meta(min_length=1, max_length=MAX_CONTESTANTS)]],
    Meta(min_length=1, max_length=MAX_LINES),
]
"""By line of the rubric, then by contestant; thousandths of a point."""
Reasons = Annotated[
    list[
        Annotated[
            list[Annotated[str, Meta(max_length=MAX_REASON)]],
            Meta(min_length=1, max_length=MAX_CONTESTANTS),
        ]
    ],
    Meta(min_length=1, max_length=MAX_LINES),
]


class FilingFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`chain.court.filing.Filing` in JSON."""

    case: Hex32
    hearing: Count
    transcript: Hex32
    seats: Annotated[int, Meta(ge=1, le=MAX_PANEL)]
    snapshot: Count
    contestants: Annotated[int, Meta(ge=1, le=MAX_CONTESTANTS)]
    weights: Annotated[
        list[Annotated[int, Meta(ge=1, le=255)]], Meta(min_length=1, max_length=MAX_LINES)
    ]
    prior: Annotated[list[Score], Meta(min_length=1, max_length=MAX_LINES)]
    scale: Annotated[int, Meta(ge=1, le=canonical.MAX_INTEGER)]
    fee: Count
    lock: Amount
    margin: Count
    commit_s: Count
    reveal_s: Count
    reference: Hex32

    def filing(self) -> Filing:
        return Filing(
            case=bytes.fromhex(self.case),
            hearing=self.hearing,
            transcript=bytes.fromhex(self.transcript),
            seats=self.seats,
            snapshot=self.snapshot,
            contestants=self.contestants,
            weights=tuple(self.weights),
            prior=tuple(self.prior),
            scale=self.scale,
            fee=self.fee,
            lock=int(self.lock),
            margin=self.margin,
            commit_s=self.commit_s,
            reveal_s=self.reveal_s,
            reference=bytes.fromhex(self.reference),
        )


class Filed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the filing stands on the chain."""

    batch: Count
    """The contract's number. A hearing that the contract has made (after a forced one, by an appeal) is a batch by itself."""
    index: Count
    """The filing's place in the batch, as the arena counts; the proof needs none."""
    proof: Annotated[list[Hex32], Meta(max_length=16)]
    """From the leaf's sibling up."""


class Commitment(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="commit",
):
    """What a judge has bound itself to, by its signature (`chain.court.messages.Commit`)."""

    i: Count
    """Its place among the hearing's messages."""
    ms: Count
    """When it came, Unix, by the arena's clock."""
    judge: Address
    commitment: Hex32
    ordinal: Count
    sig: Signed | None
    """None: it was brought onto the chain, which has checked it, and what was signed is not at hand."""
    prev: Hex32
    """SHA-256 of the canonical bytes of the message before; of the first one, of the filing."""


class Shown(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="reveal",
):
    """What it was (`chain.court.messages.Reveal`)."""

    i: Count
    ms: Count
    judge: Address
    scores_milli: Scores
    reasons: Reasons | None
    """None: it was brought on the chain by force, which has their digest alone."""
    reasons_digest: Hex32
    salt: Hex32
    sig: Signed | None
    """None: it was brought onto the chain, where the commitment alone says whose it is."""
    prev: Hex32


Message = Commitment | Shown


class CaseSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a hearing means for one of its judges: of the panel, and of the reserves that were called, in the order of the draw."""

    judge: Address
    standing: Literal["revealed", "unrevealed", "absent"]
    """Committed and revealed; committed alone; neither."""
    ordinal: Count | None
    """As it has signed it; null where it did not commit."""
    skill_ppm: Number
    pay_micros: Number
    slash: Amount


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The opening of the filing's `reference`."""

    salt: Hex32
    sheet: Annotated[list[Score], Meta(max_length=MAX_LINES * MAX_CONTESTANTS)]
    """An audit's answer, by line, then by contestant; empty: the hearing was none."""


class Transaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: Annotated[str, Meta(min_length=1, max_length=32)]
    """`file`, `seed`, `force`, `draw`, `commit`, `reveal`, `replace`, `finalize`, `appeal`."""
    tx: TxHash


class Hearing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One panel's look at the case."""

    filing: FilingFields
    filed: Filed
    seed: Hex32
    panel: Annotated[list[Address], Meta(max_length=MAX_PANEL)]
    """In the order of the draw."""
    reserves: Annotated[list[Address], Meta(max_length=MAX_PANEL)]
    messages: Annotated[list[Message], Meta(max_length=4 * MAX_PANEL)]
    """In the order in which they came."""
    medians_milli: Annotated[
        list[Annotated[list[Score], Meta(max_length=MAX_CONTESTANTS)]], Meta(max_length=MAX_LINES)
    ]
    """As a sheet; empty where the hearing has failed, as the next one."""
    totals_milli: Annotated[list[Score], Meta(max_length=MAX_CONTESTANTS)]
    margin_milli: Count | None
    seats: Annotated[list[CaseSeat], Meta(max_length=2 * MAX_PANEL)]
    reference: Reference | None
    """None: not opened."""
    end: Literal["decided", "escalated", "appealed", "failed"]
    """`escalated` and `appealed`: decided, and looked at again."""
    forced: bool
    """The contract has adjudicated it: what stands there is what counts."""
    note: Words
    transactions: Annotated[list[Transaction], Meta(max_length=256)]


class CaseSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lists of a snapshot that a hearing was drawn from."""

    number: Count
    digest: Hex32
    """As the registry keeps it."""
    judges: Annotated[list[tuple[Address, Address, Hex32, Amount]], Meta(max_length=MAX_JUDGES)]
    """(judge, operator, family, weight), in the registry's order."""

    def lists(self) -> Snapshot:
        rows = self.judges
        return snapshot_of(
            self.number,
            [each[0] for each in rows],
            [each[1] for each in rows],
            [bytes.fromhex(each[2]) for each in rows],
            [int(each[3]) for each in rows],
        )


class CaseVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands: the last decided hearing's."""

    hearing: Count
    totals_milli: Annotated[list[Score], Meta(min_length=1, max_length=MAX_CONTESTANTS)]
    ranks: Annotated[list[Count], Meta(min_length=1, max_length=MAX_CONTESTANTS)]


class CaseDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-case/1"] = "agon-case/1"
    session: Name
    chain_id: Count
    court: Address
    """The contract."""
    space: Name
    transcript: Cid
    rubric: Name
    lines: Annotated[list[Name], Meta(min_length=1, max_length=MAX_LINES)]
    """Names of the rubric's lines."""
    escalations: Count
    """The arena's term: how often a close case goes to a bigger panel, at most."""
    snapshots: Annotated[list[CaseSnapshot], Meta(max_length=MAX_HEARINGS)]
    """That the hearings name, each once, by number."""
    hearings: Annotated[list[Hearing], Meta(min_length=1, max_length=MAX_HEARINGS)]
    verdict: CaseVerdict | None
    """None: no hearing has decided, and the session is void."""
    closed_ms: Count
    sig: Signature | UnsetType = UNSET


def build(
    *,
    session: str,
    chain_id: int,
    court: str,
    space: str,
    transcript: str,
    rubric: str,
    lines: Sequence[str],
    escalations: int,
    snapshots: Iterable[Snapshot],
    hearings: Sequence[Hearing],
    verdict: CaseVerdict | None,
    closed_ms: int,
) -> CaseDocument:
    """The document, unsigned, of hearings whose messages are `linked`; the same arguments give the same bytes. Raises
    DocumentError where it would not be read again: what does not fit, or is out of order."""
    listed = {each.number: snapshot_fields(each) for each in snapshots}
    document = CaseDocument(
        session=session,
        chain_id=chain_id,
        court=court,
        space=space,
        transcript=transcript,
        rubric=rubric,
        lines=list(lines),
        escalations=escalations,
        snapshots=[listed[number] for number in sorted(listed)],
        hearings=list(hearings),
        verdict=verdict,
        closed_ms=closed_ms,
    )
    return read(form.encode(document))


def encode(document: CaseDocument) -> bytes:
    """The canonical bytes: what is served, pinned, and named in the anchor's leaves."""
    return form.encode(document)


def read(document: bytes) -> CaseDocument:
    """From its stored bytes, which may come from anybody: its form, and that everything in it has the shape that the filing
    asks for. What is true of it, `chain.verify.court` says. Raises DocumentError."""
    case = form.read(document, CaseDocument, version=VERSION, max_bytes=MAX_BYTES)
    check(case)
    return case


def check(case: CaseDocument) -> None:
    """Raises DocumentError."""
    numbers = [each.number for each in case.snapshots]
    if numbers != sorted(set(numbers)):
        raise DocumentError("snapshots are not in order, each once")
    for number, hearing in enumerate(case.hearings):
        if hearing.filing.hearing != number:
            raise DocumentError(f"hearing {hearing.filing.hearing} stands where {number} would")
        if hearing.filing.snapshot not in numbers:
            raise DocumentError(f"hearing {number}: snapshot {hearing.filing.snapshot} is left out")
        _check_shapes(hearing, len(case.lines))
    _check_verdict(case)


def linked(filing: FilingFields, messages: Sequence[Message]) -> list[Message]:
    """With `i` and `prev` filled in, in this order."""
    prev = canonical.sha256(msgspec.to_builtins(filing))
    found: list[Message] = []
    for number, message in enumerate(messages):
        found.append(msgspec.structs.replace(message, i=number, prev=prev))
        prev = message_digest(found[-1])
    return found


def message_digest(message: Message) -> str:
    """What the next message's `prev` is."""
    return canonical.sha256(msgspec.to_builtins(message))


def filing_fields(filing: Filing) -> FilingFields:
    """In JSON's words."""
    return FilingFields(
        case=filing.case.hex(),
        hearing=filing.hearing,
        transcript=filing.transcript.hex(),
        seats=filing.seats,
        snapshot=filing.snapshot,
        contestants=filing.contestants,
        weights=list(filing.weights),
        prior=list(filing.prior),
        scale=filing.scale,
        fee=filing.fee,
        lock=str(filing.lock),
        margin=filing.margin,
        commit_s=filing.commit_s,
        reveal_s=filing.reveal_s,
        reference=filing.reference.hex(),
    )


def snapshot_fields(snapshot: Snapshot) -> CaseSnapshot:
    return CaseSnapshot(
        snapshot.number,
        snapshot.digest().hex(),
        [
            (each.judge, each.operator, each.family.hex(), str(each.weight))
            for each in snapshot.judges
        ],
    )


def verdict_hash(hearing: Hearing) -> bytes:
    """What the CASE leaf of a hearing says that it came to, and by which messages; of one that has failed: to nothing."""
    order = {each.lower(): at for at, each in enumerate((*hearing.panel, *hearing.reserves))}
    bound = {
        each.judge: each.commitment for each in hearing.messages if isinstance(each, Commitment)
    }
    shown = {each.judge for each in hearing.messages if isinstance(each, Shown)} & bound.keys()
    judges = sorted(shown, key=lambda judge: order.get(judge.lower(), len(order)))
    inputs = inputs_hash(judges, [bytes.fromhex(bound[judge]) for judge in judges])
    medians, margin = flat(hearing.medians_milli), hearing.margin_milli or 0
    return anchored_hash(medians, hearing.totals_milli, margin, inputs)


def document_digest(document: bytes) -> bytes:
    """SHA-256 of the block: what the anchor's leaves name, and what is in its CID."""
    return hashlib.sha256(document).digest()


def check_reasons(reasons: Sequence[Sequence[str]], lines: int, contestants: int) -> None:
    """Whether a judge's reasons fit a case's document. Raises ValueError, which says how much is too much."""
    if len(reasons) != lines or any(len(each) != contestants for each in reasons):
        raise ValueError(f"reasons are {lines} lines of {contestants} texts")
    longest = max(len(text) for each in reasons for text in each)
    if longest > MAX_REASON:
        raise ValueError(f"a reason of {longest} characters, at most {MAX_REASON}")
    size = len(canonical.encode([list(each) for each in reasons]))
    if size > MAX_REASONS_BYTES:
        raise ValueError(f"{size} bytes of reasons, at most {MAX_REASONS_BYTES}")


def flat(scores: Sequence[Sequence[int]]) -> list[int]:
    """A sheet: by line, then by contestant."""
    return [score for line in scores for score in line]


def _check_shapes(hearing: Hearing, lines: int) -> None:
    filing, number = hearing.filing, hearing.filing.hearing
    if len(filing.weights) != lines or len(filing.prior) != lines:
        raise DocumentError(f"hearing {number}: {lines} lines have as many weights and priors")
    for message in hearing.messages:
        if isinstance(message, Shown):
            _check_sheet(message.scores_milli, filing, f"message {message.i} of hearing {number}")
            if message.reasons is not None:
                try:
                    check_reasons(message.reasons, lines, filing.contestants)
                except ValueError as error:
                    raise DocumentError(
                        f"message {message.i} of hearing {number}: {error}"
                    ) from None
    failed = hearing.end == "failed"
    if failed != (not hearing.medians_milli) or failed != (hearing.margin_milli is None):
        raise DocumentError(f"hearing {number} is {hearing.end}, and its medians say otherwise")
    if not failed:
        _check_sheet(hearing.medians_milli, filing, f"medians of hearing {number}")
    if len(hearing.totals_milli) != (0 if failed else filing.contestants):
        raise DocumentError(f"hearing {number}: a total for each contestant, or none")
    size = lines * filing.contestants
    if hearing.reference is not None and len(hearing.reference.sheet) not in (0, size):
        raise DocumentError(f"hearing {number}: a reference has {size} scores, or none")


def _check_sheet(scores: Sequence[Sequence[int]], filing: FilingFields, what: str) -> None:
    if [len(each) for each in scores] != [filing.contestants] * len(filing.weights):
        raise DocumentError(
            f"{what}: a sheet is {len(filing.weights)} lines of {filing.contestants} scores"
        )


def _check_verdict(case: CaseDocument) -> None:
    verdict = case.verdict
    if verdict is None:
        return
    if verdict.hearing >= len(case.hearings):
        raise DocumentError(f"the verdict is of hearing {verdict.hearing}, which is not there")
    contestants = case.hearings[verdict.hearing].filing.contestants
    if not len(verdict.totals_milli) == len(verdict.ranks) == contestants:
        raise DocumentError(f"the verdict is not of {contestants} contestants")
