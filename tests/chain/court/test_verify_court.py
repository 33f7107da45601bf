"""An honest case holds, line by line; every lie about a case is told by the line that it belongs to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from chain import payouts
from chain.court import commitment as commitments
from chain.court import messages, reference
from chain.court.anchor import NO_ORDINAL
from chain.court.filing import Batch, case_id
from chain.documents import case as cases
from chain.documents import court_epoch as court_epochs
from chain.documents.case import CaseDocument, Commitment, Hearing, Message, Shown
from chain.documents.form import encode
from chain.documents.result import Fees, Payout, ResultDocument, ResultVerdict
from chain.verify.court.findings import findings
from chain.verify.finding import Finding, Standing, lies, merged
from chain.verify.report import report, summary
from chain.verify.session import Documents, check
from judges.rubric import RAP_BATTLE
from server.court.recount import Recount
from spaces import registry, transcript
from tests.chain.court.cases import (
    COURT,
    JUDGES,
    KEYS,
    Sitting,
    case_of,
    filing_of,
    replace,
    salt_of,
    sheet_of,
)
from tests.chain.documents_of import TIER, asked, cid_of, result_of
from tests.conformance.rig import play

SESSION = play(registry.get("rap-battle"), {"rounds": 1}, 3)
PLAYED = SESSION.document()
ID = transcript.read(PLAYED).session


def case(*sittings: Sitting, escalations: int = 2) -> CaseDocument:
    return case_of(ID, PLAYED, cid_of(PLAYED), sittings or (Sitting(),), escalations)


def result(document: CaseDocument) -> ResultDocument:
    assert document.verdict is not None
    hearing = document.hearings[document.verdict.hearing]
    shown = [each.judge for each in hearing.seats if each.standing == "revealed"]
    verdict = ResultVerdict(
        cid_of(cases.encode(document)), RAP_BATTLE.id, hearing.medians_milli, shown
    )
    made = result_of(SESSION, PLAYED)
    split = payouts.split([TIER, TIER], document.verdict.ranks)
    return replace(
        made,
        verdict=verdict,
        ranks=document.verdict.ranks,
        payouts_micros=[
            Payout(f"usdc:agent:{seat.agent}", amount)
            for seat, amount in zip(made.seats, split.payouts, strict=True)
            if amount
        ],
        fees_micros=Fees(split.fees.protocol, split.fees.judges, split.fees.operators),
    )


def epoch(*documents: CaseDocument) -> bytes:
    lines = [
        court_epochs.HearingLine(
            session=document.session,
            hearing=hearing.filing.hearing,
            verdict=cases.verdict_hash(hearing).hex(),
            document=cases.document_digest(cases.encode(document)).hex(),
            seats=[
                court_epochs.SeatLine(
                    each.judge.lower(),
                    NO_ORDINAL if each.ordinal is None else each.ordinal,
                    each.skill_ppm,
                    each.pay_micros,
                    each.slash,
                )
                for each in hearing.seats
            ],
        )
        for document in documents
        for hearing in document.hearings
    ]
    first = documents[0]
    return encode(court_epochs.build(1, first.chain_id, first.court, 1_764_000_000_000, lines, {}))


def documents(document: CaseDocument, **changes: Any) -> Documents:
    """Result and epoch made anew over the case, true or not: only the lie's own line can tell it."""
    made = Documents(
        transcript=PLAYED,
        result=encode(result(document)),
        case=cases.encode(document),
        court_epoch=epoch(document),
    )
    return replace(made, **changes)


def found(given: Documents) -> list[Finding]:
    before = check(given, asked(), cid_of)
    return merged(before, list(findings(given, Recount(), cid_of)))


HONEST = case()
AUDIT = [7_000, 5_000] * 4
LINES = [
    "case",
    "filing",
    "snapshot",
    "panel",
    "messages",
    "commitments",
    "reveals",
    "standings",
    "reference",
    "scores",
    "judges' pay",
    "escalation",
    "verdict",
    "ranks",
    "anchor",
]


def torn(judge: str, hearing: int, lead: int) -> list[list[int]]:
    """A panel of which the first half is for one, and the other for the other."""
    rows = sheet_of(judge, hearing, 0)
    return [[first + (lead if int(judge[-1], 16) % 2 else -lead), second] for first, second in rows]


TRUE: dict[str, CaseDocument] = {
    "a clear winner": HONEST,
    "a draw that nobody is to look at again": case(Sitting(lead=-200), escalations=0),
    "two who stay away, and are replaced": case(Sitting(absent=2)),
    "one who hides its sheet": case(Sitting(unrevealed=1)),
    "a close one, and a bigger panel": case(Sitting(lead=0, end="escalated"), Sitting(seats=11)),
    "a panel that failed, and another": case(
        Sitting(absent=2, unrevealed=3, end="failed"), Sitting()
    ),
    "an appeal that found another winner": case(
        Sitting(lead=900, end="appealed"), Sitting(seats=11, lead=-900)
    ),
    "an audit": case(Sitting(audit=AUDIT)),
    "a panel that is torn": case(Sitting(sheet=torn, lead=4_000)),
}


@pytest.mark.parametrize("name", TRUE)
def test_an_honest_case_holds(name: str) -> None:
    told = found(documents(TRUE[name]))
    assert lies(told) == [], report(told)
    standings = {each.what: each.standing for each in told}
    assert {standings[line] for line in LINES} == {Standing.TRUE}, report(told)


def test_an_overturned_panel_pays_for_it() -> None:
    hearing, last = APPEALED.hearings
    lock = hearing.filing.lock
    assert {each.slash for each in hearing.seats if each.standing == "revealed"} == {lock}
    assert {each.slash for each in last.seats} == {"0"}
    told = found(documents(of_seat(APPEALED, slash="0")))
    assert [each.what for each in lies(told)] == ["judges' pay"]


def test_a_case_that_nobody_gives_is_not_said_to_be_checked() -> None:
    told = found(documents(HONEST, case=None, missing={"case": "nobody has it"}))
    standings = {each.what: each for each in told}
    assert standings["case"].standing is Standing.UNCHECKED
    assert standings["ranks"].standing is Standing.UNCHECKED
    assert "nobody has it" in report(told)


def test_where_no_court_sat_no_line_of_it_is_told() -> None:
    bare = encode(result_of(SESSION, PLAYED))
    assert not list(findings(Documents(transcript=PLAYED, result=bare), Recount(), cid_of))


# Lies. Each is as consistent as a liar could make it: messages are linked anew, result and epoch made over it.


def with_hearing(document: CaseDocument, number: int = 0, **changes: Any) -> CaseDocument:
    hearings = list(document.hearings)
    hearings[number] = replace(hearings[number], **changes)
    return replace(document, hearings=hearings)


def relinked(hearing: Hearing, messages: Sequence[Message]) -> Hearing:
    return replace(hearing, messages=cases.linked(hearing.filing, messages))


def with_messages(
    document: CaseDocument, change: Callable[[list[Message]], object], *, link: bool = True
) -> CaseDocument:
    sent = list(document.hearings[0].messages)
    change(sent)
    hearing = document.hearings[0]
    hearing = relinked(hearing, sent) if link else replace(hearing, messages=sent)
    return replace(document, hearings=[hearing, *document.hearings[1:]])


def put(at: int, **changes: Any) -> Callable[[list[Message]], None]:
    def change(sent: list[Message]) -> None:
        sent[at] = replace(sent[at], **changes)

    return change


def resigned(document: CaseDocument, by: str, sheet: list[list[int]]) -> CaseDocument:
    """A judge's sheet changed by somebody that has its key, but not its commitment."""

    def change(sent: list[Message]) -> None:
        at = next(
            at for at, each in enumerate(sent) if isinstance(each, Shown) and each.judge == by
        )
        shown = sent[at]
        assert isinstance(shown, Shown)
        digest = bytes.fromhex(shown.reasons_digest)
        scores_hash = commitments.scores_hash(cases.flat(sheet), digest)
        filing = document.hearings[0].filing.filing()
        message = messages.Reveal(filing.case, 0, scores_hash, bytes.fromhex(shown.salt))
        sent[at] = replace(shown, scores_milli=sheet, sig=messages.sign(KEYS[by], COURT, message))

    return with_messages(document, change)


def with_filing(document: CaseDocument, **changes: Any) -> CaseDocument:
    hearing = document.hearings[0]
    hearing = relinked(
        replace(hearing, filing=replace(hearing.filing, **changes)), hearing.messages
    )
    return replace(document, hearings=[hearing, *document.hearings[1:]])


def other_panel() -> CaseDocument:
    """Chosen as the arena likes it: friends that have signed everything."""
    liked = [each for each in JUDGES if each not in drawn_of(HONEST)]
    return case(Sitting(chosen=(liked[:5], liked[5:7])))


def doubled(document: CaseDocument) -> CaseDocument:
    hearing = document.hearings[0]
    return with_hearing(document, panel=[*hearing.panel[:-1], hearing.panel[0]])


def of_seat(document: CaseDocument, at: int = 0, **changes: Any) -> CaseDocument:
    seats = list(document.hearings[0].seats)
    seats[at] = replace(seats[at], **changes)
    return with_hearing(document, seats=seats)


def off_by_one(document: CaseDocument) -> CaseDocument:
    medians = [list(line) for line in document.hearings[0].medians_milli]
    medians[0][0] += 1
    return with_hearing(document, medians_milli=medians)


def second_commit(sent: list[Message]) -> None:
    first = sent[0]
    assert isinstance(first, Commitment)
    other = messages.Commit(case_id(ID), 0, salt_of("other"), first.ordinal)
    sig = messages.sign(KEYS[first.judge], COURT, other)
    sent.insert(5, replace(first, commitment=other.commitment.hex(), sig=sig, ms=sent[4].ms))


def stranger_commits(sent: list[Message]) -> None:
    judge = next(each for each in JUDGES if each not in drawn_of(HONEST))
    message = messages.Commit(case_id(ID), 0, salt_of("s"), 1)
    sent.insert(
        5,
        Commitment(
            i=0,
            ms=sent[4].ms,
            judge=judge,
            commitment=message.commitment.hex(),
            ordinal=1,
            sig=messages.sign(KEYS[judge], COURT, message),
            prev="",
        ),
    )


def drawn_of(document: CaseDocument) -> list[str]:
    return [*document.hearings[0].panel, *document.hearings[0].reserves]


def reserve_commits_first(document: CaseDocument) -> CaseDocument:
    """A reserve takes the place of a judge that has committed in time."""
    hearing = document.hearings[0]
    judge = hearing.reserves[0]

    def change(sent: list[Message]) -> None:
        message = messages.Commit(case_id(ID), 0, salt_of("r"), 1)
        sent.insert(
            5,
            Commitment(
                i=0,
                ms=sent[4].ms,
                judge=judge,
                commitment=message.commitment.hex(),
                ordinal=1,
                sig=messages.sign(KEYS[judge], COURT, message),
                prev="",
            ),
        )

    return with_messages(document, change)


def late_choice(sent: list[Message]) -> None:
    """One judge commits when another has shown its sheet."""
    late = sent.pop(4)
    sent.insert(5, replace(late, ms=sent[4].ms))


def reference_of(sheet: list[int]) -> CaseDocument:
    """The arena opens an audit that it has not filed."""
    return with_hearing(HONEST, reference=cases.Reference(salt_of("reference", 0).hex(), sheet))


FIRST = HONEST.hearings[0].messages[5]
assert isinstance(FIRST, Shown)
MIRRORED = [line[::-1] for line in FIRST.scores_milli]
CLOSE = TRUE["a close one, and a bigger panel"]
FAILED = TRUE["a panel that failed, and another"]
APPEALED = TRUE["an appeal that found another winner"]
DRAWN = TRUE["a draw that nobody is to look at again"]
OTHER_ID = "01J0000000000000000000BES1"


def of_case(change: Callable[[], CaseDocument]) -> Callable[[], Documents]:
    return lambda: documents(change())


LIES: dict[str, tuple[str, Callable[[], Documents]]] = {
    "a sheet changed": (
        "reveals",
        of_case(lambda: with_messages(HONEST, put(5, scores_milli=MIRRORED))),
    ),
    "a sheet changed, and signed again": (
        "reveals",
        of_case(lambda: resigned(HONEST, FIRST.judge, MIRRORED)),
    ),
    "reasons put into a judge's mouth": (
        "reveals",
        of_case(lambda: with_messages(HONEST, put(5, reasons=[["fine", "bad"]] * 4))),
    ),
    "another salt": (
        "reveals",
        of_case(lambda: with_messages(HONEST, put(5, salt="11" * 32))),
    ),
    "a reveal that its judge has not signed": (
        "reveals",
        of_case(lambda: with_messages(HONEST, put(5, sig=HONEST.hearings[0].messages[6].sig))),
    ),
    "a sheet shown twice": (
        "reveals",
        of_case(lambda: with_messages(HONEST, lambda sent: sent.append(sent[-1]))),
    ),
    "a sheet without a commitment": (
        "reveals",
        of_case(lambda: with_messages(HONEST, lambda sent: sent.pop(4))),
    ),
    "a commitment swapped": (
        "commitments",
        of_case(lambda: with_messages(HONEST, put(0, commitment=salt_of("x").hex()))),
    ),
    "a forged signature": (
        "commitments",
        of_case(lambda: with_messages(HONEST, put(0, sig=HONEST.hearings[0].messages[1].sig))),
    ),
    "no signature at all": (
        "commitments",
        of_case(lambda: with_messages(HONEST, put(0, sig="0x" + "00" * 65))),
    ),
    "another ordinal": ("commitments", of_case(lambda: with_messages(HONEST, put(0, ordinal=99)))),
    "a second commitment": ("commitments", of_case(lambda: with_messages(HONEST, second_commit))),
    "a stranger on the panel": (
        "commitments",
        of_case(lambda: with_messages(HONEST, stranger_commits)),
    ),
    "a reserve that nobody has called": (
        "commitments",
        of_case(lambda: reserve_commits_first(HONEST)),
    ),
    "another panel": ("panel", of_case(other_panel)),
    "a judge twice": ("panel", of_case(lambda: doubled(HONEST))),
    "other reserves": (
        "panel",
        of_case(lambda: with_hearing(HONEST, reserves=HONEST.hearings[0].reserves[::-1])),
    ),
    "another seed": ("panel", of_case(lambda: with_hearing(HONEST, seed="22" * 32))),
    "stakes that nobody has": (
        "snapshot",
        of_case(
            lambda: replace(
                HONEST,
                snapshots=[
                    replace(
                        HONEST.snapshots[0],
                        judges=[
                            (*each[:3], str(10**24)) if each[0] == JUDGES[0] else each
                            for each in HONEST.snapshots[0].judges
                        ],
                    )
                ],
            )
        ),
    ),
    "a case of another session": (
        "case",
        lambda: documents(HONEST, result=encode(replace(result(HONEST), session=OTHER_ID))),
    ),
    "another file than the result names": (
        "case",
        lambda: documents(HONEST, case=cases.encode(replace(HONEST, closed_ms=1))),
    ),
    "a file that is none": ("case", lambda: documents(HONEST, case=b"{}")),
    "another transcript": (
        "case",
        of_case(lambda: replace(HONEST, transcript=cid_of(b"else"))),
    ),
    "a filing of another session": (
        "filing",
        of_case(lambda: with_filing(HONEST, case=case_id(OTHER_ID).hex())),
    ),
    "a filing of another transcript": (
        "filing",
        of_case(lambda: with_filing(HONEST, transcript="33" * 32)),
    ),
    "a rubric weighed otherwise": (
        "filing",
        of_case(lambda: with_filing(HONEST, weights=[9, 1, 1, 1])),
    ),
    "a message left out": (
        "messages",
        of_case(lambda: with_messages(HONEST, lambda sent: sent.pop(7), link=False)),
    ),
    "messages in another order": (
        "messages",
        of_case(
            lambda: with_messages(HONEST, lambda sent: sent.insert(0, sent.pop(1)), link=False)
        ),
    ),
    "a choice after others have shown": (
        "messages",
        of_case(lambda: with_messages(HONEST, late_choice)),
    ),
    "a judge that revealed said to be absent": (
        "standings",
        of_case(lambda: of_seat(HONEST, standing="absent", ordinal=None)),
    ),
    "an absent judge left out": (
        "standings",
        of_case(
            lambda: with_hearing(
                TRUE["two who stay away, and are replaced"],
                seats=TRUE["two who stay away, and are replaced"].hearings[0].seats[1:],
            )
        ),
    ),
    "a median off by one": ("scores", of_case(lambda: off_by_one(HONEST))),
    "a total off by one": (
        "scores",
        of_case(
            lambda: with_hearing(
                HONEST, totals_milli=[each + 1 for each in HONEST.hearings[0].totals_milli]
            )
        ),
    ),
    "a margin that is larger": (
        "scores",
        of_case(lambda: with_hearing(HONEST, margin_milli=9_000)),
    ),
    "a wrong reference": ("reference", of_case(lambda: reference_of(AUDIT))),
    "a reference that is not opened": (
        "reference",
        of_case(lambda: with_hearing(HONEST, reference=None)),
    ),
    "an audit said to be none": (
        "reference",
        of_case(
            lambda: with_hearing(
                TRUE["an audit"], reference=cases.Reference(salt_of("reference", 0).hex(), [])
            )
        ),
    ),
    "a pay altered": ("judges' pay", of_case(lambda: of_seat(HONEST, pay_micros=400))),
    "a skill altered": ("judges' pay", of_case(lambda: of_seat(HONEST, skill_ppm=1))),
    "a slash that is not due": ("judges' pay", of_case(lambda: of_seat(HONEST, slash="1"))),
    "a no-show that pays nothing": (
        "judges' pay",
        of_case(lambda: of_seat(TRUE["two who stay away, and are replaced"], slash="0")),
    ),
    "a hearing left out at the end": (
        "escalation",
        of_case(
            lambda: replace(
                CLOSE,
                hearings=CLOSE.hearings[:1],
                verdict=cases.CaseVerdict(0, CLOSE.hearings[0].totals_milli, [1, 1]),
            )
        ),
    ),
    "a close one that nobody looked at again": (
        "escalation",
        of_case(
            lambda: replace(
                with_hearing(CLOSE, end="decided"),
                hearings=[replace(CLOSE.hearings[0], end="decided")],
                verdict=cases.CaseVerdict(0, CLOSE.hearings[0].totals_milli, [1, 1]),
            )
        ),
    ),
    "a second look because the first was not liked": (
        "escalation",
        of_case(lambda: case(Sitting(lead=900, end="escalated"), Sitting(seats=11))),
    ),
    "an appeal before as few judges": (
        "escalation",
        of_case(lambda: case(Sitting(lead=900, end="appealed"), Sitting(seats=5))),
    ),
    "the verdict of a panel that was overruled": (
        "verdict",
        of_case(
            lambda: replace(
                APPEALED,
                verdict=cases.CaseVerdict(0, APPEALED.hearings[0].totals_milli, [1, 2]),
            )
        ),
    ),
    "a verdict that no panel found": (
        "verdict",
        of_case(lambda: replace(HONEST, verdict=cases.CaseVerdict(0, [5_000, 6_000], [2, 1]))),
    ),
    "no verdict, though a panel found one": ("verdict", lambda: silent()),
    "a result that ranks otherwise": (
        "ranks",
        lambda: documents(HONEST, result=encode(replace(result(HONEST), ranks=[2, 1]))),
    ),
    "a draw made a win": (
        "ranks",
        lambda: documents(DRAWN, result=encode(replace(result(DRAWN), ranks=[1, 2]))),
    ),
    "a result with other scores": (
        "ranks",
        lambda: documents(HONEST, result=encode(result_with(scores_milli=[[9_000, 1_000]] * 4))),
    ),
    "a result by other judges": (
        "ranks",
        lambda: documents(HONEST, result=encode(result_with(panel=JUDGES[:5]))),
    ),
    "an anchored verdict that differs": (
        "anchor",
        lambda: documents(HONEST, court_epoch=anchored(verdict="44" * 32)),
    ),
    "another file anchored": (
        "anchor",
        lambda: documents(HONEST, court_epoch=epoch(replace(HONEST, closed_ms=1))),
    ),
    "another pay anchored": (
        "anchor",
        lambda: documents(HONEST, court_epoch=anchored_pay()),
    ),
    "a hearing that the epoch holds and the file does not": (
        "anchor",
        lambda: documents(HONEST, court_epoch=epoch(CLOSE)),
    ),
    "an epoch of another court": (
        "anchor",
        lambda: documents(
            HONEST,
            court_epoch=encode(replace(court_epochs.read(epoch(HONEST)), court="0x" + "c1" * 20)),
        ),
    ),
}


def silent() -> Documents:
    without = replace(HONEST, verdict=None)
    block = cases.encode(without)
    named = encode(result_with(case=cid_of(block)))
    return documents(HONEST, case=block, result=named, court_epoch=epoch(without))


def result_with(**changes: Any) -> ResultDocument:
    made = result(HONEST)
    assert made.verdict is not None
    return replace(made, verdict=replace(made.verdict, **changes))


def anchored(**changes: Any) -> bytes:
    read = court_epochs.read(epoch(HONEST))
    lines = [replace(each, **changes) for each in read.hearings]
    return encode(court_epochs.build(1, COURT.chain_id, COURT.address, read.made_ms, lines, {}))


def anchored_pay() -> bytes:
    read = court_epochs.read(epoch(HONEST))
    seats = [replace(read.hearings[0].seats[0], pay=400), *read.hearings[0].seats[1:]]
    return anchored(seats=seats)


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_a_case_is_told_by_its_line(name: str) -> None:
    line, lie = LIES[name]
    told = found(lie())
    names = [each.what for each in lies(told)]
    assert line in names, report(told)
    assert summary(told).startswith("FALSE: ")


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"null", b"[" * 100_000, b"\xff", b'{"v":"agon-case/1"}']
)
def test_what_is_no_case_is_a_finding_and_no_crash(raw: bytes) -> None:
    told = found(documents(HONEST, case=raw, court_epoch=raw))
    assert lies(told)[0].what == "case"


def test_a_bent_case_is_a_finding_and_no_crash() -> None:
    """Every leaf of the file changed, one at a time, to something of its kind."""
    value = json.loads(cases.encode(HONEST))
    value["hearings"][0]["messages"] = value["hearings"][0]["messages"][4:7]
    for path in list(paths(value)):
        bent = json.loads(json.dumps(value))
        spot = bent
        for key in path[:-1]:
            spot = spot[key]
        spot[path[-1]] = other(spot[path[-1]])
        raw = json.dumps(bent, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        list(findings(documents(HONEST, case=raw), Recount(), cid_of))


def paths(value: Any, at: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*at, key))
    elif isinstance(value, list):
        for key, inner in enumerate(value[:2]):
            yield from paths(inner, (*at, key))
    else:
        yield at


def other(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    return value[:-1] + ("0" if value[-1:] != "0" else "1")


def test_a_filing_of_the_case_is_in_its_batch() -> None:
    hearing = HONEST.hearings[0]
    beside = filing_of(OTHER_ID, PLAYED, 0, 5)
    root = Batch([beside, hearing.filing.filing()]).root
    from chain.court.filing import is_filed

    assert is_filed(hearing.filing.filing(), [bytes.fromhex(e) for e in hearing.filed.proof], root)
    assert reference.commitment(salt_of("reference", 0), None) == hearing.filing.filing().reference
    assert msgspec.to_builtins(hearing)["filed"]["index"] == 1
