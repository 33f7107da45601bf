"""What `agon replay` prints of a transcript: who sat where, what happened, and that it all checks out."""

from __future__ import annotations

from server.remarks import annotations_told, notes_told
from spaces import transcript


class ReplayFailed(ValueError):
    """The document is not a transcript, or it is not true; the message names the fact."""


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
        with transcript.playing(replayed.space):
            position = replayed.space.render(replayed.state)
    except transcript.TranscriptError as error:
        raise ReplayFailed(str(error)) from None
    outcome = replayed.outcome
    returns = "the judges decide" if outcome.returns is None else f"returns {list(outcome.returns)}"
    lines = [
        f"session  {read.session}",
        f"space    {read.space} ({read.rules}), {len(read.seats)} seats, {len(read.entries)} entries",
        "",
        position,
        "",
        *notes_told(read.entries),
        f"outcome  {outcome.termination}: {returns}",
        "checked  canonical bytes, chain of entries, Merkle root, seed commitment, every action by the rules: ok",
        f"digest   {replayed.digest}",
        *annotations_told(read.entries),
    ]
    return "\n".join(lines)
