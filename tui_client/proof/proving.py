"""Runs the verifier: one thread at a time, which ends by itself once nobody looks at what it finds.

A thread cannot be ended from outside, so it is a daemon: who quits does not wait for a node that does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import threading
from collections.abc import Callable

from tui_client.proof.finding import Prover, Told, Unproven, Unwatched
from tui_client.proof.proof import Proof, Proved, Proving


class Proofs:
    """`changed` when `wanted` may differ; call it on the loop that the app runs on."""

    def __init__(
        self,
        prover: Prover,
        *,
        dispatch: Callable[[Proving | Proved], None],
        wanted: Callable[[], Proof | None],
    ) -> None:
        self.prover = prover
        self._dispatch = dispatch
        self._wanted = wanted
        self._running = 0
        """The run that the thread is at; 0: there is no thread."""
        self._looked_at = 0
        """The run whose findings somebody looks at."""

    def changed(self) -> None:
        """Begin what is wanted, as soon as what is not wanted any more has let go."""
        proof = self._wanted()
        self._looked_at = proof.run if proof is not None else 0
        if proof is None or self._running:
            return
        self._running = proof.run
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()

        def on_loop(call: Callable[[], None]) -> None:
            # In the app's own context: its timers ask there whose they are.
            with contextlib.suppress(RuntimeError):  # the app has gone
                loop.call_soon_threadsafe(call, context=context)

        work = functools.partial(self._work, proof.session, proof.run, on_loop)
        threading.Thread(target=work, name="proof", daemon=True).start()

    def _work(self, session: str, run: int, on_loop: Callable[[Callable[[], None]], None]) -> None:
        def tell(told: Told) -> None:
            if self._looked_at != run:
                raise Unwatched
            on_loop(lambda: self._dispatch(Proving(run, told)))

        trouble = ""
        try:
            self.prover.prove(session, tell)
        except Unwatched:
            pass
        except Unproven as error:
            trouble = str(error)
        except Exception as error:  # a verifier's mistake is no reason to lose the screen
            trouble = f"the verifier failed: {type(error).__name__}: {error}"
        on_loop(lambda: self._ended(Proved(run, trouble)))

    def _ended(self, proved: Proved) -> None:
        self._dispatch(proved)  # before the place is free: else it would be wanted once more
        self._running = 0
        self.changed()
