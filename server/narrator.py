"""Tells sessions in plain text as they end, through the public HTTP API: `agon demo --no-tui`."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from chain.content import cid
from chain.verify.finding import lies
from chain.verify.report import report, summary
from chain.verify.session import Asked, Documents, check
from judges.evidence import CHECKED
from server.ledger.tiers import entry_micros
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
_SEAT = re.compile(r"seat ([0-9]{1,3})\b")


class Silence(RuntimeError):
    """The arena has stopped moving, or does not answer."""


class Narrator:
    """Follows an arena from outside. `out` is an existing folder for transcripts, or None."""

    def __init__(self, api: str, out: Path | None) -> None:
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
                    f"  … still at it ({beat - last:.0f} s; a busy machine thinks slowly)",
                    flush=True,
                )
            time.sleep(POLL_S)

    def save_finished(self) -> None:
        """Write the transcripts of all sessions that have been sealed."""
        for card in self._sessions():
            if card["digest"]:
                self._save(
                    card["session"],
                    self._transcript(card["session"]),
                    self._result(card["session"]),
                )

    def _step(self, sessions: int) -> bool:
        """One look at the arena; True when something moved."""
        moved = False
        for card in reversed(self._sessions()):
            session = card["session"]
            if session in self._told or (sessions and len(self._told) >= sessions):
                continue
            detail = self._get(f"/v1/sessions/{session}")
            line = _progress(detail)
            if line != self._headlines.get(session):
                self._headlines[session] = line
                self._tell_progress(detail, line)
                moved = True
            if _over(detail):
                self._print(detail)
                self._told.add(session)
                moved = True
        return moved

    def _tell_progress(self, detail: dict[str, Any], line: str) -> None:
        """A live session now and then, since a market moves every second; what follows it at once."""
        session, now = detail["session"], time.monotonic()
        live = detail["status"] == "live"
        if live and now - self._progress_at.get(session, -PROGRESS_S) < PROGRESS_S:
            return
        self._progress_at[session] = now
        print(f"  … {detail['space']:<12} {session[-6:]}  {line}", flush=True)

    def _print(self, detail: dict[str, Any]) -> None:
        document = self._transcript(detail["session"])
        replayed = transcript.replay(transcript.read(document))
        names = _names(detail)
        print(f"\n── {detail['space']}  {detail['session']}  {' vs '.join(names)}")
        if detail["status"] == "void":
            print(f"void    {_void(detail)}; nobody is scored")
        else:
            print(replayed.space.render(replayed.state, names))
            for line in _verdict(detail, names, replayed.space):
                print(line)
        print(f"digest  {replayed.digest}  (replayed: same outcome)")
        result = self._result(detail["session"])
        for line in _proof(detail["session"], document, result):
            print(line)
        path = self._save(detail["session"], document, result)
        if path is not None:
            print(f"saved   {path}")
        print(flush=True)

    def _save(self, session: str, document: bytes, result: bytes | None) -> Path | None:
        if self._out is None:
            return None
        path = self._out / f"{session}.transcript.json"
        path.write_bytes(document)
        if result is not None:
            (self._out / f"{session}.result.json").write_bytes(result)
        return path

    def _sessions(self) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = self._get("/v1/sessions", limit=100)["sessions"]
        return page

    def _transcript(self, session: str) -> bytes:
        return self._http.get(f"/v1/sessions/{session}/transcript").raise_for_status().content

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


def _proof(session: str, document: bytes, result: bytes | None) -> list[str]:
    """What `agon verify` finds, in a line; all of it where something is a lie."""
    documents = Documents(transcript=document, result=result)
    asked = Asked(session=session, entry_micros=entry_micros)
    findings = check(documents, asked, lambda block: str(cid.of(block)))
    told = report(findings).splitlines() if lies(findings) else []
    return [f"proof   {cid.of(document)}: {summary(findings)}", *told]


def plain(text: str) -> str:
    """An agent's or a model's words as one line that cannot move the cursor."""
    return " ".join(plain_lines(text))


def _over(detail: dict[str, Any]) -> bool:
    """Sealed, and nothing more is to come of it (or will never come). What it is called does not wait for a content store."""
    steps = [step for step in detail["steps"] if step["name"] != "pinned"]
    return detail["digest"] is not None and (
        all(step["state"] == "done" for step in steps)
        or any(step["state"] == "failed" for step in steps)
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
    lines = [f"verdict by {', '.join(plain(judge) for judge in verdict.get('judges', []))}"]
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
