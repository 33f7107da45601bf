"""A hearing that is done on the chain itself, folded from its logs; and what the arena can do for it next. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from chain.court.filing import Filing, unpacked
from chain.documents.case import Commitment, Message, Shown
from judges.court.hearing import SeatState
from server.court.case import by_line
from server.court.seam import Forced, ForcedSeat, Pool
from server.store.court_logs import Said

Stage = Literal["put", "committing", "recommitting", "revealing", "decided", "failed"]


class Place(msgspec.Struct, frozen=True):
    """One seat."""

    judge: str
    reserve: bool
    state: SeatState = SeatState.DRAWN
    commitment: bytes | None = None
    ordinal: int | None = None
    sheet: tuple[int, ...] | None = None
    skill: int = 0
    pay: int = 0
    slash: int = 0


class Course(msgspec.Struct, frozen=True):
    """How far a hearing is."""

    filing: Filing
    batch: int
    made: bool
    """By the contract: by an appeal, or because it follows from a forced one."""
    stage: Stage = "put"
    until_s: int = 0
    """Of the step; 0: nobody needs to show anything."""
    places: tuple[Place, ...] = ()
    medians: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    margin: int = 0
    said: tuple[Said, ...] = ()

    @property
    def over(self) -> bool:
        return self.stage in ("decided", "failed")

    def number(self, judge: str) -> int | None:
        return next((at for at, each in enumerate(self.places) if each.judge == judge), None)

    def turns(self) -> list[int]:
        """Whose commitments are taken now, by number."""
        wanted = (
            (at, each)
            for at, each in enumerate(self.places)
            if each.commitment is None and each.state is SeatState.DRAWN
        )
        match self.stage:
            case "committing":
                return [at for at, each in wanted if not each.reserve]
            case "recommitting":
                called = sum(each.state is SeatState.REPLACED for each in self.places)
                seats = self.filing.seats
                return [at for at, each in wanted if seats <= at < seats + called]
        return []

    def hidden(self) -> list[int]:
        """Who has committed and not revealed, by number."""
        return [
            at
            for at, each in enumerate(self.places)
            if each.commitment is not None and each.sheet is None
        ]


def courses(logs: Sequence[Said]) -> list[Course]:
    """The hearings of one case that are on the chain, by number."""
    found = []
    by_hearing = sorted(
        (each for each in logs if each.hearing is not None), key=lambda each: each.hearing or 0
    )
    for _, of_one in itertools.groupby(by_hearing, key=lambda each: each.hearing):
        told = list(of_one)
        put = next((each for each in told if each.name == "Forced"), None)
        if put is not None:
            found.append(_course(put, told))
    return found


def _course(put: Said, told: Sequence[Said]) -> Course:
    filing = filing_of(put.fields["filing"])
    course = Course(filing, put.fields["batch"], made=not put.fields["bond"])
    for said in told:
        course = _after(course, said)
    return msgspec.structs.replace(course, said=tuple(told))


def filing_of(words: Sequence[Any]) -> Filing:
    """From the contract's struct."""
    values = dict(zip(Filing.__struct_fields__, words, strict=True))
    lines = (values["weights"].bit_length() + 7) // 8
    values["weights"] = unpacked(values["weights"], 8, lines)
    values["prior"] = unpacked(values["prior"], 16, lines)
    return Filing(**values)


def _after(course: Course, said: Said) -> Course:
    fields = said.fields
    change: dict[str, Any] = {}
    match said.name:
        case "Drawn":
            seats = course.filing.seats
            places = tuple(Place(who, at >= seats) for at, who in enumerate(fields["judges"]))
            change = {
                "stage": "committing",
                "until_s": fields["commit_until"],
                "places": places,
            }
        case "Committed":
            bound = {"commitment": fields["commitment"], "ordinal": fields["ordinal"]}
            return _placed(course, said, state=SeatState.COMMITTED, **bound)
        case "Called":
            change = {"stage": "recommitting", "until_s": fields["commit_until"]}
            return _called(msgspec.structs.replace(course, **change), fields["reserves"])
        case "Revealing":
            change = {"stage": "revealing", "until_s": fields["reveal_until"]}
            return _absent(msgspec.structs.replace(course, **change))
        case "Revealed":
            return _placed(course, said, state=SeatState.REVEALED, sheet=tuple(fields["sheet"]))
        case "Sat":
            means = {name: fields[name] for name in ("skill", "pay", "slash")}
            return _placed(course, said, **means)
        case "Overturned":
            return _placed(course, said, slash=fields["slash"])
        case "Decided":
            change = {
                "stage": "decided",
                "medians": tuple(fields["medians"]),
                "totals": tuple(fields["totals"]),
                "margin": fields["margin"],
            }
            return _hid(msgspec.structs.replace(course, **change))
        case "Undecided":
            return _hid(msgspec.structs.replace(course, stage="failed"))
    return msgspec.structs.replace(course, **change)


def _placed(course: Course, said: Said, **values: Any) -> Course:
    places = tuple(
        msgspec.structs.replace(each, **values) if each.judge == said.judge else each
        for each in course.places
    )
    return msgspec.structs.replace(course, places=places)


def _called(course: Course, reserves: int) -> Course:
    """As many of those who stayed away as there are reserves are replaced, in their order; the others are absent."""
    left, places = reserves, []
    for each in course.places:
        if not each.reserve and each.commitment is None:
            state = SeatState.REPLACED if left else SeatState.ABSENT
            left -= left > 0
            places.append(msgspec.structs.replace(each, state=state))
        else:
            places.append(each)
    return msgspec.structs.replace(course, places=tuple(places))


def _absent(course: Course) -> Course:
    """Who was to commit and has not."""
    called = sum(each.state is SeatState.REPLACED for each in course.places)
    places = tuple(
        msgspec.structs.replace(each, state=SeatState.ABSENT)
        if each.state is SeatState.DRAWN and at < course.filing.seats + called
        else each
        for at, each in enumerate(course.places)
    )
    return msgspec.structs.replace(course, places=places)


def _hid(course: Course) -> Course:
    """Who has committed and never revealed."""
    places = tuple(
        msgspec.structs.replace(each, state=SeatState.ABSENT)
        if each.state is SeatState.COMMITTED
        else each
        for each in course.places
    )
    return msgspec.structs.replace(course, places=places)


# --------------------------------------------------------------------------- for the clerk


def told(
    course: Course,
    pool: Pool,
    seed: bytes | None,
    times_ms: Mapping[str, int],
    known: Sequence[Message],
    signature: Callable[[str], str | None],
) -> Forced:
    """`times_ms`: of blocks, by their hashes, and so of what was brought there, whenever the clerk was sent it. `known`: what the
    clerk was sent for the hearing; `signature`: of a commitment that was
    brought by a transaction, where that says so. What was brought is told when the hearing is over: until then the clerk keeps
    what it has, and brings it."""
    operators = {each.judge: each.operator for each in pool.snapshot.judges}
    seats = tuple(
        ForcedSeat(
            judge=each.judge,
            operator=operators[each.judge],
            family=pool.family(each.judge),
            state=each.state.value,
            reserve=each.reserve,
            ordinal=each.ordinal,
            sheet=each.sheet,
            skill=each.skill,
            pay=each.pay,
            slash=each.slash,
        )
        for each in course.places
    )
    ended = next((each for each in course.said if each.name in ("Decided", "Undecided")), None)
    state: Literal["open", "decided", "failed"] = "open"
    if course.over:
        state = "decided" if course.stage == "decided" else "failed"
    return Forced(
        hearing=course.filing.hearing,
        state=state,
        seats=seats,
        medians=course.medians,
        totals=course.totals,
        margin=course.margin,
        ended_ms=None if ended is None else times_ms[ended.block_hash],
        filing=course.filing if course.made else None,
        batch=course.batch if course.made else None,
        seed=seed,
        messages=_messages(course, times_ms, known, signature) if course.over else (),
        transactions=tuple(_transactions(course.said)),
    )


def _messages(
    course: Course,
    times_ms: Mapping[str, int],
    known: Sequence[Message],
    signature: Callable[[str], str | None],
) -> tuple[Message, ...]:
    found: list[Message] = []
    for said in course.said:
        if said.name == "Committed":
            found.append(_commitment(said, times_ms, known, signature))
        elif said.name == "Revealed":
            found.append(_shown(said, times_ms, known, course.filing.contestants))
    return tuple(found)


def _commitment(
    said: Said,
    times_ms: Mapping[str, int],
    known: Sequence[Message],
    signature: Callable[[str], str | None],
) -> Message:
    bound = said.fields["commitment"].hex()
    for each in known:
        if isinstance(each, Commitment) and (each.judge, each.commitment) == (said.judge, bound):
            return msgspec.structs.replace(each, ms=times_ms[said.block_hash])
    return Commitment(
        i=0,
        ms=times_ms[said.block_hash],
        judge=said.judge or "",
        commitment=bound,
        ordinal=said.fields["ordinal"],
        sig=signature(said.tx),
        prev="",
    )


def _shown(
    said: Said, times_ms: Mapping[str, int], known: Sequence[Message], contestants: int
) -> Message:
    salt = said.fields["salt"].hex()
    for each in known:
        if isinstance(each, Shown) and (each.judge, each.salt) == (said.judge, salt):
            return msgspec.structs.replace(each, ms=times_ms[said.block_hash])
    return Shown(
        i=0,
        ms=times_ms[said.block_hash],
        judge=said.judge or "",
        scores_milli=by_line(said.fields["sheet"], contestants),
        reasons=None,
        reasons_digest=said.fields["reasons_digest"].hex(),
        salt=salt,
        sig=None,
        prev="",
    )


_STEPS = {
    "Drawn": "draw",
    "Committed": "commit",
    "Called": "replace",
    "Revealed": "reveal",
    "Decided": "finalize",
    "Undecided": "finalize",
}


def _transactions(said: Sequence[Said]) -> list[tuple[str, str]]:
    steps = []
    for each in said:
        step = _STEPS.get(each.name)
        if each.name == "Forced":
            step = (
                "force" if each.fields["bond"] else "appeal" if each.fields["appeal"] else "follow"
            )
        if step is not None:
            steps.append((step, each.tx))
    return steps
