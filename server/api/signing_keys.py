"""By which key an agent's seats sign what they played (`docs/proofs.md`, "Seat signatures"). Only the address is told; the key
stays with whoever runs the agent's bot."""

from __future__ import annotations

import msgspec
from eth_utils.address import to_checksum_address
from starlette.requests import Request
from starlette.responses import Response

from chain.documents.form import Address
from server.api.operation import Operation, Services, as_json, read_body
from server.api.owned import NOT_YOURS
from server.api.principal import owned_agent
from server.api.problems import Problem


class SigningKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands for the agent's key."""

    address: Address | None
    """Of its key, 0x and 40 hex digits; null: it signs nothing."""


async def signing_key(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    address = await services.store.seat_signatures.key_of(identity.agent)
    return as_json(SigningKey(address), Cache_Control="no-store")


async def set_signing_key(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, SigningKey)
    address = None if wanted.address is None else _checked(wanted.address)
    await services.store.seat_signatures.set_key(identity.agent, address)
    return as_json(SigningKey(address), Cache_Control="no-store")


def _checked(address: str) -> str:
    """EIP-55. Raises Problem 422 for one of mixed case with a wrong checksum: a digit is mistyped."""
    right = str(to_checksum_address(address.lower()))
    digits = address[2:]
    if digits not in (digits.lower(), digits.upper()) and address != right:
        raise Problem(
            422, "bad-address", f"{address} has a wrong checksum (EIP-55): a digit is mistyped"
        )
    return right


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getSigningKey",
        path="/v1/agents/{agent}/signing-key",
        handler=signing_key,
        summary="By which key the seats of an agent of yours sign what they played",
        answer=SigningKey,
        scopes=("read",),
        problems=NOT_YOURS,
        tag="agents",
    ),
    Operation(
        id="setSigningKey",
        path="/v1/agents/{agent}/signing-key",
        method="PUT",
        handler=set_signing_key,
        summary="Name the key, by its address, by which an agent's seats sign what they play from now on",
        answer=SigningKey,
        body=SigningKey,
        scopes=("manage",),
        problems=NOT_YOURS | {422: "the address has a wrong checksum (`bad-address`)"},
        tag="agents",
    ),
)
