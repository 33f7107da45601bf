"""What a verifier tells of a paid game of Bid Tac Toe whose result is on a chain, and of one where somebody lies."""

from __future__ import annotations

import msgspec

from server.protocol import SessionView, Snapshot, Step
from tui_client.proof.finding import Finding, Name, Standing, Told
from tui_client.proof.proof import Copied, ProofInput, Prove, Proved, Proving
from tui_client.recording.cast import BOARD, EPOCH
from tui_client.recording.game import board_view

CID = "bafkreieq5jui4j25lacwomsqgjeswwl3y5zcdrresptwgmfylxo2depppq"
RESULT = "bafkreibme22gw2h7y2h7tg2fhqotaqjucnbc24deqo72b6mkl2egezxhvy"
OPENED = "0x" + "4f2a" * 16
ANCHORED = "0x" + "c81e" * 16
ESCROW = "0x9A676e781A523b5d0C0e43731313A708CB607508"
SETTLER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

T, F, U = Standing.TRUE, Standing.FALSE, Standing.UNCHECKED

ASKED = Prove(
    BOARD,
    f"agon verify {BOARD} --ipfs http://127.0.0.1:5001 --rpc http://127.0.0.1:8545 --chain 31337 --escrow {ESCROW}",
    (
        "this arena, http://127.0.0.1:8600, and the rules here",
        "IPFS at http://127.0.0.1:5001: the transcript, by its content id",
        f"chain 31337, http://127.0.0.1:8545, escrow {ESCROW}",
    ),
)
ALONE = Prove(
    BOARD,
    f"agon verify {BOARD}",
    ("this arena alone, http://127.0.0.1:8600, and the rules here",),
)
PLAYED: tuple[Told, ...] = (
    Name("transcript", CID),
    Name("result", RESULT),
    Name("epoch", "7"),
    Finding("content id", T, f"{CID}, by the bytes"),
    Finding("transcript", T, f"canonical agon-transcript/1 of session {BOARD}, 21 entries"),
    Finding(
        "replay",
        T,
        "chain of entries, Merkle root, seed commitment, every action by the rules of bid-tac-toe/1: line",
    ),
    Finding("signature", U, f"by {SETTLER}: needs a chain (--rpc) to know whose key that is"),
    Finding("result", T, "canonical agon-result/1, of this transcript"),
    Finding("seats", T, "2 salts open the commitments to the versions"),
)
CAME: tuple[Told, ...] = (
    Finding("ranks", T, "[2, 1], as the rules' returns [-1000, 1000] say"),
    Finding("money", T, "a pot of 1.00 USDC, paid out by the ranks and the table, to the micro"),
    Finding("result signature", U, "needs a chain (--rpc)"),
    Finding("ratings", U, "follow from all results of the versions: `agon results check FILE`"),
    Finding("epoch", T, "in the root of epoch 7"),
)
ON_CHAIN: tuple[Told, ...] = (
    Finding("signature", T, f"by the escrow's settler {SETTLER}"),
    Finding("result signature", T, f"by the escrow's settler {SETTLER}"),
    Finding("root", T, "the escrow holds it for epoch 7"),
    Finding("pay-outs", T, "the escrow allots 41.90 USDC by this root"),
    Finding("escrow", T, "the session is settled there"),
)
LIES: tuple[Told, ...] = (
    Finding("ranks", F, "[1, 2], the rules say [2, 1]"),
    Finding("money", F, "seat 0 is paid 950000 micros; the table gives its place 0"),
    Finding("result signature", U, "not signed"),
    Finding("epoch", U, "the epoch that holds it is not closed yet"),
)


def board_paid(steps: list[Step]) -> Snapshot:
    """The game of the recording, for 0.50 USDC, with the steps of its proof."""
    over = board_view(5)
    view = msgspec.structs.replace(over, tier_micros=500_000, steps=steps)
    return Snapshot(f"session:{BOARD}", EPOCH, 40, view)


def anchored_steps(*, anchored: bool = True) -> list[Step]:
    """Of a proof that is whole, or that waits for its epoch."""
    done = [Step(name, "done") for name in ("sealed", "settled")]
    last = Step("anchored", "done", f"epoch 7, tx {ANCHORED}")
    return [
        Step("opened", "done", OPENED),
        *done,
        Step("pinned", "done", CID),
        Step("rated", "done"),
        last if anchored else Step("anchored", "waiting"),
    ]


def found(asked: Prove, *told: Told, ended: bool = True, copied: str = "") -> list[ProofInput]:
    """The proof opened, what was told, and its end."""
    happened: list[ProofInput] = [asked, *(Proving(1, each) for each in told)]
    if ended:
        happened.append(Proved(1))
    return [*happened, Copied(copied)] if copied else happened


def opened_view(view: SessionView) -> SessionView:
    """While it is played: the escrow has the entries."""
    steps = [Step("opened", "done", OPENED)]
    return msgspec.structs.replace(view, tier_micros=500_000, steps=steps)
