"""Where the knobs' values come from: defaults, a TOML file, `AGON_*` variables; and what there is to know of each."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from server.config import Config, ConfigError
from server.ledger.tiers import FEE_TIERS

FILE_NAME = "agon.toml"

_SCHEMES = {
    "redis_url": ("redis://", "rediss://", "unix://"),
    "database_url": ("postgresql://", "postgresql+asyncpg://", "sqlite://", "sqlite+aiosqlite://"),
    "llm_url": ("http://", "https://"),
    "gateway_public_url": ("ws://", "wss://"),
    "rpc_url": ("http://", "https://"),
    "ipfs_url": ("http://", "https://"),
}
"""How a URL may begin."""
_NOT_KNOBS = frozenset(
    {
        "AGON_API_KEY",
        "AGON_URL",
        "AGON_INSECURE",
        "AGON_TOKEN",
        "AGON_PASSPHRASE",
        "AGON_OPERATOR_IPFS_URL",
    }
)
"""The clients' own, see bots.api, bots.keys, bots.logins, server.commands.login and server.commands.operator."""


class Knob(NamedTuple):
    """One row of `agon config --explain`."""

    name: str
    variable: str
    default: Any
    reason: str


def knobs() -> Iterator[Knob]:
    """Every knob in the order of the Struct."""
    for field in msgspec.structs.fields(Config):
        info = msgspec.inspect.type_info(field.type)
        schema = info.extra_json_schema if isinstance(info, msgspec.inspect.Metadata) else None
        default = (
            field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        )
        yield Knob(
            field.name, f"AGON_{field.name.upper()}", default, (schema or {}).get("description", "")
        )


def load(
    file: Path | None = None, env: Mapping[str, str] | None = None, **overrides: Any
) -> Config:
    """Defaults, then `file` (or ./agon.toml when it exists), then AGON_* variables, then overrides.

    Raises ConfigError. Unknown names in the file are errors; unknown AGON_* variables are, too, since
    a misspelt knob that is silently ignored costs an evening.
    """
    env = os.environ if env is None else env
    values: dict[str, Any] = {}
    path = file or (Path(FILE_NAME) if Path(FILE_NAME).exists() else None)
    if path is not None:
        values |= _read_file(path)
    values |= _read_env(env)
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        config = msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        # msgspec ends its message with the path of the field: ` - at `$.tick_ms``
        fact, _, field = str(error).partition(" - at `$.")
        named = f"{field.rstrip('`')}: {fact}" if field else fact
        raise ConfigError(f"{named} (see `agon config --explain`)") from None
    _check(config)
    return config


def _check(config: Config) -> None:
    """What the types cannot say. Raises ConfigError."""
    unknown = sorted(set(config.tiers_open) - set(FEE_TIERS))
    if unknown:
        raise ConfigError(f"tiers_open: {unknown[0]} is no fee tier; there are {FEE_TIERS}")
    if config.house_tier and config.house_tier not in config.tiers_open:
        raise ConfigError(
            f"house_tier: {config.house_tier} is no tier that is open; there are {config.tiers_open}"
        )
    for name, schemes in _SCHEMES.items():
        url = getattr(config, name)
        if url and not url.startswith(schemes):  # the url may hold a password: do not repeat it
            raise ConfigError(f"{name} must begin with {' or '.join(schemes)}")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None


def _read_env(env: Mapping[str, str]) -> dict[str, Any]:
    by_variable = {knob.variable: knob for knob in knobs()}
    values: dict[str, Any] = {}
    for variable, text in env.items():
        if (
            not variable.startswith("AGON_")
            or variable in _NOT_KNOBS
            or variable.startswith("AGON_TEST_")
        ):
            continue
        knob = by_variable.get(variable)
        if knob is None:
            raise ConfigError(f"{variable} is no knob of Agon (see `agon config --explain`)")
        values[knob.name] = text.split(",") if isinstance(knob.default, tuple) else text
    return values
