"""`python -m server.oracle.recheck TRANSCRIPT --file SERIES`: ask the recording again and compare.

The transcript is replayed first, which checks its hashes and commitments. Then every question, value
and candle of it is asked for again, by the draws that it reveals, of the file that it names: whoever
has the file needs to trust nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec.structs import replace

from server.config import ConfigError
from server.oracle.feed import OracleFault
from server.oracle.feeds import oracle as opened
from server.oracle.oracle import Oracle
from spaces.prediction import rules
from spaces.prediction import state as prediction
from spaces.prediction.observations import Asked, Resolved, read
from spaces.space import Inquiry, InvalidObservation
from spaces.trade_wars import oracle as market
from spaces.trade_wars import state as trade_wars
from spaces.transcript import TranscriptError, replay
from spaces.transcript import read as read_transcript

State = prediction.State | trade_wars.State


async def recheck(oracle: Oracle, state: State) -> AsyncIterator[tuple[str, bool]]:
    """What was asked, and whether the transcript says of it what the recording says. Raises OracleFault
    and InvalidObservation."""
    if isinstance(state, prediction.State):
        told = _questions(oracle, state)
    else:
        told = _candles(oracle, state)
    async for one in told:
        yield one


async def _questions(oracle: Oracle, state: prediction.State) -> AsyncIterator[tuple[str, bool]]:
    for n, one in enumerate(state.rounds):
        asking = rules.inquiry(replace(state, rounds=state.rounds[:n]))
        assert asking is not None
        question = await oracle.answer(None, asking)
        same = read(question, Asked) == one.asked and question.source == one.source
        yield f"question {n + 1}", same
        if one.resolved is None:
            continue
        waiting = replace(one, resolved=None, resolved_source=None)
        resolving = rules.inquiry(replace(state, rounds=(*state.rounds[:n], waiting)))
        assert resolving is not None
        value = await oracle.answer(None, resolving)
        same = read(value, Resolved) == one.resolved and value.source == one.resolved_source
        yield f"value {n + 1}", same


async def _candles(oracle: Oracle, state: trade_wars.State) -> AsyncIterator[tuple[str, bool]]:
    asking = market.inquiry(trade_wars.State(state.params, state.draw))
    assert asking is not None
    begun = trade_wars.State(state.params, state.draw)
    history, _ = market.read_history(begun, await oracle.answer(None, asking))
    yield "history", history == state.history
    for index, candle in enumerate(state.candles):
        one = Inquiry("candle", asking.ask | {"index": index}, asking.limit_ms)
        yield f"candle {index}", market.read_candle(await oracle.answer(None, one)) == candle
    if state.unmasked is not None:
        unmask = Inquiry("unmask", asking.ask, asking.limit_ms)
        told = market.read_unmasked(await oracle.answer(None, unmask))
        yield "unmask", told == state.unmasked


async def _report(oracle: Oracle, state: State) -> int:
    wrong = many = 0
    async for what, same in recheck(oracle, state):
        many, wrong = many + 1, wrong + (not same)
        print(f"{what}: {'as the recording says' if same else 'DIFFERS'}")
    print(f"{many} answers asked for again, {wrong} differ")
    await oracle.close()
    return 1 if wrong or not many else 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m server.oracle.recheck")
    parser.add_argument("transcript", type=Path)
    parser.add_argument("--file", default="", help="the series; without it vega-datasets")
    parser.add_argument("--columns", default="", help="role=COLUMN,… as oracle_series_columns")
    options = parser.parse_args(argv)
    words = [word for word in options.columns.split(",") if word]
    try:
        state = replay(read_transcript(options.transcript.read_bytes())).state
        if not isinstance(state, prediction.State | trade_wars.State):
            raise TranscriptError("no session of prediction or trade-wars")
        if state.params.feed != "recorded":
            raise TranscriptError("not of a recorded series")
        return asyncio.run(_report(opened(options.file, words, ""), state))
    except (OSError, TranscriptError, ConfigError, OracleFault, InvalidObservation) as error:
        print(f"cannot recheck {options.transcript}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
