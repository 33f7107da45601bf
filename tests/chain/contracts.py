"""Contracts in an EVM inside the test's process: the committed artifacts, so that what is tested is what is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boa
import pytest
from boa.contracts.abi.abi_contract import ABIContractFactory, ABIFunction
from eth.exceptions import Revert

from chain.artifacts import load


def deploy(name: str, *arguments: Any, sender: str | None = None) -> Any:
    """A new contract with boa's calls on it: `contract.method(…, sender=address)`."""
    artifact = load(name)
    factory = ABIContractFactory(name, artifact.abi)
    creation = bytes.fromhex(artifact.bytecode.removeprefix("0x"))
    for entry in artifact.abi:
        if entry["type"] == "constructor":
            creation += ABIFunction(entry, name).prepare_calldata(*arguments)
    address, _ = boa.env.deploy_code(bytecode=creation, sender=sender)
    return factory.at(address)


@contextmanager
def reverts(reason: str) -> Iterator[None]:
    """The body must be refused for this reason, word by word."""
    # A constructor's refusal is the EVM's own exception.
    with pytest.raises((boa.BoaError, Revert)) as refused:
        yield
    # Not the error's own text: that draws all calls, which fails for lists in calls between contracts.
    error = refused.value
    said = str(error.stack_trace) if isinstance(error, boa.BoaError) else str(error)
    said = said.replace("\\'", "'")  # where it is shown as bytes in quotes
    assert reason in said, f"refused for another reason than {reason!r}: {said}"
