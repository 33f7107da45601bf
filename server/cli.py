"""The `agon` command. Each command reads the config once and hands over to the room that does the work.

What a command needs is imported when it is run: the list below is all that `agon --help` reads.
"""

from __future__ import annotations

import os
import sys

import typer

from server.commands.later import Later, LaterGroup, Sections

COMMANDS: Sections = {
    "Watch and play": {
        "demo": Later(
            "server.commands.demo:demo",
            "Watch language models battle in an arena of its own.",
            "agon demo --sessions 3 --no-tui --out transcripts",
        ),
        "watch": Later(
            "server.commands.watch:watch", "Watch an arena in the terminal.", "agon watch 01J8…"
        ),
        "bot": Later(
            "server.commands.bot:bot",
            "Play as a bot from this terminal.",
            "agon bot --space bid-tac-toe --brain bidder --name Shark --sessions 3",
        ),
        "court": Later("server.commands.court:app", "See what the court judges and how; appeal."),
        "tournament": Later(
            "server.commands.tournament:tournament",
            "Have brains play a tournament in an arena of its own.",
            "agon tournament --space bid-tac-toe --entrants random,bidder,shark=bidder:boldness=1.5 --sessions 300",
        ),
        "transcript": Later(
            "server.commands.transcript:transcript",
            "Print the transcript of a session.",
            "agon transcript 01J8… > battle.json",
        ),
        "replay": Later(
            "server.commands.replay:replay",
            "Check transcripts and play them again.",
            "agon replay transcripts/*.transcript.json",
        ),
        "verify": Later(
            "server.commands.verify:verify",
            "Check what an arena says of a session or a training.",
            "agon verify 01J8… --url https://arena.example",
        ),
    },
    "You, your agents and their money": {
        "login": Later(
            "server.commands.login:login",
            "Sign in with a wallet, and remember it.",
            "agon login --url https://arena.example",
        ),
        "logout": Later(
            "server.commands.login:logout",
            "End the login at an arena, there and here.",
            "agon logout --url https://arena.example",
        ),
        "whoami": Later(
            "server.commands.login:whoami",
            "Say who is signed in, and what that login may do.",
            "agon whoami --json",
        ),
        "wallet": Later(
            "server.commands.wallet:app", "Make a wallet, deposit, set limits, withdraw, claim."
        ),
        "token": Later("server.commands.token:app", "Buy, sell and launch the tokens of agents."),
        "agents": Later(
            "server.commands.agents:app", "Make your agents, change them, copy them, carry them."
        ),
        "automation": Later(
            "server.commands.automation:app", "Have your agents play by themselves, within limits."
        ),
        "training": Later(
            "server.commands.training:app", "Have your agents learn from their sessions."
        ),
        "money": Later(
            "server.commands.money:app", "See what you have, fund agents, deposit, withdraw."
        ),
        "points": Later("server.commands.points:app", "See what your agents have earned, and why."),
    },
    "Have agents learn": {
        "train": Later("server.commands.train:app", "Train an adapter on this machine."),
    },
    "Stand behind an arena": {
        "operator": Later(
            "server.commands.operator:app", "Keep transcripts on a node of your own, with a stake."
        ),
        "judge": Later(
            "server.commands.judge:app",
            "Judge what rules cannot decide, with a stake of your own.",
        ),
    },
    "Run an arena": {
        "serve": Later(
            "server.commands.serve:serve",
            "Run an arena, or some of its roles.",
            "agon serve --role host --role gateway",
        ),
        "doctor": Later(
            "server.commands.doctor:doctor",
            "Check each service and say what to mend.",
            "agon doctor",
        ),
        "config": Later(
            "server.commands.config:show_config",
            "Print every knob and its value.",
            "agon config --explain",
        ),
        "chain": Later(
            "server.commands.chain:app",
            "Run a chain for development, deploy contracts, give roles.",
        ),
        "jobs": Later("server.commands.jobs:app", "See what follows sessions and is not done."),
        "pins": Later(
            "server.commands.pins:app",
            "List, carry and check what is in the content store.",
        ),
        "admin": Later(
            "server.commands.admin:app", "Void sessions, freeze agents, give roles, look around."
        ),
        "board": Later(
            "server.commands.board:board",
            "Compute a Space's official board and compare it.",
            "agon board --space rap-battle --from rap-battle.parquet",
        ),
        "results": Later(
            "server.commands.results:app", "Write and check files of all settled results."
        ),
        "backup": Later(
            "server.commands.backup:backup",
            "Write all that lasts into one file.",
            "agon backup --out arena.tar",
        ),
        "restore": Later(
            "server.commands.backup:restore",
            "Put a backup in the place of the arena's records.",
            "agon restore arena.tar",
        ),
    },
}


class _Agon(LaterGroup):
    sections = COMMANDS


app = typer.Typer(
    cls=_Agon,
    name="agon",
    help="The open arena where AI agents compete live.",
    epilog="Begin with `agon demo`. `agon COMMAND --help` tells more of each, with an example.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


@app.callback()
def agon() -> None:
    """The open arena where AI agents compete live."""


def main() -> None:
    """Entry point: known failures are one clear line on standard error, never a stack trace."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if is_known(error):
            from spaces.plain_text import plain_lines

            # An arena's, a node's or a contract's words may be in it.
            words = "\n".join(plain_lines(str(error)))
            print(f"agon: {words}", file=sys.stderr)
            sys.exit(1)
        if os.environ.get("AGON_LOG_LEVEL") == "debug":
            raise
        print(
            f"agon: this is a defect of Agon: {error!r} (AGON_LOG_LEVEL=debug shows where)",
            file=sys.stderr,
        )
        sys.exit(70)  # EX_SOFTWARE


KNOWN_FAILURES = frozenset(
    {
        "bots.errors.BotError",
        "server.admin.refused.Refused",
        "server.api.listen.CannotListen",
        "server.backup.archive.BackupFailed",
        "server.commands.login.LoginFailed",
        "server.commands.running.CommandError",
        "server.config.ConfigError",
        "server.demo.demo.DemoFailed",
        "server.training.demo.DemoFailed",
        "server.embedded.data_dir.ServiceFailed",
        "server.own_arena.ArenaFailed",
        "server.replay.ReplayFailed",
        "server.store.engine.StoreError",
        "server.tournament.command.TournamentFailed",
        "training.extra.MissingExtra",
        "training.model.base.MissingModel",
        "training.recipes.refused.CannotTrain",
    }
)
"""What the user can do something about. By name: a failure of a room that was not entered needs no import of it."""


def is_known(error: Exception) -> bool:
    """Whether it or a class above it is one of KNOWN_FAILURES."""
    names = {f"{each.__module__}.{each.__qualname__}" for each in type(error).__mro__}
    return not names.isdisjoint(KNOWN_FAILURES)


if __name__ == "__main__":
    main()
