"""`agon wallet`: files that are their owner's alone, never overwritten, opened by their passphrase only."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from chain.ethereum import Account
from server.cli import app
from server.commands.keystore import Keystore

PASSPHRASE = "correct horse battery"
KEY = "0x" + "11" * 32
ADDRESS = str(Account.from_key(KEY).address)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AGON_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr("server.commands.keystore.SCRYPT_N", 2)
    return tmp_path


def agon(*arguments: object, fails: str = "") -> Result:
    result = CliRunner().invoke(app, ["wallet", *map(str, arguments)])
    if fails:
        assert fails in str(result.exception), (result.output, result.exception)
    else:
        assert result.exit_code == 0, (result.output, result.exception)
    return result


def keystore(path: Path, **crypto: Any) -> Path:
    document = Account.encrypt(bytes.fromhex(KEY[2:]), PASSPHRASE, kdf="scrypt", iterations=2)
    document["crypto"]["kdfparams"] |= crypto
    path.write_text(json.dumps(document))
    return path


def test_a_wallet_is_made_once_and_is_its_owners_alone(home: Path) -> None:
    made = agon("create").output
    file = home / "config" / "agon" / "wallet.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    address = agon("address").output.strip()
    assert address in made
    assert Keystore(file).open(lambda *_: PASSPHRASE).address == address
    before = file.read_bytes()
    agon("create", fails="exists already; it was left as it is")
    agon("import", keystore(home / "other.json"), fails="exists already")
    assert file.read_bytes() == before
    shown = json.loads(agon("show", "--json").output)
    assert shown == {"address": address, "file": str(file), "private": True}


def test_a_keystore_of_another_program_is_taken_over(home: Path) -> None:
    agon("import", keystore(home / "theirs.json"), "--file", home / "mine.json")
    assert agon("address", "--file", home / "mine.json").output.strip() == ADDRESS
    assert stat.S_IMODE((home / "mine.json").stat().st_mode) == 0o600
    assert Keystore(home / "mine.json").open(lambda *_: PASSPHRASE).key == bytes.fromhex(KEY[2:])


def test_a_bare_key_is_encrypted(home: Path) -> None:
    (home / "key").write_text(KEY + "\n")
    agon("import", home / "key", "--file", home / "mine.json")
    assert "1111" not in (home / "mine.json").read_text()
    assert Keystore(home / "mine.json").open(lambda *_: PASSPHRASE).address == ADDRESS


def test_a_file_that_others_may_read_is_told(home: Path) -> None:
    open_file = keystore(home / "open.json")
    open_file.chmod(0o644)
    assert "chmod 600" in agon("show", "--file", open_file).output


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no Ethereum keystore"),
        ("[]", "no Ethereum keystore"),
        ("[" * 60_000, "no Ethereum keystore"),
        ("{}", "no Ethereum keystore"),
        ("0x1234", "no Ethereum keystore"),
        ('{"crypto": {"kdfparams": {"n": 1073741824, "r": 8, "p": 1}}}', "wants more than 1024 MB"),
        ('{"crypto": {"kdfparams": {"n": 2, "r": 8, "p": 1000000000}}}', "wants more than"),
        ('{"crypto": {"kdfparams": {"n": "2"}}}', "no Ethereum keystore"),
        ('{"crypto": {"kdfparams": {"c": 1000000000}}}', "wants more than"),
    ],
)
def test_what_is_no_wallet_is_refused_in_words(home: Path, text: str, why: str) -> None:
    (home / "bad.json").write_text(text)
    agon("import", home / "bad.json", fails=why)
    assert not (home / "config" / "agon" / "wallet.json").exists()


def test_a_wrong_passphrase_takes_nothing_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGON_PASSPHRASE", "something else")
    agon("import", keystore(home / "theirs.json"), fails="the passphrase is wrong")
    agon("import", home / "missing.json", fails="there is no")
    monkeypatch.setenv("AGON_PASSPHRASE", "short")
    agon("create", fails="at least 8 characters")
    assert not (home / "config" / "agon" / "wallet.json").exists()
