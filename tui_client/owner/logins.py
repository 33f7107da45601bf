"""Who is signed in at an arena: what `agon login` kept, or what AGON_TOKEN holds.

The token stays with the shell that sends it; the state only knows whose it is.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

TOKEN_VARIABLE = "AGON_TOKEN"  # noqa: S105 - the name of a variable
MAX_FILE_BYTES = 1024 * 1024
PRIVATE = stat.S_IRWXG | stat.S_IRWXO


class SignedIn(msgspec.Struct, frozen=True):
    """A login was found."""

    account: str = ""
    """Empty for a token of the environment: it does not say."""
    wallet: str = ""
    expires_ms: int = 0
    """Unix milliseconds; 0: nobody knows."""


class SignedOut(msgspec.Struct, frozen=True):
    """There is none, or none that may be used."""

    reason: str = ""


class _Login(msgspec.Struct, frozen=True):
    token: str
    account: str = ""
    wallet: str = ""
    expires_ms: int = 0


class Login(msgspec.Struct, frozen=True):
    """A token and whose it is."""

    token: str
    who: SignedIn

    def __repr__(self) -> str:
        return f"Login({self.who!r}, token=…)"


def default_path(env: Mapping[str, str] | None = None) -> Path:
    """Where `agon login` keeps logins."""
    env = os.environ if env is None else env
    base = env.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    folder = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return folder / "agon" / "logins.json"


def find(
    api_url: str, now_ms: int, path: Path | None = None, env: Mapping[str, str] | None = None
) -> Login | SignedOut:
    """The login at an arena; why there is none, where there is something to say. Never raises."""
    env = os.environ if env is None else env
    if token := env.get(TOKEN_VARIABLE):
        return Login(token, SignedIn())
    path = path or default_path(env)
    try:
        kept = _read(path).get(api_url.rstrip("/"))
    except FileNotFoundError:
        return SignedOut()
    except PermissionError as error:
        return SignedOut(str(error))
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        return SignedOut(
            f"{path} cannot be read ({type(error).__name__}): remove it, sign in again"
        )
    if kept is None:
        return SignedOut()
    if kept.expires_ms and kept.expires_ms <= now_ms:
        return SignedOut("your login has expired")
    return Login(kept.token, SignedIn(kept.account, kept.wallet, kept.expires_ms))


def _read(path: Path) -> dict[str, _Login]:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if sys.platform != "win32" and mode & PRIVATE:
            raise PermissionError(f"{path} can be read by others: chmod 600 {path}")
        return msgspec.json.decode(file.read(MAX_FILE_BYTES), type=dict[str, _Login])
