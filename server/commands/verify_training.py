"""`agon verify --training`: did this adapter come of the sessions that its card names?"""

from __future__ import annotations

import tempfile
import time
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chain.verify.finding import Finding, lies
from chain.verify.report import line_of, summary
from server.commands.fetching import is_cid
from server.commands.running import CommandError
from server.config import Config

if TYPE_CHECKING:
    from training.proof.shown import Fetch
    from training.trajectory.returns import Verdict
    from training.trajectory.turn import Questions

TOLD_EVERY_S = 10.0
MAX_PROMPT = 64 * 1024
_CARD = b'"v":"agon-adapter/1"'


def verify_training(
    what: str, settings: Config, ipfs: str | None, steps: str, system_file: Path | None
) -> int:
    """Print a line for each fact; returns the exit status. `what` is a content id, a card's file, or a folder with one. Raises CommandError."""
    from training.proof.choose import BadSteps
    from training.proof.verify import Asked, findings, was_made_again

    with ExitStack() as stack:
        card, fetch = _card(what, settings, ipfs, stack)
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agon-verify-")))
        asked = Asked(
            card=card,
            cid=what if is_cid(what) else None,
            fetch=fetch,
            work=work,
            systems=_systems(system_file),
            steps=steps,
            questions=_questions(),
            verdict=_verdict,
            told=_Progress(),
        )
        found: list[Finding] = []
        try:
            for each in findings(asked):
                found.append(each)
                typer.echo(line_of(each))  # when it is known: a step takes seconds
        except BadSteps as error:
            raise CommandError(f"--steps: {error}") from None
    typer.echo(f"\n{summary(found)}")
    return 0 if not lies(found) and was_made_again(found) else 1


def _card(what: str, settings: Config, ipfs: str | None, stack: ExitStack) -> tuple[bytes, Fetch]:
    """The card's bytes, and where the rest is had from."""
    from training.proof.shown import MAX_CARD, Away, NotThere
    from training.proof.sources import Folder, Store, first_of

    def store() -> Fetch:
        return stack.enter_context(Store(lambda: _opened(settings, ipfs))).fetch

    if is_cid(what):
        fetch = store()
        try:
            return fetch(what, MAX_CARD), fetch
        except (NotThere, Away) as error:
            raise CommandError(f"--training {what}: {error}") from None
    file = _file(Path(what))
    sources: list[Fetch] = [Folder(file.parent).fetch]
    if ipfs is not None:
        sources.append(store())
    return _read(file, MAX_CARD, "--training"), first_of(sources)


def _opened(settings: Config, ipfs: str | None) -> AbstractAsyncContextManager[str]:
    """The content store that was named, or that of the arena on this machine."""
    from server.commands.opening import content

    return content(settings) if ipfs is None else nullcontext(ipfs)


def _file(path: Path) -> Path:
    """A card's file; of a folder the only one in it. Raises CommandError."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise CommandError(f"--training {path}: no such file, and no content id")
    cards = [each for each in sorted(path.glob("*.json")) if _is_card(each)]
    if len(cards) != 1:
        raise CommandError(
            f"{path} has {len(cards)} adapters' cards (agon-adapter/1): name one of them, or a folder with one"
        )
    return cards[0]


def _is_card(file: Path) -> bool:
    return file.stat().st_size < MAX_PROMPT and _CARD in file.read_bytes()


def _read(file: Path, most: int, option: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1).removesuffix(b"\n")  # editors add one
    except OSError as error:
        raise CommandError(f"{option} {file}: cannot be read: {error.strerror}") from None


def _systems(file: Path | None) -> tuple[str, ...]:
    """The default prompt, which everybody knows, and the one that was given: as it is, and without the line's end that editors add."""
    from bots.brains.llm import LlmSettings

    known: tuple[str, ...] = (LlmSettings(url="", model="").system,)
    if file is None:
        return known
    try:
        given = _read(file, MAX_PROMPT, "--system-file").decode()
    except UnicodeDecodeError:
        raise CommandError(f"--system-file {file}: no text in UTF-8") from None
    return (*known, given, f"{given}\n")


def _questions() -> dict[str, Questions]:
    from server.training.questions import BrainQuestions

    return {BrainQuestions.name: BrainQuestions()}


def _verdict(document: bytes, result: bytes) -> Verdict | None:
    from server.training.lessons import lesson

    return lesson(document, result).verdict


class _Progress:
    """A line on standard error every few seconds, with the time that is left."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == 1:
            self._began = now  # the first one waits for the model to be loaded
        elif now - self._last >= TOLD_EVERY_S:
            self._last = now
            left = (now - self._began) / (done - 1) * (total - done)
            typer.echo(f"… step {done} of {total} made again, about {left:.0f} s left", err=True)
