"""Tells sessions in plain text as they end, through the public HTTP API: `agon demo --no-tui`."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chain.content import cid
from chain.verify.finding import lies, merged
from chain.verify.report import report, summary
from chain.verify.session import Asked, check
from judges.evidence import CHECKED
from judges.rubric import RUBRICS
from server.commands import fetching
from server.commands.chain_at import ChainAt
from server.commands.running import CommandError
from server.commands.verify import of_court
from server.demo import court_words
from server.ledger.tiers import entry_micros
from server.protocol import CaseView
from server.ratings import ranks_of
from spaces import transcript
from spaces.plain_text import plain_lines
from spaces.seat_names import listed, seat_name
from spaces.space import Space

POLL_S = 0.5
SILENCE_S = 400.0
"""Nothing has moved for this long: something is wrong."""
HEARTBEAT_S = 20.0
PROGRESS_S = 5.0
"""Between two lines about the same live session."""
MAX_REASON = 160
ON_CHAIN = ("opened", "anchored")
"""Lines of a session's proof that a transaction is behind."""
LAST = ("anchored", "paid")
"""Those that the chain ends with; where it gives the entries back, there is nothing to pay."""
_SEAT = re.compile(r"seat ([0-9]{1,3})\b")


class Silence(RuntimeError):
    """The arena has stopped moving, or does not answer."""


COURTS = {"case": "document", "court_epoch": "epoch"}
"""What is saved beside a transcript that judges have decided, by the names that `agon verify` looks for."""


class Narrator:
    """Follows an arena from outside. `out` is an existing folder for transcripts, or None. With `chain`, what is played for money
    is told when an epoch has settled it there, and checked against that chain."""

    def __init__(self, api: str, out: Path | None, chain: ChainAt | None = None) -> None:
        self._chain = chain
        self._http = httpx.Client(base_url=api, timeout=10, trust_env=False)
        self._out = out
        self._told: set[str] = set()
        self._headlines: dict[str, str] = {}
        self._progress_at: dict[str, float] = {}
        """When each session's progress was last told; monotonic seconds."""

    def tell(self, sessions: int) -> None:
        """Print each session once it is over and judged; return after `sessions` (0: never).

        Raises Silence.
        """
        last = beat = time.monotonic()
        print(f"the arena is open at {self._http.base_url}", flush=True)
        while sessions == 0 or len(self._told) < sessions:
            if self._step(sessions):
                last = time.monotonic()
            elif time.monotonic() - last > SILENCE_S:
                raise Silence(f"nothing has moved for {SILENCE_S:.0f} s")
            elif time.monotonic() - max(last, beat) > HEARTBEAT_S:
                beat = time.monotonic()
                print(
                    f"  … still at it ({beat - last:.0f} s; models think slowly on a busy machine, and verdicts wait for appeals)",
                    flush=True,
                )
            time.sleep(POLL_S)

    def save_finished(self) -> None:
        """Write the transcripts of all sessions that have been sealed."""
        for card in self._sessions():
            document = self._transcript(card["session"]) if card["digest"] else None
            if document is not None:
                self._save(card["session"], document, self._result(card["session"]))

    def _step(self, sessions: int) -> bool:
        """One look at the arena; True when something moved."""
        moved = False
        for card in reversed(self._sessions()):
            session = card["session"]
            if session in self._told or (sessions and len(self._told) >= sessions):
                continue
            detail = self._get(f"/v1/sessions/{session}")
            line = self._line(detail)
            if line != self._headlines.get(session):
                self._headlines[session] = line
                self._tell_progress(detail, line)
                moved = True
            document = self._transcript(session) if self._through(detail) else None
            if document is not None:
                self._print(detail, document)
                self._told.add(session)
                moved = True
        return moved

    def _line(self, detail: dict[str, Any]) -> str:
        """How far a session is; while the court is at it, how far that is."""
        view = None if detail["status"] != "ended" else self._case(detail)
        return _progress(detail) if view is None or view.final else court_words.progress(view)

    def _case(self, detail: dict[str, Any]) -> CaseView | None:
        """The session before the court; None where it is not."""
        if self._chain is None or detail["space"] not in RUBRICS:
            return None
        answer = self._http.get(f"/v1/court/cases/{detail['session']}")
        if answer.status_code == 404:
            return None
        return msgspec.json.decode(answer.raise_for_status().content, type=CaseView)

    def _tell_progress(self, detail: dict[str, Any], line: str) -> None:
        """A live session now and then, since a market moves every second; what follows it at once."""
        session, now = detail["session"], time.monotonic()
        live = detail["status"] == "live"
        if live and now - self._progress_at.get(session, -PROGRESS_S) < PROGRESS_S:
            return
        self._progress_at[session] = now
        print(f"  … {detail['space']:<12} {session[-6:]}  {line}", flush=True)

    def _print(self, detail: dict[str, Any], document: bytes) -> None:
        replayed = transcript.replay(transcript.read(document))
        names = _names(detail)
        print(f"\n── {detail['space']}  {detail['session']}  {' vs '.join(names)}")
        if detail["status"] == "void":
            print(f"void    {_void(detail)}; nobody is scored")
        else:
            print(replayed.space.render(replayed.state, names))
            for line in _verdict(detail, names, replayed.space):
                print(line)
            view = self._case(detail)
            for line in [] if view is None else court_words.panel(view, names):
                print(line)
        print(f"digest  {replayed.digest}  (replayed: same outcome)")
        for line in self._proof(detail):
            print(line)
        path = self._save(detail["session"], document, self._result(detail["session"]))
        if path is not None:
            print(f"saved   {path}")
        print(flush=True)

    def _proof(self, detail: dict[str, Any]) -> list[str]:
        """What has become of it on the chain, and what `agon verify` finds, in a line; all of it where something is a lie."""
        session = detail["session"]
        try:
            found = fetching.documents(fetching.Wanted(session, str(self._http.base_url)))
            asked = Asked(session=session, entry_micros=entry_micros)
            findings = merged(check(found, asked, _cid_of), of_court(found, _cid_of))
            if self._chain is not None and detail["tier_micros"]:
                findings = merged(findings, fetching.of_chain(found, self._chain))
        except CommandError as error:
            raise Silence(str(error)) from None
        lines = [
            f"chain   {line['name']}: {plain(line['detail'])}"
            for line in self._chained(detail)
            if line["name"] in ON_CHAIN
        ]
        if found.transcript is not None:
            lines.append(f"cid     {cid.of(found.transcript)}")
        told = report(findings).splitlines() if lies(findings) else []
        return [*lines, f"proof   {summary(findings)}", *told]

    def _chained(self, detail: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines of its proof; none where it was not played for what is on a chain."""
        if self._chain is None or not detail["tier_micros"]:
            return []
        lines: list[dict[str, Any]] = self._get(f"/v1/sessions/{detail['session']}/proof")["lines"]
        return lines

    def _through(self, detail: dict[str, Any]) -> bool:
        """Whether nothing more is to come of it, on the chain either."""
        return _over(detail) and all(
            line["state"] != "waiting" for line in self._chained(detail) if line["name"] in LAST
        )

    def _save(self, session: str, document: bytes, result: bytes | None) -> Path | None:
        if self._out is None:
            return None
        path = self._out / f"{session}.transcript.json"
        path.write_bytes(document)
        if result is not None:
            (self._out / f"{session}.result.json").write_bytes(result)
        for name, of_case in COURTS.items():
            answer = self._http.get(f"/v1/court/cases/{session}/{of_case}")
            if answer.is_success:
                (self._out / f"{session}.{name}.json").write_bytes(answer.content)
        return path

    def _sessions(self) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self._get("/v1/sessions", limit=100)["sessions"]
        return page

    def _transcript(self, session: str) -> bytes | None:
        """None where it has not been signed yet."""
        answer = self._http.get(f"/v1/sessions/{session}/transcript")
        return None if answer.status_code == 404 else answer.raise_for_status().content

    def _result(self, session: str) -> bytes | None:
        """None where the session will not be settled and rated."""
        answer = self._http.get(f"/v1/sessions/{session}/result")
        return answer.content if answer.is_success else None

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        try:
            answer = self._http.get(path, params=query).raise_for_status()
        except httpx.HTTPError as error:
            raise Silence(f"the arena does not answer: {error}") from None
        body: dict[str, Any] = answer.json()
        return body


def _cid_of(block: bytes) -> str:
    return str(cid.of(block))


def plain(text: str) -> str:
    """An agent's or a model's words as one line that cannot move the cursor."""
    return " ".join(plain_lines(text))


def _over(detail: dict[str, Any]) -> bool:
    """Sealed, and nothing more is to come of it (or will never come). What it is called does not wait for a content store."""
    states = [step["state"] for step in detail["steps"] if step["name"] != "pinned"]
    return detail["digest"] is not None and (
        all(state == "done" for state in states) or "failed" in states
    )


def _names(detail: dict[str, Any]) -> list[str]:
    """By seat."""
    return [plain(seat["name"]) for seat in sorted(detail["seats"], key=lambda each: each["seat"])]


def _void(detail: dict[str, Any]) -> str:
    """Why; the agent by name, since the arena's reason has its seat's number."""
    reason = plain(str((detail["outcome"] or {}).get("reason", ""))) or "no reason is known"
    found = _SEAT.match(reason)
    return seat_name(_names(detail), int(found[1])) + reason[found.end() :] if found else reason


def _progress(detail: dict[str, Any]) -> str:
    if detail["status"] == "live":
        return plain(detail["headline"]) or "live"
    if detail["status"] == "void":
        return f"void: {_void(detail)}"
    return "  ".join(
        f"{step['name']} {step['state']}"
        + (f" ({plain(step['detail'])})" if step.get("detail") else "")
        for step in detail["steps"]
    )


def _verdict(detail: dict[str, Any], names: list[str], space: Space[Any, Any, Any]) -> list[str]:
    """The result in words: what the rules or the judges found."""
    outcome, verdict = detail["outcome"] or {}, detail["verdict"]
    if verdict is None:
        returns = outcome.get("returns")
        if returns is None:
            return ["verdict none: the judges failed; the session is not scored"]
        best = [name for name, value in zip(names, returns, strict=True) if value == max(returns)]
        ended = outcome["termination"]
        how = "" if ended == "complete" else f" ({ended})"
        lines = [f"verdict {_winners(best, len(names))}{how}"]
        told = [space.return_in_words(value) for value in returns]
        return lines if len(names) == 2 else [*lines, *_standings(names, ranks_of(returns), told)]
    judges = [plain(judge) for judge in verdict.get("judges", [])]
    staked = all(judge.startswith("0x") for judge in judges)
    by = f"{len(judges)} judges with a stake" if judges and staked else ", ".join(judges)
    lines = [f"verdict by {by}"]
    for row in verdict["lines"]:
        scores = "  ".join(
            f"{name} {_points(score):>4}"
            for name, score in zip(names, row["scores_milli"], strict=True)
        )
        reason = next(iter(row.get("reasons", [])), "")
        lines.append(f"  {row['name']:<10} {scores}   {plain(reason)[:MAX_REASON]}".rstrip())
    for item in verdict.get("evidence", []):
        values = "  ".join(
            f"{name} {_value(value, item.get('note', ''))}"
            for name, value in zip(names, item["values_milli"], strict=True)
        )
        lines.append(f"  {item['name']}: {values}")
    ranks = verdict["ranks"]
    best = [name for name, rank in zip(names, ranks, strict=True) if rank == 1]
    lines.append(f"  → {_winners(best, len(names))}")
    totals = [_points(total) for total in verdict["totals_milli"]]
    return lines if len(names) == 2 else [*lines, *_standings(names, ranks, totals)]


def _points(milli: int) -> str:
    """To one place, halves up, as on the spectator's screen."""
    tenths = (milli + 50) // 100
    return f"{tenths // 10}.{tenths % 10}"


def _value(milli: int, note: str) -> str:
    """Evidence may be a point that was checked, a count or a share."""
    if note.startswith(CHECKED):
        return "yes" if milli else "no"
    return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli / 1000:.2f}"


def _winners(best: list[str], seats: int) -> str:
    if len(best) == seats:
        return "draw"
    return f"{best[0]} wins" if len(best) == 1 else f"{listed(best)} share the lead"


def _standings(names: Sequence[str], ranks: Sequence[int], told: Sequence[str]) -> list[str]:
    """The seats and what each has, best first; equals share a rank."""
    order = sorted(range(len(names)), key=lambda seat: (ranks[seat], seat))
    name, value = max(map(len, names)), max(map(len, told))
    return [f"  {ranks[seat]}  {names[seat]:<{name}}  {told[seat]:>{value}}" for seat in order]
