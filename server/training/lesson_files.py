"""Lessons in a folder: each document a file by its session's CID, so that a process of its own can learn from them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from server.training.lessons import Lesson, lesson

_TRANSCRIPT, _RESULT = ".transcript.json", ".result.json"


def save(lessons: Iterable[Lesson], folder: Path) -> None:
    """Idempotent; whatever else is in the folder stays. A file is whole or not there, and a transcript is
    written after its result."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in lessons:
        if each.result is not None:
            _write(folder / f"{each.session}{_RESULT}", each.result)
        _write(folder / f"{each.session}{_TRANSCRIPT}", each.transcript)


def load(folder: Path) -> tuple[Lesson, ...]:
    """In the order of their CIDs, checked anew. Raises LessonError, OSError."""
    found = []
    for path in sorted(folder.glob(f"*{_TRANSCRIPT}")):
        beside = path.with_name(path.name.removesuffix(_TRANSCRIPT) + _RESULT)
        result = beside.read_bytes() if beside.is_file() else None
        found.append(lesson(path.read_bytes(), result))
    return tuple(sorted(found, key=lambda each: each.session))


def _write(path: Path, document: bytes) -> None:
    if path.is_file() and path.stat().st_size == len(document):
        return
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
