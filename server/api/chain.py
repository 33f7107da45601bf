"""Where the arena's money is: what a wallet has to know to deposit, to set limits and to withdraw."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Operation, Services, as_json


class ChainView(msgspec.Struct, frozen=True):
    """Addresses are EIP-55. Check them against another source before you send money there."""

    settlement: str
    """`chain`, or `simulated`: there is none, and the rest is null."""
    chain_id: int | None = None
    escrow: str | None = None
    usdc: str | None = None
    """The token that the escrow takes."""
    contracts: dict[str, str] = {}
    """All contracts of the deployment, by name."""
    first_block: int | None = None
    """None of them has a log that is older."""
    confirmations: int | None = None
    """Blocks that have to lie on top before what a block says counts here."""
    epoch_every_s: int | None = None
    """What is won can be played for again after so many seconds, at most, and some blocks."""


async def chain(services: Services, request: Request) -> Response:
    contracts, config = services.contracts, services.config
    if contracts is None:
        return as_json(ChainView(config.settlement))
    view = ChainView(
        settlement=config.settlement,
        chain_id=contracts.chain_id,
        escrow=contracts.escrow.address,
        usdc=await contracts.usdc(),
        contracts={name: each.address for name, each in contracts.manifest.contracts.items()},
        first_block=contracts.manifest.first_block,
        confirmations=config.chain_confirmations,
        epoch_every_s=config.epoch_every_s,
    )
    return as_json(view)


OPERATIONS = (
    Operation(
        id="getChain",
        path="/v1/chain",
        handler=chain,
        summary="Where the money is: the chain and the contracts that this arena settles by",
        answer=ChainView,
        tag="money",
    ),
)
