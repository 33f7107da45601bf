"""Where an agent's key is kept: a TOML file of mode 600, one table per arena and name.

The file is `$XDG_CONFIG_HOME/agon/keys.toml` (or under `~/.config`). It is replaced whole by
rename, under a lock, so bots that start together never lose each other's key.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bots.api import Credentials
from bots.errors import BotError

if sys.platform != "win32":
    import fcntl

KEY_VARIABLE = "AGON_API_KEY"


class KeysError(BotError):
    """The keys file cannot be read or written; the message names it."""


def default_path(env: Mapping[str, str] | None = None) -> Path:
    env = os.environ if env is None else env
    base = env.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    folder = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return folder / "agon" / "keys.toml"


class Keys:
    """The keys file at `path`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def find(self, url: str, name: str) -> Credentials | None:
        """The agent called `name` at the arena `url`, or None. Raises KeysError."""
        entry = self._read().get(url, {}).get(name)
        return None if entry is None else Credentials(entry["agent"], entry["key"])

    def keep(self, url: str, name: str, credentials: Credentials) -> None:
        """Remember, replacing what was known under that arena and name. Raises KeysError."""
        with self._locked():
            tables = self._read()
            tables.setdefault(url, {})[name] = {"agent": credentials.agent, "key": credentials.key}
            self._write(tables)

    def forget(self, url: str, name: str, key: str) -> None:
        """Drop `key`; does nothing when another key stands there by now. Raises KeysError."""
        with self._locked():
            tables = self._read()
            if tables.get(url, {}).get(name, {}).get("key") == key:
                del tables[url][name]
                self._write(tables)

    def _read(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            tables = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeysError(f"cannot read {self.path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise KeysError(f"{self.path} is not TOML: {error}; mend or remove it") from None
        for url, agents in tables.items():
            for name, entry in agents.items() if isinstance(agents, dict) else [("", None)]:
                if not _is_entry(entry):
                    raise KeysError(f"{self.path} has no agent and key under {url!r}, {name!r}")
        return tables

    def _write(self, tables: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        lines = ["# Keys of your agents: whoever has one can play as that agent."]
        for url, agents in tables.items():
            for name, entry in agents.items():
                lines.append(f"\n[{_quoted(url)}.{_quoted(name)}]")
                lines += [f"{field} = {_quoted(value)}" for field, value in entry.items()]
        try:
            # mkstemp makes the file with mode 600, before a byte of a key is in it.
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".keys-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            Path(temporary).replace(self.path)
        except OSError as error:
            raise KeysError(f"cannot write {self.path}: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_name("keys.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeysError(f"cannot write beside {self.path}: {error.strerror}") from None
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(field), str) for field in ("agent", "key")
    )


def _quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are a subset of TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
