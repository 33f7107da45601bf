"""A wallet in a file: the encrypted keystore that Ethereum programs share (Web3 Secret Storage, version 3).

Mode 600, and useless without its passphrase; whoever loses both loses the wallet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from bots.errors import BotError
from bots.private_file import PrivateFile
from chain.ethereum import Account, LocalAccount, encode_defunct

PASSPHRASE_VARIABLE = "AGON_PASSPHRASE"  # noqa: S105 - the name of a variable
MIN_PASSPHRASE = 8
SCRYPT_N = 1 << 18
"""What wallets use: a guess costs a second and 256 MB."""

Ask = Callable[[str, bool], str]
"""(question, asked twice) -> the passphrase."""


class WalletError(BotError):
    """The wallet's file cannot be made or opened; the message names it."""


class Keystore:
    """The wallet file at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = PrivateFile(path)
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def make(self, ask: Ask) -> LocalAccount:
        """A new wallet. Raises WalletError, also where the file exists: no wallet is ever overwritten."""
        passphrase = _passphrase(f"Passphrase for a new wallet, {self.path}", ask, twice=True)
        if len(passphrase) < MIN_PASSPHRASE:
            raise WalletError(f"a passphrase has at least {MIN_PASSPHRASE} characters")
        account: LocalAccount = Account.create()
        document = Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=SCRYPT_N)
        with self._file.locked():
            if self.exists():
                raise WalletError(f"{self.path} exists already; it was left as it is")
            self._file.write(json.dumps(document) + "\n")
        return account

    def open(self, ask: Ask) -> LocalAccount:
        """Raises WalletError."""
        document = self._read()
        passphrase = _passphrase(f"Passphrase of {self.path}", ask, twice=False)
        try:
            key = Account.decrypt(document, passphrase)
        except (ValueError, KeyError, TypeError) as error:
            wrong = "MAC mismatch" in str(error)
            why = "the passphrase is wrong" if wrong else "it is no Ethereum keystore"
            raise WalletError(f"cannot open {self.path}: {why}") from None
        account: LocalAccount = Account.from_key(key)
        return account

    def _read(self) -> dict[str, object]:
        text = self._file.read()
        if text is None:
            raise WalletError(f"there is no {self.path}")
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise WalletError(f"{self.path} is no Ethereum keystore")
        return document


def sign(account: LocalAccount, text: str) -> str:
    """The signature (EIP-191) of a text, hex with 0x."""
    return "0x" + bytes(account.sign_message(encode_defunct(text=text)).signature).hex()


def _passphrase(question: str, ask: Ask, *, twice: bool) -> str:
    """From AGON_PASSPHRASE, else by asking."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    return ask(question, twice) if given is None else given
