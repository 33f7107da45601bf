"""What importing eth-account must not do to the whole process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEEP = "b'[' * 60_000"


@pytest.mark.parametrize(
    "decode",
    ["import json; json.loads", "import msgspec; msgspec.json.decode"],
)
def test_a_document_of_brackets_is_an_error_and_no_crash(decode: str) -> None:
    program = (
        "import server.api.app, server.commands.keystore, chain.client.rpc, chain.devchain.server\n"
        f"{decode.partition('; ')[0]}\n"
        f"try: {decode.partition('; ')[2]}({DEEP})\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "RecursionError"


def test_an_arena_without_a_chain_imports_none_of_what_one_takes() -> None:
    program = (
        "import sys, server.roles, server.store, server.commands.chain\n"
        "print(sorted({'web3', 'eth', 'eth_tester', 'aiohttp', 'vyper', 'boa'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
