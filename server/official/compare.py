"""A board computed here against the one an arena has published: the verdict, and what differs. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from server.official.document import OfficialBoard, differences

Verdict = Literal["equal", "different", "other results", "other window", "nothing published"]


class Comparison(msgspec.Struct, frozen=True):
    verdict: Verdict
    words: str
    differences: tuple[str, ...] = ()


def compare(published: OfficialBoard | None, computed: OfficialBoard) -> Comparison:
    """`different` is a board that does not follow from the results that it names; all else is explained."""
    if published is None or published.source is None:
        return Comparison("nothing published", "no board has been published yet")
    if published.window != computed.window:
        said = (
            f"the published board is of {window_words(published)}; give it as --window to compare"
        )
        return Comparison("other window", said)
    if computed.source is None or computed.source.digest != published.source.digest:
        said = (
            f"the published board is of other results ({published.source.digest[:12]}…, "
            f"{published.source.sessions} sessions): fetch that file to compare"
        )
        return Comparison("other results", said)
    found = tuple(differences(published, computed))
    if found:
        return Comparison("different", "DIFFERENT from the published board", found)
    return Comparison("equal", "equal to the published board, to the last digit")


def window_words(board: OfficialBoard) -> str:
    """As `--window` takes it, e.g. `90d,100000`."""
    return f"{board.window.days}d,{board.window.sessions}"
