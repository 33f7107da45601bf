"""`agon tournament`: a tournament in an arena of its own, whose entrants are brains that play from here.

The arena is a child process with every role, the tournament's director among them. The entrants are hosted
agents, played by a runner in this process over the same websocket as any bot, so a failing model voids
a session, which is then replayed, and scores for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console

from bots.brains import BadSettings, make
from bots.brains.solver import CannotSolve, find_table
from bots.hosted import HostedAgent
from bots.journal import plain
from bots.runner import Runner
from server.clock import unix_ms
from server.config import Config
from server.embedded import services
from server.embedded.data_dir import DataDir
from server.embedded.llm import SLOTS
from server.identity import HOUSE_OWNER, new_id
from server.own_arena import OwnArena, own_arena
from server.store import Store, open_store
from server.store.tournaments import TournamentRow
from server.tournament.commitment import committed
from server.tournament.contestants import Contestant, parse
from server.tournament.progress import Progress
from server.tournament.regret import regrets
from server.tournament.report import Regrets, Report, lines, matrix, rendered
from server.tournament.setup import BadSetup, Entrant, Setup, check
from server.tournament.tournament import ATTEMPTS, Game
from spaces import registry
from spaces.seed import SEED_BYTES

CREDITS = 1_000_000
"""The entrants are ours: no rate limit holds them up."""
AT_ONCE = 32
"""Sessions that one entrant without a model plays at once, at most."""
MODEL_AT_ONCE = SLOTS + 2
"""Sessions that all entrants with a model play at once: what waits for the model is running out of time."""
POLL_S = 0.5
PRINTED_WIDTH = 120
"""Columns of a report that is not printed on a terminal."""
SILENCE_S = 900.0
"""No game has ended for so long: something is wrong."""


class TournamentFailed(RuntimeError):
    """The tournament cannot be played, or stopped; the message says why."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    space: str
    """In any spelling of a bridged game's id, e.g. `openspiel:go(board_size=9)`."""
    entrants: str
    format: Literal["knockout", "round-robin"]
    sessions: int = 0
    parallel: int = 64
    params: dict[str, Any] = {}
    out: Path | None = None


def read_options(*, params: str, **options: Any) -> Options:
    """The options as they were typed; `params` is `NAME=VALUE,…`. Raises TournamentFailed."""
    pairs = [part.partition("=") for part in params.split(",") if part.strip()]
    values = {name.strip(): _value(value.strip()) for name, _, value in pairs}
    try:
        return msgspec.convert({**options, "params": values}, Options)
    except msgspec.ValidationError as error:
        raise TournamentFailed(str(error)) from None


def _value(text: str) -> Any:
    """As JSON where it is some (a number, true, a list), else as text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def tell(report: Report, as_json: bool) -> None:
    """Print it on standard output."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        width = None if sys.stdout.isatty() else PRINTED_WIDTH
        Console(width=width).print(rendered(report))


def run(config: Config, options: Options, *, on_screen: bool) -> Report:
    """Play it to its end. Raises TournamentFailed, own_arena.ArenaFailed."""
    try:
        contestants = parse(options.entrants)
        setup = check(setup_of(options), len(contestants))
        _try_brains(contestants, setup.space)
        _try_tables(contestants, setup)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
    except (BadSetup, BadSettings) as error:
        raise TournamentFailed(str(error)) from None
    except OSError as error:
        raise TournamentFailed(f"cannot make the folder {options.out}: {error.strerror}") from None
    config = msgspec.structs.replace(
        config, credits=CREDITS, credits_per_s=CREDITS, connections_per_address=CREDITS
    )
    with (
        tempfile.TemporaryDirectory(prefix="agon-tournament-") as folder,
        own_arena(config, Path(folder), house="none") as arena,
    ):
        played = _Played(arena, setup, contestants, options.out)
        try:
            return played.watched() if on_screen else asyncio.run(played.run())
        except TournamentFailed as error:
            kept = arena.keep_log("tournament")
            raise TournamentFailed(f"{error}; the arena's log is {kept}") from None


def setup_of(options: Options) -> Setup:
    """Unchecked, and for the Space's own id. Raises BadSetup."""
    try:
        return msgspec.convert(
            {
                "space": registry.get(options.space).id,
                "format": options.format,
                "params": options.params,
                "games": options.sessions,
                "parallel": options.parallel,
            },
            Setup,
        )
    except (registry.UnknownSpace, msgspec.ValidationError) as error:
        raise BadSetup(str(error)) from None


def _try_brains(contestants: Sequence[Contestant], space: str) -> None:
    """Raise BadSettings before an arena is started."""
    for each in contestants:
        make(each.brain, space, {**_model("http://127.0.0.1:9", "m", "", each), **each.settings})


def _try_tables(contestants: Sequence[Contestant], setup: Setup) -> None:
    """Raise TournamentFailed where the solver has no table of the variant: it would void every game."""
    if any(each.brain == "solver" for each in contestants):
        try:
            find_table(registry.get(setup.space).params(setup.params))
        except CannotSolve as error:
            raise TournamentFailed(str(error)) from None


def scored(report: Report, failures: Mapping[str, str]) -> Report:
    """The report. Raises TournamentFailed where no game has a result: then nobody has won."""
    if report.sessions:
        return report
    voided = max(report.voided, key=lambda reason: report.voided[reason], default="")
    told = [f"{name}: {said}" for name, said in failures.items()]
    why = plain(next(iter(told), voided or "no reason is known"))
    raise TournamentFailed(f"no game could be played, so nobody has won; {why}")


def _model(url: str, model: str, api_key: str, contestant: Contestant) -> dict[str, Any]:
    """The settings that say where the model is; none for a brain without one."""
    return {"url": url, "model": model, "api_key": api_key} if contestant.brain == "llm" else {}


class _Played:
    """One tournament in one arena."""

    def __init__(
        self, arena: OwnArena, setup: Setup, contestants: Sequence[Contestant], out: Path | None
    ) -> None:
        self._arena = arena
        self._setup = setup
        self._contestants = contestants
        self._out = out
        self._tournament = new_id()
        self._models = sum(each.brain == "llm" for each in contestants)
        self._failures: dict[str, str] = {}
        """The first failure of each entrant, in its own words."""

    def watched(self) -> Report:
        """Play while the terminal shows it; who quits the screen waits for the end in the shell."""
        from server.tournament.screen import show_while

        return show_while(self.run(), self._arena.api, self._tournament)

    async def run(self) -> Report:
        """Play it to its end. Raises TournamentFailed."""
        async with self._services() as (urls, store):
            entrants, agents = await self._register(store, urls.llm or "")
            runner = Runner(
                self._arena.api, agents, model_calls=SLOTS, abandon_rest_s=0.0, say=self._hear
            )
            playing = asyncio.create_task(runner.run())
            try:
                began = time.monotonic()
                row = await self._create(store, entrants)
                await self._follow(store, playing)
                took_s = time.monotonic() - began
            finally:
                await runner.drain(2.0)
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
            return scored(await self._report(store, row, took_s), self._failures)

    def _hear(self, line: str) -> None:
        """Nobody reads the journals of so many bots, but what fails in them is told once."""
        name, _, said = line.partition(": ")
        if name not in self._failures and "act raised" in said:
            self._failures[name] = plain(said.rstrip().rpartition("\n")[2])
            print(f"  {plain(name)}: {self._failures[name]}", file=sys.stderr, flush=True)

    @contextlib.asynccontextmanager
    async def _services(self) -> AsyncIterator[tuple[services.Urls, Store]]:
        """The arena's own services: they are shared by whoever uses its data directory."""
        config = self._arena.config
        with DataDir(config.data_dir) as data:
            urls = await services.start(config, data, with_llm=self._models > 0)
            store = await open_store(urls.database)
            try:
                yield urls, store
            finally:
                await store.close()

    async def _register(
        self, store: Store, llm_url: str
    ) -> tuple[list[Entrant], list[HostedAgent]]:
        entrants, agents = [], []
        for each in self._contestants:
            identity, _ = await store.agents.register(each.name, HOUSE_OWNER, "hosted")
            with_model = each.brain == "llm"
            entrants.append(
                Entrant(
                    agent=identity.agent,
                    name=identity.name,
                    version=identity.version,
                    owner=identity.owner,
                    at_once=max(1, MODEL_AT_ONCE // self._models) if with_model else AT_ONCE,
                )
            )
            config = self._arena.config
            model = _model(llm_url, config.llm_model, config.llm_api_key, each)
            agents.append(
                HostedAgent(
                    name=each.name,
                    space=self._setup.space,
                    brain=each.brain,
                    settings={**model, **each.settings},
                    key=await store.hosting.key(identity.agent),
                    enqueue=False,
                )
            )
        return entrants, agents

    async def _create(self, store: Store, entrants: Sequence[Entrant]) -> TournamentRow:
        seed = secrets.token_bytes(SEED_BYTES)
        row = TournamentRow(
            tournament=self._tournament,
            owner=HOUSE_OWNER,
            status="running",
            created_ms=unix_ms(),
            setup=self._setup,
            seed=seed,
            seed_commit=committed(self._tournament, self._setup, entrants, seed),
        )
        await store.tournaments.create(row, entrants)
        return row

    async def _follow(self, store: Store, playing: asyncio.Task[None]) -> None:
        """Until the last game is over. Raises TournamentFailed when nothing moves any more."""
        last, last_at = 0, time.monotonic()
        with Progress(self._setup.games) as progress:
            while True:
                row = await store.tournaments.get(self._tournament)
                counts = await store.tournaments.counts([self._tournament])
                _, scored = counts[self._tournament]
                progress.at(scored)
                if row is not None and row.status == "ended":
                    return
                if scored > last:
                    last, last_at = scored, time.monotonic()
                if time.monotonic() - last_at > SILENCE_S:
                    raise TournamentFailed(f"no game has ended for {SILENCE_S:.0f} s")
                await asyncio.wait({playing}, timeout=POLL_S)
                if playing.done():
                    raise TournamentFailed(f"the entrants have left: {playing.exception()!r}")

    async def _report(self, store: Store, row: TournamentRow, took_s: float) -> Report:
        ended = await store.tournaments.get(row.tournament)
        assert ended is not None, "it has ended"
        assert ended.standings is not None, "it has ended"
        games = await store.tournaments.games(row.tournament)
        found = Regrets(len(self._contestants))
        for game in games:
            await self._read(store, game, found)
        names = [each.name for each in self._contestants]
        return Report(
            tournament=row.tournament,
            space=self._setup.space,
            format=self._setup.format,
            sessions=sum(game.state == "scored" for game in games),
            voided=dict(Counter(plain(each.reason) for each in games if each.state == "void")),
            given_up=sum(each.state == "void" and each.attempt == ATTEMPTS for each in games),
            seconds=math.ceil(took_s * 10) / 10,
            seed_commit=row.seed_commit,
            seed=row.seed.hex(),
            standings=lines(ended.standings, names, found),
            matrix=matrix(ended.standings, games),
        )

    async def _read(self, store: Store, game: Game, found: Regrets) -> None:
        """Take the regrets of a game's transcript, and keep it where that was asked for."""
        document = await store.sessions.transcript(game.session)
        if document is None:
            return
        if game.state == "scored":
            for seat, judged in regrets(document).items():
                found.add(game.fixture.seats[seat], judged)
        if self._out is not None:
            path = self._out / f"{game.session}.transcript.json"
            await asyncio.to_thread(path.write_bytes, document)
