"""Where an agent's key is kept: a TOML file of mode 600, one table per arena and name.

The file is `$XDG_CONFIG_HOME/agon/keys.toml` (or under `~/.config`); see `bots.private_file`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bots.api import Credentials
from bots.private_file import PrivateFile, PrivateFileError, config_folder

KEY_VARIABLE = "AGON_API_KEY"


class KeysError(PrivateFileError):
    """The keys file cannot be understood; the message names it."""


def default_path(env: Mapping[str, str] | None = None) -> Path:
    return config_folder(env) / "keys.toml"


class Keys:
    """The keys file at `path`."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = PrivateFile(path or default_path())
        self.path = self._file.path

    def find(self, url: str, name: str) -> Credentials | None:
        """The agent called `name` at the arena `url`, or None. Raises PrivateFileError."""
        entry = self._read().get(url, {}).get(name)
        return None if entry is None else msgspec.convert(entry, Credentials)

    def keep(self, url: str, name: str, credentials: Credentials) -> None:
        """Remember, replacing what was known under that arena and name. Raises PrivateFileError."""
        with self._file.locked():
            tables = self._read()
            fields = msgspec.to_builtins(credentials)
            tables.setdefault(url, {})[name] = {k: v for k, v in fields.items() if v is not None}
            self._write(tables)

    def forget(self, url: str, name: str, key: str) -> None:
        """Drop `key`; does nothing when another key stands there by now. Raises PrivateFileError."""
        with self._file.locked():
            tables = self._read()
            if tables.get(url, {}).get(name, {}).get("key") == key:
                del tables[url][name]
                self._write(tables)

    def _read(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            tables = tomllib.loads(self._file.read() or "")
        except tomllib.TOMLDecodeError as error:
            raise KeysError(f"{self.path} is not TOML: {error}; mend or remove it") from None
        for url, agents in tables.items():
            for name, entry in agents.items() if isinstance(agents, dict) else [("", None)]:
                if not _is_entry(entry):
                    raise KeysError(f"{self.path} has no agent and key under {url!r}, {name!r}")
        return tables

    def _write(self, tables: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        lines = [
            "# Keys of your agents: whoever has a `key` can play as that agent, whoever has an `owner_key` can",
            "# make its account his own. A bot elsewhere needs its `key` alone, as AGON_API_KEY.",
        ]
        for url, agents in tables.items():
            for name, entry in agents.items():
                lines.append(f"\n[{_quoted(url)}.{_quoted(name)}]")
                lines += [f"{field} = {_quoted(value)}" for field, value in entry.items()]
        self._file.write("\n".join(lines) + "\n")


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and all(isinstance(entry.get(field), str) for field in ("agent", "key"))
        and isinstance(entry.get("owner_key", ""), str)
    )


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are a subset of TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
