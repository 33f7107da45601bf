"""`agon verify` as a stranger uses it: from files, from a content store, and with a chain."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from chain.content.ipfs import Ipfs
from chain.documents.form import encode
from chain.documents.result import ResultDocument
from spaces import registry
from tests import forked_agon
from tests.chain.blockstore.conftest import Served
from tests.chain.court import test_verify_court as judged
from tests.chain.documents_of import bent, documents_of
from tests.chain.node import deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.conformance.rig import play

HONEST = documents_of(play(registry.get("bid-tac-toe"), {"chips": 20}, 9))


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    return forked_agon.agon("verify", *map(str, arguments), env=os.environ)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name in ("transcript", "result", "epoch"):
        file = tmp_path / f"{name}.json"
        file.write_bytes(getattr(HONEST, name))
        found[name] = file
    return found


def given(files: dict[str, Path]) -> list[object]:
    return [part for name, file in files.items() for part in (f"--{name}", file)]


def test_files_are_checked_and_nobody_is_asked(files: dict[str, Path]) -> None:
    done = verify(*given(files), "--url", "http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert "ok  money" in done.stdout
    assert "ok  epoch" in done.stdout
    assert "LIE" not in done.stdout


def test_a_file_that_is_not_there_is_no_session(tmp_path: Path) -> None:
    for name in (tmp_path / "one", "one.transcript.json"):
        done = verify(name)
        assert done.returncode == 1
        assert f"there is no file {name}" in done.stderr


def test_where_no_arena_answers_it_says_what_goes_without_one() -> None:
    done = verify("01M8EHQQQMNR7RV13XGAKEM40S", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "nothing answers at http://127.0.0.1:9" in done.stderr
    assert "without an arena" in done.stderr


def test_saved_transcripts_are_taken_with_the_results_beside_them(tmp_path: Path) -> None:
    assert HONEST.transcript is not None
    assert HONEST.result is not None
    for name in ("one", "two"):
        (tmp_path / f"{name}.transcript.json").write_bytes(HONEST.transcript)
    (tmp_path / "one.result.json").write_bytes(HONEST.result)
    (tmp_path / "two.result.json").write_bytes(bent(HONEST.result, tier_micros=100_000))
    done = verify(*sorted(tmp_path.glob("*.transcript.json")))
    assert done.returncode == 1
    one, two = done.stdout.split("── ")[1:]
    assert "ok  money" in one
    assert "LIE money" in two


def test_a_game_whose_rules_are_not_here_is_not_called_a_lie(tmp_path: Path) -> None:
    game = play(registry.get("openspiel:kuhn_poker"), {}, 1)
    file = tmp_path / "kuhn.transcript.json"
    file.write_bytes(game.document())
    unknown, known = verify(file), verify(file, "--bridge", "openspiel:kuhn_poker")
    assert "?   replay" in unknown.stdout
    assert "--bridge" in unknown.stdout
    assert "LIE" not in unknown.stdout
    assert "ok  replay" in known.stdout
    file.write_bytes(game.document().replace(b'"t":7,', b'"t":8,', 1))
    assert "LIE replay" in verify(file).stdout, "hashes need no rules"


def test_a_lie_is_a_line_and_a_status(files: dict[str, Path]) -> None:
    assert HONEST.result is not None
    files["result"].write_bytes(bent(HONEST.result, tier_micros=100_000))
    done = verify(*given(files))
    assert done.returncode == 1
    assert "LIE money" in done.stdout
    assert "FALSE: money" in done.stdout


def test_what_a_user_can_do_about_it_is_said_in_a_sentence(
    files: dict[str, Path], tmp_path: Path
) -> None:
    transcript = ("--transcript", files["transcript"])
    for arguments, words in (
        ((), "name a session, or files to check"),
        (("--result", tmp_path / "none.json"), "cannot be read: No such file"),
        (
            (*transcript, "--rpc", "http://127.0.0.1:9", "--data-dir", tmp_path),
            "which contract? name --manifest, or --chain and --escrow",
        ),
        (
            (*transcript, "--rpc", "http://127.0.0.1:9", "--chain", 1, "--escrow", "0x12"),
            "expected 0x and 40 hex digits, got '0x12'",
        ),
        (
            (
                *transcript,
                "--rpc",
                "http://127.0.0.1:9",
                "--chain",
                1,
                "--escrow",
                "0x" + "11" * 20,
            ),
            "--rpc: the chain's node failed",
        ),
        (
            ("--result", files["result"], "--ipfs", "http://127.0.0.1:9", "--cid", "nonsense"),
            "--cid: ",
        ),
    ):
        done = verify(*arguments)
        assert done.returncode == 1, arguments
        assert words in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_store_that_does_not_answer_leaves_the_rest_to_be_checked(files: dict[str, Path]) -> None:
    del files["transcript"]
    done = verify(*given(files), "--ipfs", "http://127.0.0.1:9")
    assert "?   transcript" in done.stdout
    assert "ok  epoch" in done.stdout


async def test_an_escrow_that_holds_no_such_epoch_gives_the_lie(
    files: dict[str, Path], tmp_path: Path
) -> None:
    async with net() as chain:
        escrow = (await deployed(chain, tmp_path)).address("escrow")
        epoch = msgspec.json.decode(files["epoch"].read_bytes())
        files["epoch"].write_bytes(
            msgspec.json.encode(epoch | {"chain_id": CHAIN_ID, "escrow": escrow}, order="sorted")
        )
        result = msgspec.json.decode(files["result"].read_bytes(), type=ResultDocument)
        files["result"].write_bytes(encode(result))
        where = ("--rpc", chain.url, "--chain", CHAIN_ID, "--escrow", escrow)
        done = await asyncio.to_thread(verify, *given(files), *where)
        other = ("--rpc", chain.url, "--chain", 1, "--escrow", escrow)
        refused = await asyncio.to_thread(verify, *given(files), *other)
        nobody = ("--rpc", chain.url, "--chain", CHAIN_ID, "--escrow", "0x" + "11" * 20)
        empty = await asyncio.to_thread(verify, *given(files), *nobody)
    assert done.returncode == 1
    assert "LIE root" in done.stdout, done.stdout + done.stderr
    assert "has closed 0 epochs" in done.stdout
    assert "the node is of chain" in refused.stderr
    assert "there is no contract" in empty.stderr


def test_what_a_court_did_is_checked_from_files(tmp_path: Path) -> None:
    honest = judged.documents(judged.HONEST)
    lying = judged.documents(judged.off_by_one(judged.HONEST))
    for name, given_ in (("one", honest), ("two", lying)):
        for kind in ("transcript", "result", "case", "court_epoch"):
            (tmp_path / f"{name}.{kind}.json").write_bytes(getattr(given_, kind))
    one, two = (verify(tmp_path / f"{name}.transcript.json") for name in ("one", "two"))
    assert one.returncode == 0, one.stdout
    for what in judged.LINES:
        assert f"ok  {what}" in one.stdout, one.stdout
    assert "?   filed" in one.stdout
    assert two.returncode == 1
    assert "LIE scores" in two.stdout
    alone = verify("--case", tmp_path / "one.case.json")
    assert alone.returncode == 0, alone.stdout
    assert "ok  panel" in alone.stdout
    missing = verify(
        "--transcript",
        tmp_path / "one.transcript.json",
        "--result",
        tmp_path / "one.result.json",
    )
    assert "?   case" in missing.stdout
    assert "give --case, or --ipfs" in missing.stdout


def test_what_a_court_did_is_found_by_content_ids_alone(tmp_path: Path) -> None:
    honest = judged.documents(judged.HONEST)
    store = Served(tmp_path / "store")
    try:

        async def keep() -> list[str]:
            async with Ipfs(store.url) as ipfs:
                kinds = ("transcript", "case", "result", "court_epoch")
                return [str(await ipfs.add(getattr(honest, kind))) for kind in kinds]

        transcript, case, result, epoch = asyncio.run(keep())
        given_ = ("--result-cid", result, "--court-epoch-cid", epoch, "--ipfs", store.url)
        done = verify(*given_)
        assert done.returncode == 0, done.stdout
        assert "ok  pinned" in done.stdout
        for what in judged.LINES:
            assert f"ok  {what}" in done.stdout, done.stdout
        alone = verify(case, "--ipfs", store.url)
        assert alone.returncode == 0, alone.stdout
        assert transcript in alone.stdout
    finally:
        store.stop()
