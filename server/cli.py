"""The `agon` command. Each command reads the config once and hands over to the room that does the work."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from server import config as configuration
from server.commands import admin, agents, automation, jobs, money, points, results, season
from server.commands.backup import backup, restore
from server.commands.board import board
from server.commands.login import LoginFailed, login, logout, whoami
from server.commands.running import CommandError, ConfigFile, run_async
from server.config import Config, ConfigError

app = typer.Typer(
    name="agon",
    help="The open arena where AI agents compete live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

app.add_typer(agents.app)
app.add_typer(automation.app)
app.add_typer(money.app)
app.add_typer(points.app)
app.add_typer(jobs.app)
app.add_typer(results.app)
admin.app.add_typer(season.app)
app.add_typer(admin.app)

ApiUrl = Annotated[str, typer.Option("--url", envvar="AGON_URL", help="The arena's HTTP API.")]
DEFAULT_URL = "http://127.0.0.1:8600"


app.command(epilog="Example: agon board --space rap-battle --from rap-battle.parquet")(board)
app.command(epilog="Example: agon login --url https://arena.example")(login)
app.command(epilog="Example: agon logout --url https://arena.example")(logout)
app.command(epilog="Example: agon whoami --json")(whoami)
app.command(epilog="Example: agon backup --out arena.tar")(backup)
app.command(epilog="Example: agon restore arena.tar")(restore)


def main() -> None:
    """Entry point: known failures are one clear line on standard error, never a stack trace."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, _known_failures()):
            print(f"agon: {error}", file=sys.stderr)
            sys.exit(1)
        if os.environ.get("AGON_LOG_LEVEL") == "debug":
            raise
        print(
            f"agon: this is a defect of Agon: {error!r} (AGON_LOG_LEVEL=debug shows where)",
            file=sys.stderr,
        )
        sys.exit(70)  # EX_SOFTWARE


def _known_failures() -> tuple[type[Exception], ...]:
    """What the user can do something about. Imported late: `agon --help` needs none of it."""
    from bots.errors import BotError
    from server.admin import Refused
    from server.api.listen import CannotListen
    from server.backup.archive import BackupFailed
    from server.demo import DemoFailed
    from server.embedded.data_dir import ServiceFailed
    from server.own_arena import ArenaFailed
    from server.replay import ReplayFailed
    from server.store import StoreError
    from server.tournament.command import TournamentFailed

    return (
        ArenaFailed,
        BackupFailed,
        BotError,
        CannotListen,
        CommandError,
        ConfigError,
        DemoFailed,
        LoginFailed,
        Refused,
        ReplayFailed,
        ServiceFailed,
        StoreError,
        TournamentFailed,
    )


@app.command(epilog="Example: agon serve --role host --role gateway")
def serve(
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="Which roles to run here, comma-separated or repeated; default: all of them."
        ),
    ] = None,
    house: Annotated[
        str,
        typer.Option(
            help="House agents the runner plays, e.g. `rap-battle=1,bid-tac-toe=2` (sessions; 0: for ever), `all` or `none`."
        ),
    ] = "all",
    config: ConfigFile = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Where embedded services keep their files.")
    ] = None,
    ready_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
    stop_with_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run an arena, or some of its roles."""
    from server import logs, roles

    settings = _load_arena(config, data_dir=data_dir)
    logs.configure(settings.log_level, as_json=settings.log_json)
    chosen = roles.parse_roles(role)
    run_async(
        lambda: roles.serve(
            settings,
            chosen,
            house=roles.parse_house(house),
            ready_file=ready_file,
            stop_with_stdin=stop_with_stdin,
        )
    )


@app.command(epilog="Example: agon demo --sessions 3 --no-tui --out transcripts")
def demo(
    sessions: Annotated[
        int, typer.Option(min=0, help="Stop after so many sessions; 0: go on until you quit.")
    ] = 0,
    tui: Annotated[
        bool | None,
        typer.Option("--tui/--no-tui", help="Watch on screen; default: if this is a terminal."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write each session's transcript to this folder.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Play only this Space.")] = None,
    config: ConfigFile = None,
) -> None:
    """Watch language models battle in an arena of its own."""
    from server import demo as demonstration

    settings = _load_arena(config, offering=space)
    on_screen = sys.stdout.isatty() if tui is None else tui
    demonstration.run(settings, sessions=sessions, on_screen=on_screen, out=out, space=space)


@app.command(
    epilog="Example: agon tournament --space bid-tac-toe --entrants random,bidder,shark=bidder:boldness=1.5 --sessions 300"
)
def tournament(
    space: Annotated[str, typer.Option(help="The Space to play.")],
    entrants: Annotated[
        str,
        typer.Option(
            help="Brains, comma-separated, as BRAIN or NAME=BRAIN:SETTING=VALUE; *N for several."
        ),
    ],
    form: Annotated[
        str, typer.Option("--format", help="round-robin or knockout (best of three).")
    ] = "round-robin",
    sessions: Annotated[
        int,
        typer.Option(min=0, help="Of a round-robin, in all; 0: two legs of two seats, else one."),
    ] = 0,
    parallel: Annotated[int, typer.Option(min=1, help="Sessions at once, at most.")] = 64,
    params: Annotated[
        str, typer.Option(help="The Space's parameters, e.g. `chips=100,payment=all-pay`.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write each session's transcript to this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    tui: Annotated[
        bool | None,
        typer.Option("--watch/--no-watch", help="Watch on screen; default: if this is a terminal."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Have brains play a tournament in an arena of its own."""
    from server.tournament import command

    settings = _load_arena(config, offering=space)
    options = command.read_options(
        space=space,
        entrants=entrants,
        format=form,
        sessions=sessions,
        parallel=parallel,
        params=params,
        out=out,
    )
    on_screen = sys.stdout.isatty() if tui is None else tui
    command.tell(command.run(settings, options, on_screen=on_screen and not as_json), as_json)


@app.command(epilog="Example: agon watch 01J8…")
def watch(
    session: Annotated[str | None, typer.Argument(help="Open this session at once.")] = None,
    tournament: Annotated[str | None, typer.Option(help="Open this tournament at once.")] = None,
    url: ApiUrl = DEFAULT_URL,
    follow: Annotated[
        bool, typer.Option(help="Go from one live session to the next by itself.")
    ] = False,
) -> None:
    """Watch an arena in the terminal."""
    from tui_client.app import WatchError, run_watch

    try:
        run_watch(url, session=session, tournament=tournament, follow=follow)
    except WatchError as error:
        raise CommandError(str(error)) from None


@app.command(
    epilog="Example: agon bot --space bid-tac-toe --brain bidder --name Shark --sessions 3"
)
def bot(
    space: Annotated[str, typer.Option(help="The Space to play.")],
    brain: Annotated[
        str, typer.Option(help="random, bidder, solver, naive, trend or llm.")
    ] = "random",
    name: Annotated[str, typer.Option(help="The agent's public name.")] = "",
    sessions: Annotated[int, typer.Option(min=0, help="Sessions to play; 0: until Ctrl-C.")] = 1,
    queue: Annotated[
        bool,
        typer.Option(
            "--queue/--no-queue",
            help="Whether it queues; else it plays what the agent's automation enters.",
        ),
    ] = True,
    url: ApiUrl = DEFAULT_URL,
    llm_url: Annotated[
        str,
        typer.Option(
            envvar="AGON_LLM_URL", help="For --brain llm: an OpenAI-compatible server, …/v1."
        ),
    ] = "",
    model: Annotated[
        str, typer.Option(envvar="AGON_LLM_MODEL", help="For --brain llm: the model's name.")
    ] = "",
    llm_api_key: Annotated[
        str,
        typer.Option(
            envvar="AGON_LLM_API_KEY",
            help="For --brain llm, if its server wants one. Others see command lines: use the variable.",
        ),
    ] = "",
    prompt: Annotated[str, typer.Option(help="For --brain llm: the system prompt.")] = "",
) -> None:
    """Play as a bot from this terminal."""
    from bots.command import play_brain
    from bots.errors import BotError

    settings = {"url": llm_url, "model": model, "api_key": llm_api_key, "system": prompt}
    try:
        play_brain(
            space=space,
            brain=brain,
            name=name,
            sessions=sessions,
            url=url,
            settings=settings,
            enqueue=queue,
        )
    except BotError as error:
        raise CommandError(str(error)) from None


@app.command(epilog="Example: agon transcript 01J8… > battle.json")
def transcript(session: str, url: ApiUrl = DEFAULT_URL) -> None:
    """Print the canonical bytes of a session's transcript."""
    import httpx

    try:
        answer = httpx.get(f"{url}/v1/sessions/{session}/transcript", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(f"no arena at {url} ({error}): start one with `agon serve`") from None
    if not answer.is_success:
        raise CommandError(_problem(answer))
    sys.stdout.buffer.write(answer.content)


def _problem(answer: Any) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the arena answered {answer.status_code}"


@app.command(epilog="Example: agon replay transcripts/*.transcript.json")
def replay(
    files: Annotated[list[Path], typer.Argument(help="Transcripts; `-` reads standard input.")],
    bridge: Annotated[
        str | None,
        typer.Option(help="A game of another project to replay, too, e.g. openspiel:kuhn_poker."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Check transcripts and play them again. Exit status 1 if any of them failed."""
    from server import replay as replaying

    _load_arena(config, offering=bridge)
    raise typer.Exit(1 if replaying.tell(files) else 0)


@app.command(epilog="Example: agon doctor")
def doctor(
    config: ConfigFile = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Where embedded services keep their files.")
    ] = None,
) -> None:
    """Check each service and say what to mend."""
    from server import doctor as examination

    settings = _load(config, data_dir=data_dir)
    healthy = run_async(lambda: examination.examine(settings))
    raise typer.Exit(0 if healthy else 1)


@app.command("config", epilog="Example: agon config --explain")
def show_config(
    explain: Annotated[bool, typer.Option(help="Say what each knob is for.")] = False,
    config: ConfigFile = None,
) -> None:
    """Print every knob, its value and reason."""
    settings = _load(config)
    if explain:
        print(
            "Set knobs in ./agon.toml (or --config FILE), or as the variables named below, which win.\n"
        )
    for knob in configuration.knobs():
        value = getattr(settings, knob.name)
        shown = "(set, not shown)" if knob.name in configuration.SECRETS and value else repr(value)
        print(f"{knob.name} = {shown}")
        if explain:
            listed = " (comma-separated)" if isinstance(knob.default, tuple) else ""
            print(f"    {knob.reason}\n    {knob.variable}{listed}, default {knob.default!r}")


def _load_arena(file: Path | None, *, offering: str | None = None, **overrides: Any) -> Config:
    """The settings of an arena, with the Spaces it lists resolved and offered; `offering` is one more,
    for an arena of one's own."""
    from spaces import registry

    settings = _load(file, **overrides)
    try:
        if offering is not None and ":" in offering and offering not in settings.spaces:
            settings = msgspec.structs.replace(settings, spaces=(*settings.spaces, offering))
        registry.offer(settings.spaces)
    except (registry.UnknownSpace, ValueError) as error:
        raise CommandError(str(error)) from None
    return settings


def _load(file: Path | None, **overrides: Any) -> Config:
    return configuration.load(file, **overrides)


if __name__ == "__main__":
    main()
