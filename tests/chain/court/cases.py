"""A case before the court, as honest judges and an honest arena make it; tests bend it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chain.court import commitment as commitments
from chain.court import messages, reference, seed
from chain.court.commitment import Court
from chain.court.filing import Batch, Filing, case_id
from chain.court.snapshot import Snapshot, Staked, family_id
from chain.documents import case as cases
from chain.documents.case import CaseDocument, CaseSeat, CaseVerdict, Hearing
from chain.ethereum import Account, LocalAccount
from judges.court.draw import Candidate, draw
from judges.court.overturn import overturn_slash
from judges.court.reckoning import Question, Reckoning, reckon
from judges.court.terms import BPS, TERMS
from judges.panel import ranks
from judges.rubric import RAP_BATTLE

COURT = Court(31_337, "0x" + "c0" * 20)
LINES, CONTESTANTS = 4, 2
COMMIT_MS, REVEAL_MS = 1_764_000_001_000, 1_764_000_060_000
TX = "0x" + "7a" * 32
replace = msgspec.structs.replace

KEYS: dict[str, LocalAccount] = {}
for _number in range(40):
    _key = Account.from_key(hashlib.sha256(b"judge %d" % _number).digest())
    KEYS[_key.address] = _key
JUDGES = list(KEYS)
FAMILIES = [family_id(f"family-{number}") for number in range(8)]
SNAPSHOT = Snapshot(
    3,
    tuple(
        Staked(judge, JUDGES[-1 - at], FAMILIES[at % 8], (at + 1) * 10**21)
        for at, judge in enumerate(JUDGES)
    ),
)


def salt_of(*what: object) -> bytes:
    return hashlib.sha256(repr(what).encode()).digest()


def filing_of(session: str, transcript: bytes, hearing: int, seats: int, **changes: Any) -> Filing:
    made = Filing(
        case=case_id(session),
        hearing=hearing,
        transcript=hashlib.sha256(transcript).digest(),
        seats=seats,
        snapshot=SNAPSHOT.number,
        contestants=CONTESTANTS,
        weights=(1,) * LINES,
        prior=(5_500, 5_000, 4_800, 6_000),
        scale=2_000_000,
        fee=2_000,
        lock=10**18,
        margin=300,
        commit_s=60,
        reveal_s=60,
        reference=reference.commitment(salt_of("reference", hearing), None),
    )
    return replace(made, **changes)


def candidates_of(snapshot: Snapshot) -> list[Candidate]:
    return [
        Candidate(each.judge, each.operator, each.family.hex(), each.weight)
        for each in snapshot.judges
    ]


CANDIDATES = candidates_of(SNAPSHOT)


def question_of(filing: Filing) -> Question:
    return Question(
        weights=filing.weights,
        contestants=filing.contestants,
        prior=filing.prior,
        scale=filing.scale,
        seats=filing.seats,
        fee=filing.fee,
        lock=filing.lock,
    )


def sheet_of(judge: str, hearing: int, lead: int) -> list[list[int]]:
    """Near the others' opinion, none like another: the first contestant is `lead` thousandths ahead."""
    off = int(judge[2:6], 16) % 400
    return [[6_000 + lead + off + 10 * hearing, 6_000 + off + 7 * line] for line in range(LINES)]


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen in a hearing."""

    seats: int = 5
    lead: int = 900
    absent: int = 0
    """Of the panel, in its order, that do not commit."""
    unrevealed: int = 0
    """Of those who commit, that do not reveal."""
    audit: Sequence[int] | None = None
    end: str = "decided"
    chosen: tuple[list[str], list[str]] | None = None
    """Panel and reserves, in place of those that the seed draws."""
    sheet: Callable[[str, int, int], list[list[int]]] = sheet_of


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where it happens."""

    court: Court = COURT
    snapshot: Snapshot = SNAPSHOT
    key_of: Callable[[str], LocalAccount] = KEYS.__getitem__
    placed: Callable[[Filing], tuple[cases.Filed, bytes]] | None = None
    """Batch and seed; None: of a chain that is not there."""

    @property
    def judges(self) -> list[str]:
        return [each.judge for each in self.snapshot.judges]


NOWHERE = Stage()


def placed(filing: Filing) -> tuple[cases.Filed, bytes]:
    other = replace(filing, case=case_id("01J0000000000000000000BES1"), hearing=0)
    batch, number = Batch([other, filing]), 40 + filing.hearing
    filed = cases.Filed(number, 1, [each.hex() for each in batch.proof(1)])
    return filed, seed.seed_of(salt_of("block", filing.hearing), number)


def filing_for(
    session: str, transcript: bytes, number: int, sitting: Sitting, stage: Stage = NOWHERE
) -> Filing:
    return filing_of(
        session,
        transcript,
        number,
        sitting.seats,
        snapshot=stage.snapshot.number,
        reference=reference.commitment(salt_of("reference", number), sitting.audit),
    )


def hearing_of(
    session: str, transcript: bytes, number: int, sitting: Sitting, stage: Stage = NOWHERE
) -> Hearing:
    filing = filing_for(session, transcript, number, sitting, stage)
    filed, the_seed = (stage.placed or placed)(filing)
    candidates = candidates_of(stage.snapshot)
    drawn = draw(candidates, filing.seats, seed.words(the_seed, filing.case, number))
    panel, reserves = sitting.chosen or (
        [stage.judges[at] for at in drawn.seated],
        [stage.judges[at] for at in drawn.reserves],
    )
    absent = panel[: sitting.absent]
    sat = panel[sitting.absent :] + reserves[: sitting.absent]
    silent = sat[: sitting.unrevealed]
    shown = [each for each in sat if each not in silent]
    sheets = {judge: sitting.sheet(judge, number, sitting.lead) for judge in sat}
    found = reckon(question_of(filing), [cases.flat(sheets[each]) for each in shown], sitting.audit)
    failed = sitting.end == "failed"
    fields = cases.filing_fields(filing)
    sent = cases.linked(fields, _messages(stage, filing, sat, shown, sheets))
    return Hearing(
        filing=fields,
        filed=filed,
        seed=the_seed.hex(),
        panel=panel,
        reserves=reserves,
        messages=sent,
        medians_milli=[] if failed else rows(found.medians),
        totals_milli=[] if failed else list(found.totals),
        margin_milli=None if failed else found.margin,
        seats=_seats(filing, absent, sat, shown, found, failed=failed),
        reference=cases.Reference(salt_of("reference", number).hex(), list(sitting.audit or ())),
        end=sitting.end,  # type: ignore[arg-type]
        forced=False,
        note="",
        transactions=[cases.Transaction("file", TX)],
    )


def rows(sheet: Sequence[int]) -> list[list[int]]:
    return [list(sheet[at : at + CONTESTANTS]) for at in range(0, len(sheet), CONTESTANTS)]


def _messages(
    stage: Stage,
    filing: Filing,
    sat: Sequence[str],
    shown: Sequence[str],
    sheets: dict[str, list[list[int]]],
) -> list[cases.Message]:
    committed: list[cases.Message] = []
    revealed: list[cases.Message] = []
    for at, judge in enumerate(sat):
        salt = salt_of(judge, filing.hearing)
        reasons = [[f"line {line}, contestant {seat}" for seat in range(2)] for line in range(4)]
        digest = commitments.reasons_digest(reasons)
        shown_hash = commitments.scores_hash(cases.flat(sheets[judge]), digest)
        bound = commitments.commitment(
            stage.court, filing.case, filing.hearing, judge, shown_hash, salt
        )
        ordinal = 10 + filing.hearing
        commit = messages.Commit(filing.case, filing.hearing, bound, ordinal)
        committed.append(
            cases.Commitment(
                i=0,
                ms=COMMIT_MS + at,
                judge=judge,
                commitment=bound.hex(),
                ordinal=ordinal,
                sig=messages.sign(stage.key_of(judge), stage.court, commit),
                prev="",
            )
        )
        if judge not in shown:
            continue
        reveal = messages.Reveal(filing.case, filing.hearing, shown_hash, salt)
        revealed.append(
            cases.Shown(
                i=0,
                ms=REVEAL_MS + at,
                judge=judge,
                scores_milli=sheets[judge],
                reasons=reasons,
                reasons_digest=digest.hex(),
                salt=salt.hex(),
                sig=messages.sign(stage.key_of(judge), stage.court, reveal),
                prev="",
            )
        )
    return committed + revealed


def _seats(
    filing: Filing,
    absent: Sequence[str],
    sat: Sequence[str],
    shown: Sequence[str],
    found: Reckoning,
    *,
    failed: bool,
) -> list[CaseSeat]:
    means = dict(zip(shown, found.seats, strict=True))
    made = []
    for judge in (*absent, *sat):
        standing = "absent" if judge in absent else "revealed" if judge in means else "unrevealed"
        skill = pay = 0
        if standing == "absent":
            slash = filing.lock * TERMS.no_commit_bps // BPS
        elif standing == "unrevealed":
            skill, slash = TERMS.skill_floor, filing.lock * TERMS.no_reveal_bps // BPS
        else:
            seat = means[judge]
            skill, pay, slash = (0, 0, 0) if failed else (seat.skill, seat.pay, seat.slash)
        made.append(
            CaseSeat(
                judge=judge,
                standing=standing,  # type: ignore[arg-type]
                ordinal=None if standing == "absent" else 10 + filing.hearing,
                skill_ppm=skill,
                pay_micros=pay,
                slash=str(slash),
            )
        )
    return made


def fallen(hearing: Hearing, last: Hearing) -> Hearing:
    """With what its seats lose by what the case's last hearing came to."""
    filing = hearing.filing.filing()
    sheets = {
        each.judge: cases.flat(each.scores_milli)
        for each in hearing.messages
        if isinstance(each, cases.Shown)
    }
    seats = []
    for seat in hearing.seats:
        lost = int(seat.slash)
        if seat.judge in sheets:
            was, now = hearing.totals_milli, last.totals_milli
            own = overturn_slash(question_of(filing), sheets[seat.judge], was, now, filing.margin)
            lost = max(lost, own)
        seats.append(replace(seat, slash=str(lost)))
    return replace(hearing, seats=seats)


def case_of(
    session: str,
    transcript: bytes,
    cid: str,
    sittings: Sequence[Sitting] = (Sitting(),),
    escalations: int = 2,
    stage: Stage = NOWHERE,
) -> CaseDocument:
    """Of a rap battle whose transcript has this id."""
    hearings = [
        hearing_of(session, transcript, number, sitting, stage)
        for number, sitting in enumerate(sittings)
    ]
    decided = [at for at, each in enumerate(hearings) if each.end != "failed"]
    for at in decided[:-1]:
        hearings[at] = fallen(hearings[at], hearings[decided[-1]])
    verdict = None
    if decided:
        totals = hearings[decided[-1]].totals_milli
        verdict = CaseVerdict(decided[-1], totals, list(ranks(totals, RAP_BATTLE.tie_milli)))
    return cases.build(
        session=session,
        chain_id=stage.court.chain_id,
        court=stage.court.address,
        space="rap-battle",
        transcript=cid,
        rubric=RAP_BATTLE.id,
        lines=[each.name for each in RAP_BATTLE.lines],
        escalations=escalations,
        snapshots=[stage.snapshot],
        hearings=hearings,
        verdict=verdict,
        closed_ms=REVEAL_MS + 60_000,
    )
