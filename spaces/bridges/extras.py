"""Libraries that only a bridge needs: imported when it is crossed, missed in words that help."""

from __future__ import annotations

import importlib
from types import ModuleType


class MissingExtra(ImportError):
    """A bridge's library is not installed; the message says what to install."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed: pip install 'agon-arena[{extra}]'")


def require(module: str, extra: str) -> ModuleType:
    """The module, imported. Raises MissingExtra where its library is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != library:
            raise  # the library is there, and something that it needs is not
        raise MissingExtra(library, extra) from None
