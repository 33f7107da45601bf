"""Commands that are imported when they are run: `agon --help` reads their words from a table and loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup


class Later(NamedTuple):
    """A command that has not been imported."""

    where: str
    """`module:name` of a function (a command) or of a `typer.Typer` (a group of commands)."""
    help: str
    """What it does, in a line of the list: the first sentence of its own help, too."""
    example: str = ""
    """What its own help ends with; a group has one of its own."""

    def load(self, name: str) -> Any:
        """The command of typer, called `name`. Its types are typer's own affair."""
        module, _, attribute = self.where.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return _named(typer.main.get_group(found))
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name, epilog=f"Example: {self.example}")(found)
        return _named(typer.main.get_command(alone))


def _named(command: Any) -> Any:
    """With values called by their options in the help: `--max-sessions SESSIONS`, not `<int range>`."""
    for param in command.params:
        if param.metavar is None and not getattr(param, "is_flag", False):
            names = [opt for opt in param.opts if opt.startswith("--")] or [param.name]
            param.metavar = names[0].rpartition("-")[2].upper()
    for below in getattr(command, "commands", {}).values():
        _named(below)
    return command


Sections = Mapping[str, Mapping[str, Later]]
"""Heading -> name -> command."""


class _Commands(MutableMapping[str, Any]):
    """The commands of a table by name, each imported when it is asked for."""

    def __init__(self, table: Mapping[str, Later]) -> None:
        self._table = table
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._table[name].load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]


class LaterGroup(TyperGroup):
    """A group of commands as `sections` lists them; to be subclassed with some."""

    sections: ClassVar[Sections] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands(
            {name: later for rows in self.sections.values() for name, later in rows.items()}
        )

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        width = max(map(len, self.commands))
        for heading, rows in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), row.help) for name, row in rows.items()])
