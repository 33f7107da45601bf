"""A wallet in a file: the encrypted keystore that Ethereum programs share (Web3 Secret Storage, version 3).

Mode 600, and useless without its passphrase; whoever loses both loses the wallet.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from eth_utils.address import to_checksum_address

from bots.errors import BotError
from bots.private_file import PrivateFile
from chain.ethereum import Account, LocalAccount, encode_defunct

PASSPHRASE_VARIABLE = "AGON_PASSPHRASE"  # noqa: S105 - the name of a variable
MIN_PASSPHRASE = 8
SCRYPT_N = 1 << 18
"""What wallets use: a guess costs a second and 256 MB."""

MAX_FILE = 64 * 1024
MAX_MEMORY = 1 << 30
MAX_WORK = 1 << 26
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)

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
        account: LocalAccount = Account.create()
        self._encrypt(account, ask)
        return account

    def take(self, source: Path, ask: Ask) -> LocalAccount:
        """A wallet that another program has: a keystore, which keeps its passphrase, or a file of 64 hex digits.

        Raises WalletError, also where the file exists: no wallet is ever overwritten.
        """
        self._check_absent()
        theirs = Keystore(source)
        text = theirs._file.read()
        key = _plain_key(text or "")
        if key is not None:
            account: LocalAccount = Account.from_key(key)
            self._encrypt(account, ask)
            return account
        account = theirs.open(ask)
        self._write(theirs._read())
        return account

    def address(self) -> str:
        """As the file says, EIP-55, without opening it. Raises WalletError."""
        said = str(self._read().get("address", "")).removeprefix("0x")
        try:
            return to_checksum_address("0x" + said)
        except ValueError:
            raise WalletError(
                f"{self.path} does not say its address; it has to be opened"
            ) from None

    def _encrypt(self, account: LocalAccount, ask: Ask) -> None:
        self._check_absent()
        passphrase = _passphrase(f"Passphrase for a new wallet, {self.path}", ask, twice=True)
        if len(passphrase) < MIN_PASSPHRASE:
            raise WalletError(f"a passphrase has at least {MIN_PASSPHRASE} characters")
        self._write(Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=SCRYPT_N))

    def _write(self, document: Mapping[str, object]) -> None:
        with self._file.locked():
            self._check_absent()
            self._file.write(json.dumps(document) + "\n")

    def _check_absent(self) -> None:
        if self.exists():
            raise WalletError(f"{self.path} exists already; it was left as it is")

    def open(self, ask: Ask) -> LocalAccount:
        """Raises WalletError."""
        document = self._read()
        _check_cost(document, self.path)
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
            document = json.loads(text[:MAX_FILE])
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise WalletError(f"{self.path} is no Ethereum keystore")
        return document


def _plain_key(text: str) -> bytes | None:
    digits = text.strip().removeprefix("0x")
    return bytes.fromhex(digits) if _HEX_KEY.fullmatch(digits) else None


def _check_cost(document: Mapping[str, object], path: Path) -> None:
    """A keystore says itself how much memory its opening takes: one that says too much is not opened."""
    crypto = document.get("crypto", document.get("Crypto"))
    found = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    costs = found if isinstance(found, dict) else {}
    n, r, p, c = (costs.get(name, 1) for name in ("n", "r", "p", "c"))
    if not all(isinstance(each, int) for each in (n, r, p, c)):
        raise WalletError(f"{path} is no Ethereum keystore")
    if 128 * n * r > MAX_MEMORY or n * r * p > MAX_WORK or c > MAX_WORK:
        raise WalletError(
            f"{path} wants more than {MAX_MEMORY >> 20} MB to be opened: no wallet does"
        )


def sign(account: LocalAccount, text: str) -> str:
    """The signature (EIP-191) of a text, hex with 0x."""
    return "0x" + bytes(account.sign_message(encode_defunct(text=text)).signature).hex()


def _passphrase(question: str, ask: Ask, *, twice: bool) -> str:
    """From AGON_PASSPHRASE, else by asking."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    return ask(question, twice) if given is None else given
