"""Lists of leaves that operators hand in, of batches that stand on the chain: an arena reads them though their node is on no network with ours."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

from chain.attestation import LEAF_BYTES, MAX_BLOCK_BYTES
from server.api import problems
from server.api.operation import Operation, Services, read_bytes
from server.api.problems import Problem
from server.operators.batches import MAX_LEAVES

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
TAKES = ("application/octet-stream",)


async def put_list(services: Services, request: Request) -> Response:
    """Whoever brings it: it is the list whose SHA-256 the operator has attested, or is refused."""
    operator, number = request.path_params["operator"], request.path_params["batch"]
    if not _ADDRESS.fullmatch(operator) or not _NUMBER.fullmatch(number):
        raise problems.not_found("batch", f"{operator[:42]}/{number[:16]}")
    batch = await services.store.operators.batch(operator, int(number))
    if batch is None:
        raise problems.not_found("batch", f"{operator}/{number}")
    if batch.state != "due":
        return Response(status_code=204)  # it was read, or given up
    if batch.leaves > MAX_LEAVES:
        raise Problem(422, "other-list", f"a list that is read has at most {MAX_LEAVES} leaves")
    data = await read_bytes(request, TAKES, MAX_BLOCK_BYTES)
    if (
        len(data) != batch.leaves * LEAF_BYTES
        or hashlib.sha256(data).hexdigest() != batch.list_digest
    ):
        said = f"it is not the list of {batch.leaves} leaves with SHA-256 {batch.list_digest}, which is attested"
        raise Problem(422, "other-list", said)
    if not await services.store.operators.hand_in(batch, data, services.clock()):
        raise Problem(
            409,
            "lists-wait",
            "other lists of this operator wait to be read: try again in a minute",
        )
    return Response(status_code=204)


OPERATIONS = (
    Operation(
        id="putBatchList",
        path="/v1/operators/{operator}/batches/{batch}/list",
        method="PUT",
        handler=put_list,
        summary="Hand in the list of leaves of a batch that an operator has attested",
        status=204,
        takes=TAKES,
        max_body_bytes=MAX_BLOCK_BYTES,
        problems={
            409: "other lists of the operator wait to be read (`lists-wait`): try again",
            404: "the arena has not read of such a batch (yet): try again later",
            422: "it is another list than was attested (`other-list`)",
        },
        tag="proofs",
    ),
)
