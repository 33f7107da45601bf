"""A candidate is asked once before its first match: the model gateway loads its adapter, proves that it is used, and answers, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec

from chain.content import cid
from server.hosting import ModelServer
from server.jobs.faults import NotNow, Permanent, StepFault
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from training.adapters import names

PATIENCE_S = 180.0
"""Loading starts a model's server, where there is none yet."""

_OURS = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Nothing that the candidate has done."""


class _Told(msgspec.Struct, frozen=True):
    message: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    error: _Told = _Told()


class Probing:
    """`flow.Serves`: the gateway keeps what it has loaded for as long as it is asked for, so nothing is unloaded by hand."""

    def __init__(self, gateway: Callable[[], ModelServer]) -> None:
        self._gateway = gateway

    async def load(self, job: JobRow, adapter: AdapterRow, folder: Path) -> None:
        """Raises Permanent where there is no such adapter, StepFault where it is refused, as for changing nothing, NotNow where the gateway is away."""
        gateway = self._gateway()
        body = {
            "model": names.of_version(job.version, cid.parse(adapter.card)),
            "messages": [{"role": "user", "content": "Ready?"}],
            "max_tokens": 1,
        }
        keyed = {"Authorization": f"Bearer {gateway.api_key}"} if gateway.api_key else {}
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:
                answer = await http.post(
                    f"{gateway.url}/chat/completions", json=body, headers=keyed
                )
        except httpx.HTTPError as error:
            raise NotNow(
                f"the model gateway does not answer: {error or type(error).__name__}"
            ) from None
        if answer.status_code == HTTPStatus.OK:
            return
        if answer.status_code in _OURS:
            raise NotNow(f"the model gateway does not let the trainer in: {_said(answer)}")
        words = f"the candidate is not served: {_said(answer)}"
        if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Permanent(words)
        raise StepFault(words)  # no room, or its probe has failed: a few more tries tell

    async def unload(self, adapter: AdapterRow) -> None:
        return


def _said(answer: httpx.Response) -> str:
    try:
        told = msgspec.json.decode(answer.content, type=_Refusal).error.message
    except msgspec.DecodeError:
        told = ""
    return told or f"it answers {answer.status_code}"
