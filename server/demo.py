"""`agon demo`: a whole arena of its own, started, watched and put away again.

The arena is a child process (`own_arena`). On a terminal the spectator's screen follows the battles; without
one, each session is told in plain text as it ends.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from pathlib import Path

from server.config import Config
from server.narrator import Narrator, Silence
from server.own_arena import own_arena
from spaces import registry

TOUR = (
    *("rap-battle", "bid-tac-toe", "bid-tac-toe"),
    *("trade-wars", "logic", "prediction", "writing"),
)
"""Short demos show the two-seat Spaces, which begin and end soonest; longer ones all of them."""


class DemoFailed(RuntimeError):
    """The demo could not go on; the message says why and where the log is."""


def run(
    config: Config, *, sessions: int, on_screen: bool, out: Path | None, space: str | None
) -> None:
    """Run the demo until it is quit or `sessions` have ended (0: no end). Raises DemoFailed."""
    quotas = share_out(sessions, space)
    if out is not None:
        _make_folder(out)
    with tempfile.TemporaryDirectory(prefix="agon-demo-") as folder:
        house = ",".join(f"{space}={count}" for space, count in quotas.items())
        with own_arena(config, Path(folder), house=house) as arena:
            narrator = Narrator(arena.api, out)
            if on_screen:
                _show(narrator, arena.api, out)
                return
            try:
                narrator.tell(sessions)
            except Silence as error:
                kept = arena.keep_log("demo")
                raise DemoFailed(f"{error}; the arena's log is {kept}") from None


def _show(narrator: Narrator, api: str, out: Path | None) -> None:
    from server.commands.proving import ArenaProver
    from tui_client.app import WatchError, run_watch

    try:
        run_watch(api, follow=True, prover=ArenaProver(url=api))
    except WatchError as error:
        raise DemoFailed(str(error)) from None
    if out is not None:
        narrator.save_finished()


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoFailed(f"cannot make the folder {out}: {error.strerror}") from None


def share_out(sessions: int, space: str | None) -> dict[str, int]:
    """How many sessions each Space plays: `sessions` of `space`, or by turns as `TOUR` goes.

    Zero means without end. `space` may be any spelling of a bridged game's id. Raises DemoFailed for a
    Space that there is not.
    """
    if space is not None:
        try:
            return {registry.get(space).id: sessions}
        except registry.UnknownSpace as error:
            raise DemoFailed(str(error)) from None
    if sessions == 0:
        return {each.id: 0 for each in registry.offered()}
    return dict(Counter(itertools.islice(itertools.cycle(TOUR), sessions)))
