"""What is another's answers as what does not exist: the same status, the same words, the same headers.

Every operation with a path that names something and a credential that is asked for is tried, with what
is another account's in each place, and with bodies that fit; so one that is added is tried, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from server.api.operation import Operation
from server.api.routes import OPERATIONS
from tests.server.fuzz_world import DAY_MS, World

OWNED = ("agent", "key", "login", "account")
"""What paths name and accounts own. Sessions, Spaces, tournaments, share links are everybody's to see."""
SEED = 20_261_127
BODIES = 2
"""That fit, for each operation that takes one."""


def private(operation: Operation) -> bool:
    asked = bool(operation.scopes)
    return asked and any(f"{{{name}}}" in operation.path for name in OWNED)


PRIVATE = [operation for operation in OPERATIONS if private(operation)]


@pytest.fixture
def world(store_url: str, redis_url: str) -> Iterator[World]:
    with World(store_url, redis_url) as opened:
        yield opened


def test_there_is_something_to_try() -> None:
    assert len(PRIVATE) >= 15


def test_what_is_anothers_does_not_exist(world: World) -> None:
    document = world.run(world.http.get("/v1/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    described = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        described[result.ok().method.upper(), result.ok().path] = result.ok()
    # Not an admin: an admin may see what is everybody's.
    token, _ = world.run(world.store.logins.begin(world.their_ids["account"], DAY_MS))
    told: list[str] = []
    for operation in PRIVATE:
        for body in _bodies(described[operation.method, operation.path]):
            told += _hints(world, operation, token, body)
    assert told == []


def _bodies(operation: Any) -> list[requests.PreparedRequest]:
    """Requests whose bodies and queries fit, to any path."""
    found: list[requests.PreparedRequest] = []

    @seed(SEED)
    @settings(
        max_examples=BODIES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        for name in case.path_parameters:
            case.path_parameters[name] = f"NAME-OF-{name}"
        found.append(requests.Request(**case.as_transport_kwargs("http://arena")).prepare())

    run()
    return found


def _hints(
    world: World, operation: Operation, token: str, prepared: requests.PreparedRequest
) -> list[str]:
    """Where something of mine, asked for by them, is told from nothing at all."""
    names = [name for name in OWNED if f"{{{name}}}" in operation.path]
    mine, theirs = world.my_ids, world.their_ids
    found = []
    # In each place what is theirs, mine, or nobody's; but not all of it theirs.
    for owners in itertools.product(("theirs", "mine"), repeat=len(names)):
        if "mine" not in owners:
            continue
        foreign = {
            name: (theirs if owner == "theirs" else mine)[_kind(operation, name)]
            for name, owner in zip(names, owners, strict=True)
        }
        nothing = {
            name: foreign[name] if owner == "theirs" else _nobodys(foreign[name])
            for name, owner in zip(names, owners, strict=True)
        }
        answers = [_answer(world, prepared, token, ids) for ids in (foreign, nothing)]
        if answers[0] != answers[1] or answers[0][0] < 400:
            found.append(f"{operation.method} {operation.path} {owners}: {answers}")
    return found


def _nobodys(name: str) -> str:
    """As long, and of the same letters, so that answers that repeat it are as long."""
    return name[:-6] + ("000000" if not name.endswith("000000") else "111111")


def _kind(operation: Operation, name: str) -> str:
    """Which of the world's things the path names."""
    return "agent_key" if name == "key" and "{agent}" in operation.path else name


def _answer(
    world: World, prepared: requests.PreparedRequest, token: str, ids: dict[str, str]
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text, less the ids that were asked with."""
    asked = prepared.copy()
    assert asked.url is not None
    for name, id_ in ids.items():
        asked.url = asked.url.replace(f"NAME-OF-{name}", id_)
    response = world.send(asked, token)
    text = response.text
    for name, id_ in ids.items():
        text = text.replace(id_, name)
    return response.status_code, _headers(response), text


def _headers(response: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
