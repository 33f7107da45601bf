"""What a training shows of itself: each lie that the documents alone give away is told by its own line. No torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.documents import form
from chain.documents import result as results
from chain.verify.finding import Finding, Standing
from spaces import canonical, transcript
from tests.chain.documents_of import bent, documents_of
from tests.training.proof import manifests
from tests.training.proof.kept import HELD_OUT, Kept, lies, on_paper
from tests.training.sessions import bidding, played
from training import extra
from training.documents.adapter import Base
from training.proof import shown, verify
from training.proof.shown import Away, Training
from training.proof.sources import Folder, first_of

replace = msgspec.structs.replace
ZEROS = "0" * 64


def look(kept: Kept, asked: str | None = None) -> list[Finding]:
    return list(shown.findings(kept.document, asked, kept.fetch, Training()))


def test_documents_that_agree_are_true() -> None:
    found = look(on_paper())
    assert {each.standing for each in found} == {Standing.TRUE}
    lines = "content id, adapter, training, data, weights, sessions, held out"
    assert [each.what for each in found] == lines.split(", ")


def last_step(kept: Kept) -> Kept:
    steps = kept.manifest.steps
    steps[-1] = replace(steps[-1], weights=ZEROS)
    return kept.with_manifest(steps=steps)


def bent_weights(kept: Kept) -> Kept:
    told = kept.with_card()
    bent = bytearray(kept.contents[kept.card.weights])
    bent[-1] ^= 1
    told.card = replace(told.card, weights=told.put(bytes(bent)))
    return told


def against_the_rules(kept: Kept) -> Kept:
    told = canonical.decode(bidding(7))
    told["outcome"]["returns"] = [7, -7]
    return kept.with_session(canonical.encode(told))


def held_out_seed(kept: Kept) -> Kept:
    seed = transcript.read(kept.contents[kept.data.sessions[0]]).seed
    return kept.with_data(held_out={"seeds": [seed]})


def same_seed_as_held_out(kept: Kept) -> Kept:
    """The held-out session is another one of a seed that was learned from: a seat-flipped twin."""
    first = transcript.read(kept.contents[kept.data.sessions[0]])
    told = kept.with_card()
    twin = told.put(form.encode(replace(first, session=f"{first.session}-twin")))
    return told.with_data(held_out={"sessions": [twin]})


LIES: dict[str, tuple[Callable[[Kept], Kept], str]] = {
    "another base in the card": (
        lambda kept: kept.with_card(base=Base(name="tiny", sha256=ZEROS)),
        "training",
    ),
    "another rank in the card": (lambda kept: kept.with_card(rank=4), "training"),
    "a parent that the manifest has not": (
        lambda kept: kept.with_card(parent=manifests.CID),
        "training",
    ),
    "no manifest": (lambda kept: kept.without(kept.card.training), "training"),
    "a data card for a manifest": (
        lambda kept: kept.with_card(training=kept.card.data),
        "training",
    ),
    "a data card that is none": (
        lambda kept: kept.with_data(sessions=list(reversed(kept.data.sessions))),
        "data",
    ),
    "another Space": (lambda kept: kept.with_card(space="logic"), "data"),
    "the last step's weights": (last_step, "weights"),
    "the adapter's bytes": (bent_weights, "weights"),
    "the adapter's size": (lambda kept: kept.with_card(bytes=1), "weights"),
    "no adapter": (lambda kept: kept.without(kept.card.weights), "weights"),
    "a data CID of nothing": (
        lambda kept: kept.without(kept.data.sessions[0]),
        "sessions",
    ),
    "a session against the rules": (against_the_rules, "sessions"),
    "a held-out session smuggled in": (
        lambda kept: kept.with_session(bidding(HELD_OUT)),
        "held out",
    ),
    "a held-out seed": (held_out_seed, "held out"),
    "the seed of a held-out session": (same_seed_as_held_out, "held out"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_told_by_its_own_line(lie: str) -> None:
    tell, line = LIES[lie]
    assert set(lies(look(tell(on_paper())))) == {line}


def test_bytes_of_another_card_are_told() -> None:
    assert set(lies(look(on_paper(), manifests.CID))) == {"content id"}


def test_what_nobody_could_be_asked_for_is_no_lie() -> None:
    kept = on_paper()

    def away(cid: str, most: int) -> bytes:
        raise Away("no answer")

    found = list(shown.findings(kept.document, None, away, Training()))
    assert lies(found) == {}
    assert {each.standing for each in found[2:]} == {Standing.UNCHECKED}


PLAYED = documents_of(played("bid-tac-toe", 5, {"chips": 20}))
PLAYERS = [each.version for each in results.read(PLAYED.result or b"").seats]


def with_result(held_out: list[str], **changes: Any) -> Kept:
    """Learned from a session whose result says who played it."""
    told = on_paper()
    session = told.put(PLAYED.transcript or b"")
    result = told.put(bent(PLAYED.result or b"", **changes))
    return told.with_data(
        sessions=sorted([*told.data.sessions, session]),
        results={session: result},
        held_out={"players": held_out},
    )


def test_results_open_the_seats_and_say_who_was_held_out() -> None:
    found = look(with_result(["nobody@v1"]))
    assert lies(found) == {}
    words = {each.what: each.words for each in found}
    assert "who played 2 of those learned from, no result says" in words["held out"]
    assert set(lies(look(with_result([PLAYERS[1]])))) == {"held out"}


def test_a_result_of_others_is_told() -> None:
    seats = list(reversed(results.read(PLAYED.result or b"").seats))
    assert set(lies(look(with_result([], seats=seats)))) == {"results"}
    assert set(lies(look(with_result([], transcript=manifests.CID)))) == {"results"}


def test_a_folder_is_searched_by_what_is_in_its_files(tmp_path: Path) -> None:
    kept = on_paper()
    below = tmp_path / "any" / "where"
    below.mkdir(parents=True)
    for number, (cid, content) in enumerate(kept.contents.items()):
        (below / (f"{number}.json" if number % 2 == 0 else cid)).write_bytes(content)
    fetch = first_of([Folder(tmp_path).fetch])
    found = list(shown.findings(kept.document, kept.cid, fetch, Training()))
    assert {each.standing for each in found} == {Standing.TRUE}
    (below / "0.json").write_bytes(b"changed")
    assert lies(list(shown.findings(kept.document, kept.cid, fetch, Training())))


def test_without_what_trains_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extra, "NEEDED", ("no_such_thing",))
    kept = on_paper()
    asked = verify.Asked(card=kept.document, fetch=kept.fetch, work=tmp_path)
    found = list(verify.findings(asked))
    assert lies(found) == {}
    assert found[-1].what == "steps"
    assert "pip install 'agon-arena[training]'" in found[-1].words
    assert not verify.was_made_again(found)


def test_a_verifier_starts_without_torch() -> None:
    code = "import sys, training.proof.verify; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
