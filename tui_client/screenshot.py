"""The README's pictures: recorded messages, folded and painted like any others, saved as SVG.

`python -m tui_client.screenshot --out docs/img`
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from server.protocol import BenchSeat, ServerMessage, Snapshot
from tui_client import recording
from tui_client.app import WatchApp
from tui_client.director import step
from tui_client.owner import arena
from tui_client.owner.desk import Resized
from tui_client.owner.logins import SignedOut
from tui_client.proof.proof import Prove
from tui_client.recording import bridged, desk, market, proving, questions, texts, trial
from tui_client.state import (
    Connected,
    Input,
    Move,
    Open,
    OpenJudge,
    State,
    Tick,
    ToggleCourt,
    ToggleFollow,
    Turn,
    reduce,
)

COLUMNS = 120
ROWS = {
    "lobby": 26,
    "rap": 26,
    "verdict": 31,
    "bid-tac-toe": 30,
    "trade-wars": 31,
    "prediction": 31,
    "logic": 28,
    "writing": 31,
    "agents": 26,
    "create": 30,
    "automation": 26,
    "money": 28,
    "dashboard": 32,
    "compare": 31,
    "training": 34,
    "court": 36,
    "proof": 32,
}
"""How high each picture is: as high as what it shows."""
_WEB_FONTS = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def folded(happened: Sequence[Input], now_ms: int = recording.START_MS) -> State:
    """The state after a recording, at one instant."""
    state = step(State(), Tick(now_ms))
    for one in happened:
        state = step(state, one)
    return state


def lobby() -> list[Input]:
    return [Connected(), *recording.lobby_start()]


def rap() -> list[Input]:
    """Round three: the second seat is in the middle of its answer, and the director watches."""
    verses: list[ServerMessage] = [recording.rap_verse(verse) for verse in range(5)]
    writing = recording.rap_writing(5, 104)
    return [
        *lobby(),
        Open(recording.RAP),
        ToggleFollow(),
        *recording.rap_start(),
        *verses,
        *writing,
    ]


def verdict() -> list[Input]:
    verses: list[ServerMessage] = [recording.rap_verse(verse) for verse in range(5)]
    ending = recording.rap_ending()
    return [*lobby(), Open(recording.RAP), *recording.rap_start(), *verses, *ending]


def bid_tac_toe() -> list[Input]:
    """The fifth auction: one bid is in, face down."""
    auctions: list[ServerMessage] = [
        update for number in range(4) for update in recording.board_auction(number)
    ]
    sealed = recording.board_auction(4)[:1]
    return [*lobby(), Open(recording.BOARD), *recording.board_start(), *auctions, *sealed]


def bid_tac_toe_result() -> list[Input]:
    auctions: list[ServerMessage] = [
        update for number in range(5) for update in recording.board_auction(number)
    ]
    over = [*auctions, recording.board_regret()]
    return [*lobby(), Open(recording.BOARD), *recording.board_start(), *over]


def trade_wars() -> list[Input]:
    """The third round: six of its ten candles are in."""
    start = market.market_start(market.market_view(3, 5))
    return [*lobby(), Open(recording.MARKET), *start, market.market_candle(3, 6)]


def trade_wars_decide() -> list[Input]:
    start = market.market_start(market.market_view(2, 10, (1,)))
    return [*lobby(), Open(recording.MARKET), *start, market.market_sealed(2, (1, 3))]


def trade_wars_result() -> list[Input]:
    start = market.market_start(market.market_view(5, 10))
    return [*lobby(), Open(recording.MARKET), *start, *market.market_ending()]


EVERYBODY = tuple(range(5))


def prediction() -> list[Input]:
    """The first question has just come out; the second one is asked."""
    start = questions.questions_start(questions.questions_view(0, EVERYBODY))
    return [*lobby(), Open(recording.QUESTIONS), *start, questions.questions_resolved(1)]


def prediction_sealed() -> list[Input]:
    start = questions.questions_start(questions.questions_view(1, (3,)))
    return [*lobby(), Open(recording.QUESTIONS), *start, questions.questions_sealed(1, (3, 0))]


def prediction_resolving() -> list[Input]:
    start = questions.questions_start(questions.questions_view(1, EVERYBODY))
    return [*lobby(), Open(recording.QUESTIONS), *start]


def prediction_result() -> list[Input]:
    start = questions.questions_start(questions.questions_view(2, EVERYBODY))
    return [*lobby(), Open(recording.QUESTIONS), *start, questions.questions_resolved(3)]


def probability() -> list[Input]:
    """Of a session that asks for probabilities, a question that has come out."""
    start = questions.questions_start(questions.questions_view(1, EVERYBODY, "probability"))
    resolved = questions.questions_resolved(2, "probability")
    return [*lobby(), Open(recording.QUESTIONS), *start, resolved]


def writing_sealed() -> list[Input]:
    """Three of five texts are in, face down."""
    sealed = texts.writing_sealed(3)
    return [*lobby(), Open(texts.TEXTS), *texts.writing_start(), *sealed]


def writing_revealed() -> list[Input]:
    ending = texts.writing_ending(judged=False)
    return [*lobby(), Open(texts.TEXTS), *texts.writing_start(), *texts.writing_sealed(4), *ending]


def writing() -> list[Input]:
    """The judges have spoken."""
    ending = texts.writing_ending()
    return [*lobby(), Open(texts.TEXTS), *texts.writing_start(), *texts.writing_sealed(4), *ending]


def writing_in_front() -> list[Input]:
    """The same, with the second text brought to the front."""
    return [*writing(), Turn(2)]


def openspiel() -> list[Input]:
    return [*lobby(), Open(bridged.POSITION), *bridged.position_start()]


def textarena() -> list[Input]:
    return [*lobby(), Open(bridged.TALK), *bridged.talk_start()]


def logic() -> list[Input]:
    """The third puzzle: two answers are sealed, one seat has given up, and round two lies open."""
    rounds = [update for number in range(2) for update in _round_of_logic(number)]
    sealed = recording.logic_answers(2, (3, 4, 0))
    return [*lobby(), Open(recording.PUZZLES), *recording.logic_start(), *rounds, *sealed]


def logic_result() -> list[Input]:
    rounds = [update for number in range(3) for update in _round_of_logic(number)]
    return [*lobby(), Open(recording.PUZZLES), *recording.logic_start(), *rounds]


def _round_of_logic(number: int) -> list[ServerMessage]:
    return [*recording.logic_answers(number, (3, 0, 1, 4)), recording.logic_reveal(number, 2)]


def opened() -> list[Input]:
    """A game for money while it is played: the escrow has the entries."""
    view = proving.opened_view(recording.board_view(3))
    return [*lobby(), Open(recording.BOARD), Snapshot(f"session:{recording.BOARD}", "e1", 9, view)]


def proof() -> list[Input]:
    """A game for money that is over and on the chain: everything holds, and its content id was copied."""
    told = (*proving.PLAYED, *proving.CAME, *proving.ON_CHAIN)
    over = proving.board_paid(proving.anchored_steps())
    happened = proving.found(proving.ASKED, *told, copied="transcript")
    return [*lobby(), Open(recording.BOARD), over, *happened]


def court() -> list[Input]:
    """All have revealed."""
    return [*lobby(), Open(recording.RAP), trial.at_court(trial.decided()), ToggleCourt()]


def docket() -> list[Input]:
    """The page of the court, a judge chosen."""
    return [*lobby(), ToggleCourt(), *trial.docket(), Move(4)]


def judge() -> list[Input]:
    """One judge's page."""
    return [*lobby(), ToggleCourt(), OpenJudge(trial.JUDGES[0]), *trial.judge()]


def court_committing() -> list[Input]:
    """The panel sits under the verses, three of five have committed."""
    return [*lobby(), Open(recording.RAP), trial.at_court(trial.case(committed=3))]


def court_found() -> list[Input]:
    """All have revealed, and there is time to appeal."""
    found = trial.decided(final=False, appeal_by_ms=recording.START_MS + 92_000)
    return [*lobby(), Open(recording.RAP), trial.at_court(found)]


def court_sealed() -> list[Input]:
    """The court while scores are sealed: one did not commit, and a reserve sits in its place."""
    panel = list(trial.case(committed=4).panel)
    panel[1] = msgspec.structs.replace(panel[1], state="replaced")
    reserve = BenchSeat(trial.JUDGES[5], "0x05", "model:scores", "committed", reserve=True)
    seated = trial.case(
        committed=5, panel=[*panel, reserve], note="judge 2 did not commit: a reserve sits"
    )
    return [*lobby(), Open(recording.RAP), trial.at_court(seated), ToggleCourt()]


def proof_checking() -> list[Input]:
    """Half of it is checked; the epoch is not closed yet."""
    over = proving.board_paid(proving.anchored_steps(anchored=False))
    happened = proving.found(proving.ASKED, *proving.PLAYED[:6], ended=False)
    return [*lobby(), Open(recording.BOARD), over, *happened]


def proof_lie() -> list[Input]:
    """From the lobby's list; this arena alone was asked, and its result is a lie."""
    return [*lobby(), *proving.found(proving.ALONE, *proving.PLAYED[3:], *proving.LIES)]


def proof_unable() -> list[Input]:
    """A client that was opened without a verifier."""
    asked = Prove(recording.BOARD, proving.ALONE.by_hand, able=False)
    return [*lobby(), Open(recording.BOARD), *recording.board_start(), asked]


PICTURES = {
    "lobby": lobby,
    "rap": rap,
    "verdict": verdict,
    "bid-tac-toe": bid_tac_toe,
    "trade-wars": trade_wars,
    "prediction": prediction,
    "logic": logic,
    "writing": writing,
    "court": court,
    "proof": proof,
}


def agents() -> State:
    """Three agents: one plays, one was stopped, one does nothing."""
    return desk.at_desk()


def create() -> State:
    """An agent that is being made: its prompt is written."""
    return desk.at_desk("n", *desk.written("Frostbite"), *["down"] * 5, *desk.written(desk.PROMPT))


def automation() -> State:
    return desk.at_desk("down", "p")


def improve() -> State:
    """The helper has written another prompt, which is not taken yet."""
    known = desk.answers() | {arena.improve("", "", "").path: desk.HELPED}
    return desk.at_desk("e", "ctrl+g", "enter", known=known)


def dashboard() -> State:
    return desk.at_desk("d")


def compare() -> State:
    """With the leader of the board, in the Space that both play."""
    return desk.at_desk("d", "c", *["down"] * 5, "enter", "s")


def training() -> State:
    """A candidate is in the gate."""
    return desk.at_desk("t", known=desk.learnt(testing=True))


def money() -> State:
    return desk.at_desk("m", "down", "down")


DESK_PICTURES: dict[str, Callable[[], State]] = {
    "agents": agents,
    "create": create,
    "automation": automation,
    "dashboard": dashboard,
    "compare": compare,
    "training": training,
    "money": money,
}
DESK_SCREENS: dict[str, Callable[[], State]] = {
    "money-funding": lambda: desk.at_desk("m", "down", "down", "f", *desk.written("2.50")),
    "money-chain": lambda: desk.at_desk(
        "m", "down", "down", "down", known=desk.on_chain(desk.ESCROW)
    ),
    "money-chain-refused": lambda: desk.at_desk("m", "l", known=desk.on_chain(desk.REFUSED)),
    "improve": improve,
    "improve-wish": lambda: desk.at_desk("e", "ctrl+g", *desk.written("answer what they said")),
    "dashboard-version": lambda: desk.at_desk("d", "tab", "down", "enter"),
    "dashboard-new": lambda: desk.at_desk("down", "down", "d"),
    "compare-choice": lambda: desk.at_desk("d", "c", "down"),
    "compare-versions": lambda: desk.at_desk("d", "tab", "c", "enter"),
    "training-loss": lambda: desk.at_desk("t", known=desk.learnt()),
    "training-past": lambda: desk.at_desk("t", "tab", "tab", known=desk.learnt(testing=True)),
    "training-rollback": lambda: desk.at_desk("t", "tab", "r", known=desk.learnt()),
    "sign-in": lambda: step(desk.at_desk(), SignedOut("your login has expired")),
}
"""More of them, that are only tested."""


async def svg(state: State, size: tuple[int, int]) -> str:
    """The screen that shows `state`, as an SVG document that fetches nothing from elsewhere."""
    app = WatchApp(clock=lambda: state.now_ms, state=state)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.repaint()
        await pilot.pause()
        return _WEB_FONTS.sub("", app.export_screenshot(title="agon watch"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tui_client.screenshot", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/img"), help="folder of the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, happened in PICTURES.items():
        # Some seconds after the last event, so that no turned bids are still on the table.
        state = step(folded(happened()), Tick(recording.START_MS + 4_000))
        _save(out / f"{name}.svg", state, ROWS[name])
    for name, shown in DESK_PICTURES.items():
        _save(out / f"{name}.svg", reduce(shown(), Resized(COLUMNS)), ROWS[name])


def _save(path: Path, state: State, rows: int) -> None:
    path.write_text(asyncio.run(svg(state, (COLUMNS, rows))), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
