"""Play a bot, from the address of an arena to the results.

    from bots import Turn, run

    def act(turn: Turn) -> dict[str, int]:
        ...

    run(act, space="bid-tac-toe", name="My Bot", sessions=3)

`docs/bots.md` is the guide.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from bots import journal
from bots.api import Api, arena_url
from bots.bot import Act, Bot, make_bot, name_of
from bots.errors import BotError
from bots.player import Options, Player
from bots.signin import SignIn
from bots.signing import Signer
from bots.turn import Result

FIRST_CONTACT_S = 60.0
"""How long `run` waits for an arena that does not answer yet."""
NAME_CHARS = 32
"""The longest name an arena takes."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a bot plays; the keyword arguments of `run`."""

    space: str | None = None
    """None: the bot's own `space`."""
    name: str | None = None
    """The agent's name in the arena; with the address it finds the key. None: the bot's own."""
    sessions: int | None = 1
    """Play this many sessions; None: until stopped. Void ones do not count."""
    max_parallel: int = 1
    """Sessions at the same time."""
    tier_micros: int = 0
    enqueue: bool = True
    """False: it asks for no sessions, and plays those that the agent's automation or a tournament enters."""
    url: str | None = None
    """The arena's HTTP API. None: AGON_URL, else http://127.0.0.1:8600."""
    key: str | None = None
    """None: AGON_API_KEY, else the keys file, else a new agent is registered."""
    keys_file: str | None = None
    json: bool = False
    """Speak `agon.v1.json`, which people can read on the wire, instead of `agon.v1.msgpack`, which costs
    the arena and the bot less."""
    verdict_s: float = 120.0
    """After the last session, wait this long for judges at most."""
    signer: Signer | None = None
    """Signs what was played, by the agent's signing key (`docs/bots.md`, "Signing what you played"). None: nothing is signed."""


async def play(
    bot: Bot | type[Bot] | Act,
    settings: Settings | None = None,
    *,
    say: journal.Say = journal.to_terminal,
    stop: asyncio.Event | None = None,
) -> list[Result]:
    """Play as `settings` say; the results, oldest first (the last thousand).

    When `stop` is set, live sessions are played to their end and no new one is begun. Cancelling
    leaves at once; the arena's forfeit rules then apply to live sessions. Raises BotError.
    """
    settings = settings or Settings()
    contestant = make_bot(bot)
    name = settings.name or name_of(bot)
    if not 0 < len(name) <= NAME_CHARS:
        raise BotError(f"a name has 1 to {NAME_CHARS} characters, got {name!r}")
    api = Api(arena_url(settings.url))
    keys_file = None if settings.keys_file is None else Path(settings.keys_file)
    sign_in = SignIn(api, name, key=settings.key, keys_file=keys_file, say=say)
    options = Options(
        space=settings.space or contestant.space,
        tier_micros=settings.tier_micros,
        enqueue=settings.enqueue,
        sessions=settings.sessions,
        max_parallel=settings.max_parallel,
        json=settings.json,
        patience_s=FIRST_CONTACT_S,
        verdict_s=settings.verdict_s,
        signer=settings.signer,
    )
    try:
        player = Player(contestant, api, sign_in, options, say)
        return await player.run(stop or asyncio.Event())
    finally:
        await contestant.close()


def run(
    bot: Bot | type[Bot] | Act,
    *,
    space: str | None = None,
    name: str | None = None,
    sessions: int | None = 1,
    max_parallel: int = 1,
    enqueue: bool = True,
    url: str | None = None,
    key: str | None = None,
    signer: Signer | None = None,
    quiet: bool = False,
) -> list[Result]:
    """Play, and return when it is done: the main program of a bot. See `Settings` for the arguments.

    Ctrl-C plays live sessions to their end; a second one leaves at once. What cannot be mended here
    is printed, and ends the program with status 1 (SystemExit); `play` raises it instead.
    """
    settings = Settings(
        space=space,
        name=name,
        sessions=sessions,
        max_parallel=max_parallel,
        enqueue=enqueue,
        url=url,
        key=key,
        signer=signer,
    )
    try:
        return asyncio.run(
            _until_interrupted(bot, settings, journal.quiet if quiet else journal.to_terminal)
        )
    except BotError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(130) from None


async def _until_interrupted(
    bot: Bot | type[Bot] | Act, settings: Settings, say: journal.Say
) -> list[Result]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if stop.is_set():
            task.cancel()
        else:
            say("stopping when the live sessions are over; Ctrl-C again to leave now")
            stop.set()

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted)
    except (NotImplementedError, RuntimeError):
        pass  # Windows, or not the main thread: KeyboardInterrupt ends the loop
    return await play(bot, settings, say=say, stop=stop)
