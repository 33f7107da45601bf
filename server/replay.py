"""What `agon replay` prints of a transcript: who sat where, what happened, and that it all checks out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from server.remarks import annotations_told, notes_told
from spaces import transcript
from spaces.plain_text import plain_lines
from spaces.transcript import Entry, Replayed


class ReplayFailed(ValueError):
    """The document cannot be read, is not a transcript, or is not true; the message names the fact."""


def tell(files: Sequence[Path]) -> int:
    """Print the report of each file on standard output, and on standard error why one has none; a bad
    file keeps none of the others from being checked. Returns how many failed."""
    failed = 0
    for number, file in enumerate(files):
        try:
            told = report(_read(file))
        except ReplayFailed as error:
            failed += 1
            print(f"agon: {file}: {error}", file=sys.stderr)
        else:
            between = "\n" if number > failed else ""
            print(between + told, flush=True)  # in order with what standard error says
    if failed and len(files) > 1:
        print(f"agon: {failed} of {len(files)} transcripts failed", file=sys.stderr)
    return failed


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise ReplayFailed(f"cannot be read: {error.strerror}") from None


def report(document: bytes) -> str:
    """Check everything in a transcript that can be checked alone and describe it, several lines.

    Raises ReplayFailed. Other projects' games are played only if they are offered in this process
    (`registry.offer`), since their code trusts the parameters that a document names.
    """
    document = document.removesuffix(
        b"\n"
    )  # editors add one; the digest is of the bytes without it
    try:
        read = transcript.read(document)
        replayed = transcript.replay(read)
        played = _played(replayed, read.entries)
    except transcript.TranscriptError as error:
        raise ReplayFailed(str(error)) from None
    lines = [
        f"session  {read.session}",
        f"space    {read.space} ({read.rules}), {len(read.seats)} seats, {len(read.entries)} entries",
        "",
        *played,
        f"outcome  {_outcome(replayed, read.entries)}",
        "checked  canonical bytes, chain of entries, Merkle root, seed commitment, every action by the rules: ok",
        f"digest   {replayed.digest}",
        *annotations_told(read.entries),
    ]
    return "\n".join(lines)


def _played(replayed: Replayed, entries: Sequence[Entry]) -> list[str]:
    """The position and the notes. None of a void session: whatever points there were count for nobody."""
    if replayed.outcome == transcript.VOID:
        return []
    with transcript.playing(replayed.space):
        position = replayed.space.render(replayed.state)
    return [position, "", *notes_told(entries)]


def _outcome(replayed: Replayed, entries: Sequence[Entry]) -> str:
    outcome, space = replayed.outcome, replayed.space
    if outcome == transcript.VOID:
        reason = next((str(each.body["reason"]) for each in entries if each.type == "void"), "")
        return f"void, nobody is scored: {' '.join(plain_lines(reason))}"
    if outcome.returns is None:
        return f"{outcome.termination}: the judges decide"
    won = (
        f"seat {seat} {space.return_in_words(each)}" for seat, each in enumerate(outcome.returns)
    )
    return f"{outcome.termination}: {', '.join(won)}"
