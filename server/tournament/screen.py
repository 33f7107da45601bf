"""A tournament on screen while it is played: the terminal has the main thread, the work another one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def show_while(work: Coroutine[Any, Any, T], api: str, tournament: str) -> T:
    """The result of `work`. Who leaves the screen waits for it in the shell; Ctrl-C there ends it.

    Raises what the work raises, tui_client.connection.WatchError, KeyboardInterrupt.
    """
    from server.commands.proving import ArenaProver
    from tui_client.app import run_watch

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        done: Future[T] = Future()

        def play() -> None:
            task = loop.create_task(work)
            try:
                done.set_result(loop.run_until_complete(task))
            except BaseException as error:
                done.set_exception(error)

        thread = Thread(target=play, name="tournament")
        thread.start()
        try:
            run_watch(api, tournament=tournament, prover=ArenaProver(url=api))
            if not done.done():
                print("the tournament goes on; Ctrl-C ends it", file=sys.stderr)
            return done.result()
        except BaseException:
            loop.call_soon_threadsafe(_cancel_all, loop)
            raise
        finally:
            thread.join()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
