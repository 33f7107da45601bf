"""A session that was really played for money, settled on a chain and paid out, verifies; and each lie about it is told by its line.

The liar may be the arena itself: where it helps, what was changed is signed anew with the settler's own key.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from chain.content import cid as cids
from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.epoch import EpochDocument
from chain.documents.form import digest_of, encode
from chain.documents.result import Fees, Payout, ResultDocument
from chain.documents.signature import sign
from chain.ethereum import LocalAccount
from chain.verify.session import Documents
from server.settlement import key_file
from server.settlement.signing import Signing
from spaces import canonical, merkle, transcript
from spaces.seed import commitment
from spaces.transcript import Transcript
from tests import forked_agon
from tests.chain.node import account
from tests.chain.rpc import CHAIN_ID
from tests.server.paid_arena import PaidArena, paid_arena

pytestmark = pytest.mark.slow

replace = msgspec.structs.replace
STRANGER = 5


class Case:
    """The documents of the first session and of the last, and the key of the arena that may lie about them."""

    def __init__(self, arena: PaidArena) -> None:
        self.arena = arena
        self.first, self.last = arena.sessions[0], arena.sessions[-1]
        self.documents = arena.documents(self.first)
        self.others = arena.documents(self.last)
        self.key = key_file.read(Path(arena.data_dir) / "chain" / "settler.key")
        self.signing = Signing(self.key, CHAIN_ID, arena.escrow)
        assert self.documents.transcript is not None
        assert self.documents.result is not None
        assert self.documents.epoch is not None
        assert self.documents.payouts is not None
        self.played = transcript.read(self.documents.transcript)
        self.result = results.read(self.documents.result)
        self.epoch = epochs.read(self.documents.epoch)
        self.payouts, _ = payout_documents.read(self.documents.payouts)

    def but(self, **changed: bytes | None) -> Documents:
        return replace(self.documents, **changed)

    def with_result(self, **changed: Any) -> Documents:
        """Signed by the arena."""
        return self.but(result=self.signing.result(replace(self.result, **changed)))

    def with_transcript(self, played: Transcript) -> Documents:
        """Signed by the arena, with a result that names it."""
        document = self.signing.transcript(canonical.encode(msgspec.to_builtins(played)))
        named = replace(self.result, transcript=str(cids.of(document)))
        return self.but(transcript=document, result=self.signing.result(named))

    def with_entries(self, entries: list[transcript.Entry]) -> Documents:
        """Chained and rooted anew, as an arena would that wants to be believed."""
        chained, leaves, prev = [], [], "00" * 32
        for number, entry in enumerate(entries):
            entry = replace(entry, i=number, prev=prev)
            leaf = canonical.encode(msgspec.to_builtins(entry))
            prev = canonical.sha256(msgspec.to_builtins(entry))
            chained.append(entry)
            leaves.append(leaf)
        root = merkle.root(leaves).hex()
        return self.with_transcript(replace(self.played, entries=chained, root=root))

    def with_epoch(self, epoch: EpochDocument) -> Documents:
        return self.but(epoch=self.signing.epoch(epoch))

    def by(self, key: LocalAccount, result: ResultDocument, chain_id: int = CHAIN_ID) -> bytes:
        return encode(replace(result, sig=sign(key, chain_id, self.arena.escrow, result)))

    def with_accounts(self, accounts: dict[str, int], number: int) -> bytes:
        document, _ = payout_documents.build(number, CHAIN_ID, self.arena.escrow, accounts)
        return payout_documents.encode(document)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with paid_arena(tmp_path_factory.mktemp("paid")) as arena:
        yield Case(arena)


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    return forked_agon.agon("verify", *map(str, arguments), env=environment)


def chain_of(case: Case) -> tuple[object, ...]:
    return ("--rpc", case.arena.rpc, "--manifest", case.arena.manifest)


def files_of(documents: Documents, folder: Path) -> list[object]:
    found: list[object] = []
    for name in ("transcript", "result", "epoch", "payouts"):
        document = getattr(documents, name)
        if document is not None:
            file = folder / f"{name}.json"
            file.write_bytes(document)
            found += [f"--{name}", file]
    return found


LINES = (
    "content id", "transcript", "replay", "signature", "result", "seats", "ranks", "money", "result signature",
    "epoch", "pay-out tree", "epoch signature", "root", "pay-outs", "opened", "escrow", "settled by", "paid",
)  # fmt: skip


def test_it_verifies_by_the_arena_and_finds_the_chain_by_itself(case: Case) -> None:
    for session in case.arena.sessions:
        done = verify(session, "--url", case.arena.url, "--data-dir", case.arena.data_dir)
        assert done.returncode == 0, done.stdout + done.stderr
        for line in LINES:
            assert f"ok  {line} " in done.stdout, done.stdout
        assert "LIE" not in done.stdout


def test_it_verifies_without_any_arena(case: Case) -> None:
    proof = case.arena.proof(case.first)
    newest = case.arena.proof(case.last)["epoch"]["payouts_cid"]
    by_ids = (
        *("--cid", proof["transcript"]["cid"], "--result-cid", proof["result"]["cid"]),
        *("--epoch-cid", proof["epoch"]["cid"], "--payouts-cid", newest),
    )
    nobody = ("--url", "http://127.0.0.1:9")
    done = verify(*by_ids, *nobody, "--ipfs", case.arena.ipfs, *chain_of(case))
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("pinned", *LINES):
        assert f"ok  {line} " in done.stdout, done.stdout


def test_it_verifies_from_the_content_store_that_the_arena_names_ids_of(case: Case) -> None:
    where = ("--url", case.arena.url, "--data-dir", case.arena.data_dir)
    done = verify(case.first, *where, "--ipfs", case.arena.ipfs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok  pinned " in done.stdout
    assert "ok  pay-outs " in done.stdout, "those of the newest epoch"
    by_id = verify(case.arena.proof(case.first)["result"]["cid"], "--ipfs", case.arena.ipfs)
    assert by_id.returncode == 0, by_id.stdout + by_id.stderr
    assert "ok  money " in by_id.stdout


def one_bit(case: Case) -> Documents:
    raw = bytearray(case.documents.transcript or b"")
    place = raw.index(b'"prev":"', len(raw) // 2) + len(b'"prev":"')
    raw[place] ^= 1
    return case.but(transcript=bytes(raw))


def another_seed(case: Case) -> Documents:
    seed = bytes(32)
    commit = commitment(case.played.session, seed)
    return case.with_transcript(replace(case.played, seed=seed.hex(), seed_commit=commit))


def another_action(case: Case) -> Documents:
    entries = list(case.played.entries)
    place = next(n for n, each in enumerate(entries) if each.type == "reveal")
    body = entries[place].body
    actions = [{**each, "chips": 1} if "chips" in each else each for each in body["actions"]]
    actions = actions if actions != body["actions"] else body["actions"][::-1]
    entries[place] = replace(entries[place], body={**body, "actions": actions})
    return case.with_entries(entries)


def action_left_out(case: Case) -> Documents:
    entries = list(case.played.entries)
    del entries[next(n for n, each in enumerate(entries) if each.type == "reveal")]
    return case.with_entries(entries)


def swapped_commitments(case: Case) -> Documents:
    one, two = case.played.seats
    swapped = [replace(one, commit=two.commit), replace(two, commit=one.commit)]
    return case.with_transcript(replace(case.played, seats=swapped))


def flipped_outcome(case: Case) -> Documents:
    returns = case.played.outcome.returns
    assert returns is not None
    outcome = replace(case.played.outcome, returns=tuple(returns[::-1]))
    return case.with_transcript(replace(case.played, outcome=outcome))


def swapped_seats(case: Case) -> Documents:
    one, two = case.result.seats
    return case.with_result(seats=[replace(two, seat=0), replace(one, seat=1)])


def stolen_wallet(case: Case) -> Documents:
    thief = account(STRANGER).address
    seats = [replace(each, wallet=thief) for each in case.result.seats]
    return case.with_result(seats=seats)


def another_result_in_the_epoch(case: Case) -> Documents:
    """The arena makes up a whole story: result, leaf, root, signatures."""
    lied = replace(case.result, ratings=[])
    rows = [
        replace(each, digest=digest_of(lied)) if each.session == lied.session else each
        for each in case.epoch.results
    ]
    root = epochs.root_of([each.digest for each in rows])
    epoch = replace(case.epoch, results=rows, root=root)
    return case.but(result=case.signing.result(lied), epoch=case.signing.epoch(epoch))


def richer_thief(case: Case) -> Documents:
    accounts = {**dict(case.payouts.accounts), account(STRANGER).address.lower(): 1_000_000}
    return case.but(payouts=case.with_accounts(accounts, case.payouts.epoch))


def poorer_winner(case: Case) -> Documents:
    accounts = dict.fromkeys(dict(case.payouts.accounts), 1)
    accounts[account(STRANGER).address.lower()] = 10**9
    return case.but(payouts=case.with_accounts(accounts, case.payouts.epoch))


def stale_payouts(case: Case) -> Documents:
    """Those of the session's own epoch, passed off as the newest."""
    url = f"{case.arena.url}/v1/epochs/{case.payouts.epoch - 1}/payouts"
    before, _ = payout_documents.read(httpx.get(url).content)
    accounts = dict(before.accounts)
    return case.but(payouts=case.with_accounts(accounts, case.payouts.epoch))


def older_payouts(case: Case) -> Documents:
    accounts = dict(case.payouts.accounts)
    return replace(case.others, payouts=case.with_accounts(accounts, case.epoch.epoch))


LIES: dict[str, tuple[str, Callable[[Case], Documents]]] = {
    "one bit of the transcript": ("replay", one_bit),
    "a transcript with a space too much": (
        "transcript",
        lambda case: case.but(transcript=(case.documents.transcript or b"") + b" "),
    ),
    "the transcript of another session": (
        "result",
        lambda case: case.but(transcript=case.others.transcript),
    ),
    "another seed": ("replay", another_seed),
    "another action": ("replay", another_action),
    "an action left out": ("replay", action_left_out),
    "what is beside the rules left out": (
        "epoch",
        lambda case: case.with_entries(
            [each for each in case.played.entries if each.type != "annotation"]
        ),
    ),
    "another winner by the transcript": ("replay", flipped_outcome),
    "commitments of the seats swapped": ("seats", swapped_commitments),
    "a transcript signed by a stranger": (
        "signature",
        lambda case: case.but(
            transcript=Signing(account(STRANGER), CHAIN_ID, case.arena.escrow).transcript(
                case.documents.transcript or b""
            )
        ),
    ),
    "swapped seats": ("seats", swapped_seats),
    "a changed rank": ("ranks", lambda case: case.with_result(ranks=case.result.ranks[::-1])),
    "a wrong pay-out": (
        "money",
        lambda case: case.with_result(
            payouts_micros=[Payout(each.to, each.amount - 1) for each in case.result.payouts_micros]
        ),
    ),
    "a pay-out to another": (
        "money",
        lambda case: case.with_result(
            payouts_micros=[
                Payout("usdc:agent:MALLORY", each.amount) for each in case.result.payouts_micros
            ]
        ),
    ),
    "a fee for somebody else": ("money", lambda case: case.with_result(fees_micros=Fees(0, 0, 10_000))),
    "a higher tier": ("opened", lambda case: case.with_result(tier_micros=500_000)),
    "other wallets": ("opened", stolen_wallet),
    "other ratings": ("epoch", lambda case: case.with_result(ratings=[])),
    "void after all": (
        "escrow",
        lambda case: case.with_result(
            status="void", reason="nobody saw", ranks=[], ratings=[], verdict=None,
            payouts_micros=[Payout(f"usdc:agent:{each.agent}", 100_000) for each in case.result.seats],
            fees_micros=Fees(0, 0, 0),
        ),
    ),
    "a result signed by a stranger": (
        "result signature",
        lambda case: case.but(result=case.by(account(STRANGER), case.result)),
    ),
    "a signature for another chain": (
        "result signature",
        lambda case: case.but(result=case.by(case.key, case.result, chain_id=8453)),
    ),
    "a result of another session": (
        "result",
        lambda case: case.but(result=case.others.result),
    ),
    "another epoch": ("epoch", lambda case: case.but(epoch=case.others.epoch)),
    "another number of the epoch": (
        "root",
        lambda case: case.with_epoch(replace(case.epoch, epoch=case.epoch.epoch + 1)),
    ),
    "an epoch whose root is not its own": (
        "epoch",
        lambda case: case.with_epoch(replace(case.epoch, root="11" * 32)),
    ),
    "another result, with its own epoch": ("root", another_result_in_the_epoch),
    "an epoch signed by a stranger": (
        "epoch signature",
        lambda case: case.but(
            epoch=Signing(account(STRANGER), CHAIN_ID, case.arena.escrow).epoch(case.epoch)
        ),
    ),
    "an epoch of another escrow": (
        "root",
        lambda case: case.with_epoch(replace(case.epoch, escrow="0x" + "e5" * 20)),
    ),
    "somebody else in the tree": ("pay-outs", richer_thief),
    "a winner with less in the tree": ("pay-out tree", poorer_winner),
    "stale pay-outs under the newest number": ("pay-outs", stale_payouts),
    "pay-outs from before the session": ("pay-out tree", older_payouts),
    "pay-outs of a chain to come": (
        "pay-outs",
        lambda case: case.but(
            payouts=case.with_accounts(dict(case.payouts.accounts), case.payouts.epoch + 7)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_it_is_told_by_its_line(case: Case, name: str, tmp_path: Path) -> None:
    line, lie = LIES[name]
    done = verify(*files_of(lie(case), tmp_path), *chain_of(case))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"LIE {line} " in done.stdout, done.stdout + done.stderr
    summary = done.stdout.rstrip().splitlines()[-1]
    assert summary.startswith("FALSE: ")
    assert line in summary


def test_a_content_id_of_something_else_is_told(case: Case, tmp_path: Path) -> None:
    other = case.arena.proof(case.last)["transcript"]["cid"]
    done = verify(*files_of(case.documents, tmp_path), "--cid", other, *chain_of(case))
    assert done.returncode == 1
    assert "LIE content id " in done.stdout


def test_a_missing_pin_is_told(case: Case) -> None:
    """Last: the content store has lost it, and the arena still says that it is there."""
    lost = case.arena.proof(case.last)["result"]["cid"]
    parts = urlsplit(case.arena.ipfs)
    assert parts.username is not None
    assert parts.password is not None
    with httpx.Client(
        base_url=f"http://{parts.hostname}:{parts.port}", auth=(parts.username, parts.password)
    ) as store:
        for command in ("pin/rm", "block/rm"):
            answer = store.post(f"/api/v0/{command}", params={"arg": lost})
            assert answer.is_success, answer.text
    where = ("--url", case.arena.url, "--data-dir", case.arena.data_dir)
    done = verify(case.last, *where, "--ipfs", case.arena.ipfs)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "LIE pinned " in done.stdout
    assert verify(case.last, *where).returncode == 0, "the arena itself still has it"
