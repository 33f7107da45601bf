"""What happens to a case, each a step from one value of it to the next. Pure: the time and the chance are arguments.

    made -> drafted -> filed -> drawn -> committed, revealed, passed … -> concluded -> (next hearing: drafted …) -> closed

Checking signatures loads eth-account: what needs it is imported where it is used.
A step that does not fit the case as it stands gives back the case unchanged, for whoever repeats it; what judges send raises Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from chain.content.cid import parse
from chain.court import commitment, reference
from chain.court.commitment import Court
from chain.court.filing import Filing
from chain.court.seed import words
from chain.documents import case as documents
from chain.documents.case import Commitment, Shown
from judges.court import hearing as rules
from judges.court.draw import TooFew, draw
from judges.court.escalation import Again, Ended, Stands, following
from judges.court.hearing import Phase, Refused, SeatState
from judges.court.overturn import overturn_slash
from judges.court.reckoning import Question, reckon
from judges.court.reckoning import Seat as Means
from server.court.case import Case, Chair, End, Held
from server.court.seam import Filed, Forced, Pool
from server.protocol import CommitMessage, RevealMessage

if TYPE_CHECKING:
    from chain.court.messages import Commit, Reveal

Can = Callable[[int], bool]
"""Whether a panel of so many seats can be drawn for certain."""


def drafted(case: Case, snapshot: int) -> Case:
    """The terms of the last hearing, with the snapshot it is to be drawn from."""
    held = case.last
    if case.state != "open" or held.state != "wanted" or held.filing is not None:
        return case
    filing = Filing(
        case=case.id,
        hearing=held.hearing,
        transcript=_digest(case.transcript),
        seats=held.seats,
        snapshot=snapshot,
        contestants=case.contestants,
        weights=case.terms.weights,
        prior=case.terms.prior,
        scale=case.terms.scale,
        fee=case.terms.fee_micros * held.seats // case.hearings[0].seats,
        lock=int(case.terms.lock),
        margin=case.terms.margin,
        commit_s=case.terms.commit_s,
        reveal_s=case.terms.reveal_s,
        reference=reference.commitment(bytes.fromhex(held.salt), case.answer),
    )
    return case.with_last(
        msgspec.structs.replace(held, filing=documents.filing_fields(filing), note="")
    )


def filed(case: Case, news: Filed) -> Case:
    """The batch of the last hearing is on the chain; or it has no seed and never will, and the hearing is drafted again."""
    held = case.last
    if held.state not in ("wanted", "filed") or held.filing is None:
        return case
    if news.lost:
        return case.with_last(
            msgspec.structs.replace(held, state="wanted", filing=None, filed=None, filed_ms=None)
        )
    proof = [each.hex() for each in news.proof]
    return case.with_last(
        msgspec.structs.replace(
            held,
            state="filed",
            filed=documents.Filed(news.batch, news.index, proof),
            filed_ms=news.filed_ms,
            transactions=news.transactions,
        )
    )


def drawn(case: Case, pool: Pool, seed: bytes, now_ms: int) -> Case:
    """By the seed of its batch. A panel that cannot be filled has failed."""
    held = case.last
    if held.state != "filed" or held.filing is None:
        return case
    held = msgspec.structs.replace(held, seed=seed.hex(), drawn_ms=now_ms)
    candidates = pool.candidates()
    try:
        panel = draw(candidates, held.seats, words(seed, case.id, held.hearing))
    except TooFew as error:
        return case.with_last(
            msgspec.structs.replace(held, state="failed", ended_ms=now_ms, note=str(error))
        )
    bench = tuple(
        Chair(each.judge, each.operator, pool.family(each.judge), reserve)
        for reserve, places in ((False, panel.seated), (True, panel.reserves))
        for each in (candidates[at] for at in places)
    )
    by_ms = now_ms + case.terms.commit_s * 1_000
    return case.with_last(
        msgspec.structs.replace(
            held, state="committing", bench=bench, by_ms=by_ms, commit_by_ms=by_ms
        )
    )


# --------------------------------------------------------------------------- what judges send


def signer_of_commit(court: Court, case: Case, message: CommitMessage) -> str:
    """EIP-55. Raises Refused."""
    from chain.court.messages import Commit

    said = Commit(case.id, message.hearing, _bytes(message.commitment), message.ordinal)
    return _signer(court, said, message.signature)


def signer_of_reveal(court: Court, case: Case, message: RevealMessage) -> str:
    """EIP-55. Raises Refused, also for what no document can hold."""
    from chain.court.messages import Reveal

    try:
        documents.check_reasons(message.reasons, len(case.lines), case.contestants)
    except ValueError as error:
        raise Refused("misshapen", str(error)) from None
    if [len(line) for line in message.scores_milli] != [case.contestants] * len(case.lines):
        raise Refused(
            "misshapen", f"a sheet is {len(case.lines)} lines of {case.contestants} scores"
        )
    said = Reveal(case.id, message.hearing, _scores_hash(message), _bytes(message.salt))
    return _signer(court, said, message.signature)


def committed(
    case: Case, judge: str, message: CommitMessage, now_ms: int, drawn_before: int
) -> Case:
    """`judge` has signed the message; it was drawn `drawn_before` times in all, this hearing among them. Raises Refused."""
    held = _its(case, message.hearing)
    if not 0 <= message.ordinal < max(1, drawn_before):
        raise Refused(
            "ordinal",
            f"ordinal {message.ordinal}: they count a judge's commitments from 0, and it was drawn {drawn_before} times",
        )
    _check_sent(held, judge, Commitment, message.signature)
    panel = rules.commit(held.panel, judge, now_ms)
    said = Commitment(
        i=0,
        ms=now_ms,
        judge=judge,
        commitment=message.commitment[2:],
        ordinal=message.ordinal,
        sig=message.signature,
        prev="",
    )
    held = _seated(_said(held, said), panel, now_ms)
    bench = tuple(
        msgspec.structs.replace(each, ordinal=message.ordinal) if each.judge == judge else each
        for each in held.bench
    )
    return case.with_last(msgspec.structs.replace(held, bench=bench))


def revealed(court: Court, case: Case, judge: str, message: RevealMessage, now_ms: int) -> Case:
    """`judge` has signed the message. Raises Refused."""
    held = _its(case, message.hearing)
    _check_sent(held, judge, Shown, message.signature)
    panel = rules.reveal(held.panel, judge, now_ms)
    salt = _bytes(message.salt)
    bound = commitment.commitment(court, case.id, held.hearing, judge, _scores_hash(message), salt)
    if bound.hex() not in (
        each.commitment
        for each in held.messages
        if isinstance(each, Commitment) and each.judge == judge
    ):
        raise Refused("other-scores", "these are not the scores that the judge has committed to")
    said = Shown(
        i=0,
        ms=now_ms,
        judge=judge,
        scores_milli=message.scores_milli,
        reasons=message.reasons,
        reasons_digest=commitment.reasons_digest(message.reasons).hex(),
        salt=message.salt[2:],
        sig=message.signature,
        prev="",
    )
    return _ended(case.with_last(_seated(_said(held, said), panel, now_ms)), now_ms)


class Known(Exception):
    """The very message stands already."""


def _its(case: Case, number: int) -> Held:
    """The hearing that messages are for. Raises Refused."""
    held = case.last
    if case.state != "open" or held.hearing != number:
        raise Refused("other-hearing", f"the hearing that is open is number {held.hearing}")
    if held.state in ("wanted", "filed"):
        raise Refused("not-drawn", "nobody was drawn yet")
    if held.state == "forced":
        raise Refused("forced", "the hearing goes on on the chain: bring it there")
    if held.over:
        raise Refused("late", "the hearing is over")
    return held


def _check_sent(held: Held, judge: str, kind: type[Commitment | Shown], signature: str) -> None:
    """Raises Known: sending the same again is harmless."""
    for each in held.messages:
        if isinstance(each, kind) and each.judge == judge and each.sig == signature:
            raise Known


def _said(held: Held, message: Commitment | Shown) -> Held:
    """Behind what came before, and bound to it."""
    assert held.filing is not None
    # Whoever had the row first may have looked at the clock last.
    ms = max([message.ms, *(each.ms for each in held.messages[-1:])])
    said = msgspec.structs.replace(message, ms=ms)
    messages = documents.linked(held.filing, [*held.messages, said])
    return msgspec.structs.replace(held, messages=tuple(messages))


def _signer(court: Court, said: Commit | Reveal, signature: str) -> str:
    from chain.court.messages import recover

    found = recover(court, said, signature)
    if found is None:
        raise Refused("unsigned", "the signature is none: r, s in the lower half, v 27 or 28")
    return found


def _scores_hash(message: RevealMessage) -> bytes:
    digest = commitment.reasons_digest(message.reasons)
    return commitment.scores_hash(documents.flat(message.scores_milli), digest)


# --------------------------------------------------------------------------- what the clock and the chain do


def passed(case: Case, now_ms: int) -> Case:
    """What has come of the last hearing by then."""
    held = case.last
    if held.state not in ("committing", "revealing"):
        return case
    return _ended(case.with_last(_seated(held, rules.passed(held.panel, now_ms), now_ms)), now_ms)


def _seated(held: Held, panel: rules.Hearing, now_ms: int) -> Held:
    """As the rules have it now."""
    bench = tuple(
        msgspec.structs.replace(each, state=seat.state, bound=seat.bound)
        for each, seat in zip(held.bench, panel.bench, strict=True)
    )
    values = {"bench": bench, "called": panel.called, "by_ms": panel.by_ms}
    match panel.phase:
        case Phase.COMMITTING:
            values["commit_by_ms"] = panel.by_ms
        case Phase.REVEALING:
            values["reveal_by_ms"] = panel.by_ms
        case Phase.DECIDED | Phase.FAILED:
            values["ended_ms"] = now_ms
    return msgspec.structs.replace(held, state=panel.phase.value, **values)


def _ended(case: Case, now_ms: int) -> Case:
    """With what a hearing that is over means for its judges."""
    held = case.last
    if not held.over or held.medians or any(each.skill is not None for each in held.bench):
        return case
    means = _missing(held)
    if held.state == "failed":
        means |= {each.judge: Means(0, 0, 0) for each in held.shown()}
        note = f"{len(held.shown())} of {held.seats} judges did their part"
        return case.with_last(_meaning(msgspec.structs.replace(held, note=note), means))
    found = reckon(question_of(held), held.sheets(), case.answer)
    means |= {each.judge: seat for each, seat in zip(held.shown(), found.seats, strict=True)}
    held = msgspec.structs.replace(
        held, medians=found.medians, totals=found.totals, margin=found.margin
    )
    return case.with_last(_meaning(held, means))


def _missing(held: Held) -> dict[str, Means]:
    assert held.filing is not None
    gone = (SeatState.ABSENT, SeatState.REPLACED)
    lock = int(held.filing.lock)
    return {
        each.judge: rules.missing(lock, bound=each.bound)
        for each in held.bench
        if each.state in gone
    }


def _meaning(held: Held, means: dict[str, Means]) -> Held:
    bench = tuple(
        msgspec.structs.replace(
            each,
            skill=means[each.judge].skill,
            pay=means[each.judge].pay,
            slash=str(means[each.judge].slash),
        )
        if each.judge in means
        else each
        for each in held.bench
    )
    return msgspec.structs.replace(held, bench=bench)


def question_of(held: Held) -> Question:
    assert held.filing is not None
    return Question(
        weights=tuple(held.filing.weights),
        contestants=held.filing.contestants,
        prior=tuple(held.filing.prior),
        scale=held.filing.scale,
        seats=held.filing.seats,
        fee=held.filing.fee,
        lock=int(held.filing.lock),
    )


def followed(case: Case, forced: Sequence[Forced]) -> Case:
    """What stands on the chain itself, in place of what the clerk has: a hearing that was forced, or one that an appeal or the
    contract has added. A case that is closed stays as it is: its money has moved."""
    if case.state != "open":
        return case
    for each in forced:
        if each.hearing < len(case.hearings):
            case = _on_chain(case, case.hearings[each.hearing], each)
            later = len(case.hearings) - each.hearing - 1
            if later and not _is_of_chain(forced, each.hearing + 1):
                # What the clerk had begun after it rests on what is not so.
                case = msgspec.structs.replace(case, hearings=case.hearings[: each.hearing + 1])
        elif each.hearing == len(case.hearings) and each.filing is not None:
            case = _ends(case, "appealed")
            new = Held(
                hearing=each.hearing,
                seats=each.filing.seats,
                salt=case.last.salt,  # all but seats and fee is as it was
                filing=documents.filing_fields(each.filing),
                filed=documents.Filed(each.batch or 0, 0, []),
            )
            case = _on_chain(case.with_hearing(new), new, each)
    return case


def _is_of_chain(forced: Sequence[Forced], hearing: int) -> bool:
    return any(each.hearing == hearing for each in forced)


def _on_chain(case: Case, held: Held, news: Forced) -> Case:
    over = news.state != "open"
    known = {each.judge: each for each in held.bench}
    bench = tuple(
        Chair(
            each.judge,
            each.operator,
            each.family,
            each.reserve,
            SeatState(each.state),
            bound=each.ordinal is not None,
            ordinal=each.ordinal,
            skill=each.skill if over else None,
            pay=each.pay,
            slash=str(each.slash),
        )
        for each in news.seats
    ) or tuple(known.values())
    messages = held.messages
    if news.messages and held.filing is not None:
        messages = tuple(documents.linked(held.filing, news.messages))
    now = msgspec.structs.replace(
        held,
        state="forced" if not over else news.state,
        forced=True,
        bench=bench,
        messages=messages,
        medians=news.medians,
        totals=news.totals,
        margin=news.margin if news.state == "decided" else None,
        ended_ms=news.ended_ms if over else None,
        by_ms=None,
        commit_by_ms=None,
        reveal_by_ms=None,
        seed=held.seed if news.seed is None else news.seed.hex(),
        note="adjudicated on the chain" if over else "the hearing goes on on the chain",
        transactions=news.transactions or held.transactions,
    )
    if now == held:
        return case
    case = msgspec.structs.replace(case, stands=None, appeal_by_ms=None)
    return case.with_hearing(now)


def concluded(case: Case, can: Can, salt: str, now_ms: int) -> Case:
    """After the last hearing: another one, or an end. The time to appeal runs from here."""
    held = case.last
    if case.state != "open" or not held.over or case.stands is not None:
        return case
    over = [Ended(each.seats, each.margin) for each in case.hearings]
    then = following(over, case.terms.margin, case.terms.most, can)
    if isinstance(then, Again):
        case = _ends(case, "failed" if held.margin is None else "escalated")
        note = f"hearing {held.hearing + 1}: {then.why}"
        again = Held(hearing=held.hearing + 1, seats=then.seats, salt=salt, note=note)
        return msgspec.structs.replace(case.with_hearing(again), note=note)
    case = _ends(case, "failed" if held.margin is None else "decided")
    if isinstance(then, Stands):
        appeal_by_ms = max(now_ms, _ends_ms(held)) + case.terms.appeal_s * 1_000
        return msgspec.structs.replace(case, stands=then.hearing, appeal_by_ms=appeal_by_ms)
    return msgspec.structs.replace(case, state="void", note=then.why, closed_ms=now_ms)


def _ends_ms(held: Held) -> int:
    """From when on the contract takes appeals for so long: the time that the filing gives its judges and their reserves, however quick
    they were; of a hearing that was forced, its end. One that took longer, as the clerk was away, can still be forced."""
    assert held.ended_ms is not None
    if held.forced or held.filing is None or held.filed_ms is None:
        return held.ended_ms
    return held.filed_ms + (2 * held.filing.commit_s + held.filing.reveal_s) * 1_000


def _ends(case: Case, end: End) -> Case:
    return case.with_last(msgspec.structs.replace(case.last, end=end))


def closed(case: Case, now_ms: int) -> Case:
    """Nobody has appealed in time: the verdict stands, and whoever a bigger panel has clearly overruled loses its lock."""
    ends = case.appeal_by_ms
    if case.state != "open" or case.stands is None or ends is None or now_ms < ends:
        return case
    last = case.hearings[case.stands]
    hearings = tuple(
        each if each.margin is None else _overruled(each, last) for each in case.hearings
    )
    return msgspec.structs.replace(case, state="final", closed_ms=now_ms, hearings=hearings)


def _overruled(held: Held, last: Held) -> Held:
    question = question_of(held)
    assert held.filing is not None
    lost = {
        shown.judge: overturn_slash(question, sheet, held.totals, last.totals, held.filing.margin)
        for shown, sheet in zip(held.shown(), held.sheets(), strict=True)
    }
    bench = tuple(
        msgspec.structs.replace(each, slash=str(max(int(each.slash), lost.get(each.judge, 0))))
        for each in held.bench
    )
    return msgspec.structs.replace(held, bench=bench)


def given_up(case: Case, why: str, now_ms: int) -> Case:
    """The session was voided."""
    if case.state != "open":
        return case
    return msgspec.structs.replace(case, state="void", note=why, closed_ms=now_ms)


NO_PANEL = "too few judges with enough at stake stand for a panel"


def unseated(case: Case, now_ms: int) -> Case:
    """No panel could be drawn for the last hearing for too long: the last verdict stands, if there is one."""
    if case.last.state != "wanted" or case.last.filing is not None:
        return case
    decided = [each.hearing for each in case.hearings if each.margin is not None]
    if not decided:
        return given_up(case, NO_PANEL, now_ms)
    case = msgspec.structs.replace(case, hearings=case.hearings[:-1], note=NO_PANEL)
    return msgspec.structs.replace(
        _ends(case, "failed" if case.last.margin is None else "decided"),
        stands=decided[-1],
        appeal_by_ms=now_ms,
    )


def _digest(transcript: str) -> bytes:
    return parse(transcript).digest


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
