"""Every operation against its own description: no 5xx, and no answer that is not documented.

The requests are made from the OpenAPI document that the arena serves, so an operation that is added is
fuzzed without a word here. Half of them fit the document, half do not; what a path names exists more
often than not; and they come with the login of an admin, so that they get past the door.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest import SkipTest

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.fuzz_world import World, pick

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
UNAVAILABLE = {"improvePrompt", "getReadiness"}
"""No model runs here and no host: these say so by 503, as documented."""
SEED = 20_261_127
FEW, MANY = 3, 60 if os.environ.get("AGON_TEST_LONG") else 20
"""Requests of each of both kinds for each operation, in `make test` and in `make test-slow`."""


@pytest.fixture
def world(store_url: str, redis_url: str) -> Iterator[World]:
    with World(store_url, redis_url) as opened:
        yield opened


class Fuzz:
    """Throws requests at one operation after the other, and collects what must not be."""

    def __init__(self, world: World, examples: int) -> None:
        self._world = world
        self._examples = examples
        self._rng = random.Random(SEED)
        self._positive = True
        self.findings: list[str] = []
        self.sent = 0
        self.statuses: dict[str, set[int]] = {}

    def all(self) -> None:
        document = self._world.run(self._world.http.get("/v1/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(document)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), "the document describes every operation"
            operation = result.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._operation(operation, mode)

    def _operation(self, operation: Any, mode: GenerationMode) -> None:
        name = f"{operation.method.upper()} {operation.path}"
        self._positive = mode is GenerationMode.POSITIVE
        token = self._world.login()

        def one(case: Any) -> None:
            self._case(name, operation, case, token)

        try:
            self._examples_of(operation.as_strategy(generation_mode=mode), one)
        except (Unsatisfiable, SkipTest):
            pass  # nothing about it can be wrong
        except Exception as error:
            self.findings.append(f"{name} ({mode.value}): {type(error).__name__}: {error}")

    def _examples_of(self, strategy: Any, one: Callable[[Any], None]) -> None:
        @seed(SEED)
        @settings(
            max_examples=self._examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def run(case: Any) -> None:
            one(case)

        run()

    def _case(self, name: str, operation: Any, case: Any, token: str) -> None:
        for parameter, generated in dict(case.path_parameters or {}).items():
            known = self._world.ids.get(parameter, [])
            case.path_parameters[parameter] = pick(self._rng, known, generated)
        prepared = requests.Request(**case.as_transport_kwargs("http://arena")).prepare()
        own = not self._positive and self._rng.random() < 0.1
        response = self._world.send(prepared, None if own else token)
        self.sent += 1
        operation_id = operation.definition.raw.get("operationId", "")
        self.statuses.setdefault(operation_id, set()).add(response.status_code)
        if response.status_code == 503 and operation_id in UNAVAILABLE:
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except BaseExceptionGroup as group:
            said = "; ".join(str(each) for each in group.exceptions)
            asked = f"{prepared.method} {prepared.url!r} {prepared.body!r:.400}"
            self.findings.append(f"{name}: {said:.800}\n    {asked}\n    {response.text:.400}")


def fuzzed(world: World, examples: int) -> Fuzz:
    fuzz = Fuzz(world, examples)
    fuzz.all()
    assert not fuzz.findings, "\n".join(fuzz.findings)
    return fuzz


def test_no_request_breaks_the_arena_or_its_word(world: World) -> None:
    """A few requests for each operation."""
    fuzz = fuzzed(world, examples=FEW)
    answered = {name for name, statuses in fuzz.statuses.items() if statuses - {401, 403, 404, 429}}
    assert len(answered) > 0.75 * len(fuzz.statuses), "they get past the door"


@pytest.mark.slow
def test_many_requests_do_not_either(world: World) -> None:
    fuzzed(world, examples=MANY)
