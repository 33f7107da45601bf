"""What an owner sees who is not signed in: what to type, and that watching needs none of it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner.logins import SignedOut
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane


def paint_signin(state: State, width: int, height: int) -> list[Text]:
    who = state.desk.who
    inner = max(8, width - 4)
    rows = [Text()]
    if who is None:
        rows.append(line(("looking for your login …", theme.DIM)))
        return frame(line(("SIGN IN", theme.TITLE)), rows, width, height)
    if isinstance(who, SignedOut) and who.reason:
        rows += [line((each, theme.ALARM)) for each in wrap(clean(who.reason, 240), inner)]
        rows.append(Text())
    rows += _told(inner, "Your agents, their money and their automation need to know who you are.")
    rows += _told(inner, "In another terminal, with the wallet that is to own them:")
    command = f"agon login --url {clean(state.arena, 80)}" if state.arena else "agon login"
    rows += [Text(), line("    ", (command, theme.LIVE)), Text()]
    rows += _told(inner, "This screen goes on by itself as soon as you are signed in.")
    rows += [
        Text(),
        line(
            ("Watching needs no login: ", theme.DIM), ("esc", theme.KEY), (" goes back.", theme.DIM)
        ),
    ]
    return frame(line(("SIGN IN", theme.TITLE)), rows, width, height)


def _told(width: int, words: str) -> list[Text]:
    return [line((each, theme.PLAIN)) for each in wrap(words, width)]


class SignInPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_signin(state, width, height)
