"""One hearing of a case, done again: who sits, what each has signed, what it comes to. Pure.

Each check says what is wrong, or nothing; `course.py` makes lines of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from chain.court import commitment as commitments
from chain.court import messages as signed
from chain.court import reference as references
from chain.court import seed
from chain.court.commitment import Court
from chain.court.filing import Filing
from chain.court.snapshot import Snapshot
from chain.documents import case as cases
from chain.documents.case import CaseSeat, Commitment, Hearing, Shown
from chain.verify.court.rules import Means, Over, Reckoned, Rules
from spaces import canonical


class Heard:
    """A hearing beside what it should be."""

    def __init__(self, hearing: Hearing, court: Court, snapshot: Snapshot, rules: Rules) -> None:
        self.hearing = hearing
        self.filing: Filing = hearing.filing.filing()
        self.commits = [each for each in hearing.messages if isinstance(each, Commitment)]
        self.reveals = [each for each in hearing.messages if isinstance(each, Shown)]
        self._court = court
        self._snapshot = snapshot
        self._rules = rules

    def over(self) -> Over:
        return Over(self.filing.seats, self.hearing.margin_milli)

    def drawn(self) -> str:
        """Panel and reserves follow from the seed and the snapshot."""
        word = seed.words(bytes.fromhex(self.hearing.seed), self.filing.case, self.filing.hearing)
        try:
            panel, reserves = self._rules.drawn(self._snapshot, self.filing.seats, word)
        except ValueError as error:
            return str(error)
        for name, said, found in (
            ("panel", self.hearing.panel, panel),
            ("reserves", self.hearing.reserves, reserves),
        ):
            if [each.lower() for each in said] != [each.lower() for each in found]:
                return f"the seed draws another {name}: {_first_other(said, found)}"
        return ""

    def linked(self) -> str:
        """Messages stand in one order, none can be put in or left out between them, and none is revealed before all have
        committed."""
        prev = canonical.sha256(msgspec.to_builtins(self.hearing.filing))
        shown = False
        for number, message in enumerate(self.hearing.messages):
            if (message.i, message.prev) != (number, prev):
                return f"message {number} does not follow the one before"
            prev = cases.message_digest(message)
            if isinstance(message, Commitment) and shown:
                return f"message {number} is a commitment, and a sheet was shown before"
            shown = shown or isinstance(message, Shown)
        times = [each.ms for each in self.hearing.messages]
        return "" if times == sorted(times) else "a message came before the one that it follows"

    def committed(self) -> str:
        """One commitment each, signed, by those whose turn it was."""
        if twice := _twice([each.judge for each in self.commits]):
            return f"{twice} has committed twice"
        called = self._called()
        for each in self.commits:
            if each.judge.lower() not in called:
                return f"{each.judge} has committed, and does not sit"
            message = signed.Commit(
                self.filing.case,
                self.filing.hearing,
                bytes.fromhex(each.commitment),
                each.ordinal,
            )
            if not self._is_by(each.judge, message, each.sig):
                return f"the commitment of {each.judge} is not signed by its key"
        return ""

    def revealed(self) -> str:
        """Each reveal, signed, opens its judge's commitment."""
        if twice := _twice([each.judge for each in self.reveals]):
            return f"{twice} has revealed twice"
        bound = {each.judge.lower(): bytes.fromhex(each.commitment) for each in self.commits}
        for each in self.reveals:
            if each.judge.lower() not in bound:
                return f"{each.judge} has revealed, and has not committed"
            if wrong := self._opens(each, bound[each.judge.lower()]):
                return wrong
        return ""

    def _opens(self, shown: Shown, bound: bytes) -> str:
        digest = bytes.fromhex(shown.reasons_digest)
        if shown.reasons is not None and commitments.reasons_digest(shown.reasons) != digest:
            return f"the reasons of {shown.judge} are not those of its digest"
        scores_hash = commitments.scores_hash(cases.flat(shown.scores_milli), digest)
        salt = bytes.fromhex(shown.salt)
        case, number = self.filing.case, self.filing.hearing
        if (
            commitments.commitment(self._court, case, number, shown.judge, scores_hash, salt)
            != bound
        ):
            return f"the sheet of {shown.judge} is not the one that it has committed to"
        if not self._is_by(shown.judge, signed.Reveal(case, number, scores_hash, salt), shown.sig):
            return f"the sheet of {shown.judge} is not signed by its key"
        return ""

    def opened(self) -> str | None:
        """The reference is what was filed; None: it was not opened."""
        opening = self.hearing.reference
        if opening is None:
            return None
        found = references.commitment(bytes.fromhex(opening.salt), opening.sheet)
        return (
            "" if found == self.filing.reference else "the reference is not the one that was filed"
        )

    def stood(self) -> str:
        """Every seat stands as the messages say, and enough have revealed, or it has failed."""
        due = list(self._standings())
        said = [(each.judge.lower(), each.standing, each.ordinal) for each in self.hearing.seats]
        if said != due:
            at = next(
                (at for at, pair in enumerate(zip(said, due, strict=False)) if pair[0] != pair[1]),
                None,
            )
            if at is None:
                return f"{len(said)} judges were to sit, by the messages {len(due)}"
            judge, standing, _ = due[at]
            return f"{said[at][0]} is {said[at][1]}, the messages say: {judge} is {standing}"
        enough = len(self.reveals) >= self._rules.quorum(self.filing.seats)
        if enough != (self.hearing.end != "failed"):
            words = f"{len(self.reveals)} of {self.filing.seats} have revealed"
            return f"{words}, and the hearing is {self.hearing.end}"
        return ""

    def came_to(self) -> str:
        """Medians, totals and margin follow from the sheets."""
        if self.hearing.end == "failed":
            return ""
        found = self._reckoned()
        if isinstance(found, str):
            return found
        for name, said, due in (
            ("medians", cases.flat(self.hearing.medians_milli), list(found.medians)),
            ("totals", self.hearing.totals_milli, list(found.totals)),
            ("margin", self.hearing.margin_milli, found.margin),
        ):
            if said != due:
                return (
                    f"the {name} are {said}, the sheets say {due}"
                    if name != "margin"
                    else (f"the margin is {said}, the sheets say {due}")
                )
        return ""

    def paid(self, last: Sequence[int] | None) -> str:
        """Skill, pay and slash of each seat. `last`: the totals of the case's last hearing."""
        found = self._reckoned()
        if isinstance(found, str) and self.hearing.end != "failed":
            return found
        for seat in self.hearing.seats:
            due = self._means(seat, found, last)
            if due is None:
                return f"{seat.judge} is said to have revealed, and has not"
            if (seat.skill_ppm, seat.pay_micros, int(seat.slash)) != (
                due.skill,
                due.pay,
                due.slash,
            ):
                return (
                    f"{seat.judge}: skill {seat.skill_ppm}, pay {seat.pay_micros}, slash {seat.slash};"
                    f" due are {due.skill}, {due.pay}, {due.slash}"
                )
        return ""

    def _means(
        self, seat: CaseSeat, found: Reckoned | str, last: Sequence[int] | None
    ) -> Means | None:
        if seat.standing != "revealed":
            enough = len(self.commits) >= self._rules.quorum(self.filing.seats)
            if seat.standing == "unrevealed" and not enough:
                return self._rules.unpaid(self.filing)  # nobody was asked to reveal
            return self._rules.missed(self.filing, seat.standing)
        places = [each.judge.lower() for each in self._in_order()]
        if seat.judge.lower() not in places:
            return None
        if isinstance(found, str) or self.hearing.end == "failed":
            return self._rules.unpaid(self.filing)
        at = places.index(seat.judge.lower())
        due, sheet = found.seats[at], cases.flat(self._in_order()[at].scores_milli)
        if last is None:
            return due
        fell = self._rules.overturned(self.filing, sheet, found.totals, last)
        return Means(due.skill, due.pay, max(due.slash, fell))

    def _reckoned(self) -> Reckoned | str:
        opening = self.hearing.reference
        sheets = [cases.flat(each.scores_milli) for each in self._in_order()]
        try:
            return self._rules.reckon(
                self.filing, sheets, opening.sheet if opening and opening.sheet else None
            )
        except ValueError as error:
            return str(error)

    def _in_order(self) -> list[Shown]:
        """Reveals, in the order of the seats."""
        order = {each.lower(): at for at, each in enumerate(self._drawn())}
        return sorted(self.reveals, key=lambda each: order.get(each.judge.lower(), len(order)))

    def _drawn(self) -> list[str]:
        return [*self.hearing.panel, *self.hearing.reserves]

    def _called(self) -> list[str]:
        """Who was to sit: the panel, and as many reserves as of the panel have not committed. In lower case."""
        bound = {each.judge.lower() for each in self.commits}
        panel = [each.lower() for each in self.hearing.panel]
        short = sum(each not in bound for each in panel)
        return panel + [each.lower() for each in self.hearing.reserves[:short]]

    def _standings(self) -> Iterator[tuple[str, str, int | None]]:
        ordinals = {each.judge.lower(): each.ordinal for each in self.commits}
        shown = {each.judge.lower() for each in self.reveals}
        for judge in self._called():
            if judge not in ordinals:
                yield judge, "absent", None
            else:
                yield judge, "revealed" if judge in shown else "unrevealed", ordinals[judge]

    def _is_by(self, judge: str, message: signed.Commit | signed.Reveal, sig: str | None) -> bool:
        if sig is None:
            return self.hearing.forced  # the chain has taken it
        found = signed.recover(self._court, message, sig)
        return found is not None and found.lower() == judge.lower()


def _twice(judges: Sequence[str]) -> str:
    counted = Counter(each.lower() for each in judges)
    return next((judge for judge, count in counted.items() if count > 1), "")


def _first_other(said: Sequence[str], found: Sequence[str]) -> str:
    for at in range(max(len(said), len(found))):
        one = said[at] if at < len(said) else "nobody"
        other = found[at] if at < len(found) else "nobody"
        if one.lower() != other.lower():
            return f"seat {at} is {other}'s, not {one}'s"
    return ""
