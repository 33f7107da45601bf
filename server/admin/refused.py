"""Why an act was not done."""

from __future__ import annotations

from typing import Literal

Kind = Literal["unknown", "conflict", "invalid"]


class Refused(Exception):
    """Nothing has changed. The message says why, and what to do instead."""

    def __init__(self, kind: Kind, code: str, words: str) -> None:
        """`code` is for programs: `unknown-agent`, `already-settled`, …"""
        super().__init__(words)
        self.kind = kind
        self.code = code
        self.words = words


def unknown(what: str, name: str) -> Refused:
    return Refused("unknown", f"unknown-{what}", f"unknown {what} {name!r}")
