"""The options of every command on a chain, said once: a command takes `at: At`, people see what it is made of."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from server.commands.at_chain import At, ManifestFile, MaxFee, RpcUrl, WalletFile
from server.commands.running import DataDir

_OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "file": (WalletFile, None),
    "rpc": (RpcUrl, None),
    "manifest": (ManifestFile, None),
    "data_dir": (DataDir, None),
    "max_fee": (MaxFee, 500),
}
"""The fields of At, each with its option and what it is where nobody says."""


def sends(command: Callable[..., None]) -> Callable[..., None]:
    """Of a command that sends: its keyword `at: At` is --file, --rpc, --manifest, --data-dir and --max-fee."""
    return _with(command, _OPTIONS)


def looks(command: Callable[..., None]) -> Callable[..., None]:
    """Of a command that asks a node and sends nothing: as `sends`, but for --max-fee."""
    return _with(command, {name: _OPTIONS[name] for name in _OPTIONS if name != "max_fee"})


def _with(
    command: Callable[..., None], options: Mapping[str, tuple[Any, Any]]
) -> Callable[..., None]:
    """The command as Typer is to see it."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        at = At(**{name: given.pop(name) for name in options})
        command(**given, at=at)

    hints = get_type_hints(command, include_extras=True)
    shown: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name == "at":
            shown += [_parameter(*each) for each in options.items()]
        else:
            shown.append(
                parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            )
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run


def _parameter(name: str, option: tuple[Any, Any]) -> inspect.Parameter:
    annotation, default = option
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
