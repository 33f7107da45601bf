"""What accounts can claim on the chain, with the proof that the contracts want: rewards of node operators, points of seasons.

Whoever calls the contract pays the gas; FRAC and points go to the account that earned them. The same proofs can be made from the
documents (`cid`) without the arena.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chain.content import cid
from chain.documents import form
from chain.documents.earnings import PointsDocument, build_rewards, read_points
from chain.documents.payouts import ProofNode
from chain.documents.reward_epoch import RewardEpoch, read
from chain.payout_tree import PayoutTree
from chain.points_tree import PointsTree
from server.api import problems
from server.api.operation import Operation, Services, as_json
from server.api.problems import Problem
from server.store.operators import Posted, RootDocument, Roots

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_SEASON = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)

T = TypeVar("T")


class RewardClaim(msgspec.Struct, frozen=True):
    """What `claim(epoch, account, cumulative, proof)` of the contract `rewards` takes."""

    chain_id: int
    rewards: str
    """The contract's address."""
    epoch: int
    counts_at: int
    """Unix seconds; the contract takes claims by this epoch from then on."""
    account: str
    cumulative: str
    """FRAC in its smallest part that the account has earned in all; what it has had of it is the contract's to know."""
    root: str
    proof: list[ProofNode]
    cid: str
    """Of the whole list, agon-rewards/1."""
    reckoning: str
    """The content id of what it was reckoned by, agon-reward-epoch/1."""


class PointsClaim(msgspec.Struct, frozen=True):
    """What `claim(season, number, account, points, proof)` of the contract `fractals` takes."""

    chain_id: int
    fractals: str
    """The contract's address."""
    season: int
    number: int
    """Of the season's newest root."""
    account: str
    points: int
    """Of the season, up to this root."""
    root: str
    proof: list[ProofNode]
    cid: str
    """Of the whole list, agon-points/1."""


async def reward(services: Services, request: Request) -> Response:
    address = _address(request)
    at, document = await _newest_rewards(services)
    epoch, tree = await _read(_rewards, document.document)
    try:
        nodes, cumulative = _nodes(tree, address), tree.cumulative(address)
    except KeyError:
        raise problems.not_found("address", address) from None
    claim = RewardClaim(
        chain_id=epoch.chain_id,
        rewards=epoch.rewards,
        epoch=epoch.epoch,
        counts_at=at.counts_at,
        account=address,
        cumulative=str(cumulative),
        root="0x" + epoch.root,
        proof=nodes,
        cid=document.cid,
        reckoning=str(cid.of(document.document)),
    )
    return as_json(claim, Cache_Control="no-store")


async def reward_list(services: Services, request: Request) -> Response:
    _, document = await _newest_rewards(services)
    epoch, _ = await _read(_rewards, document.document)
    earned = {each.account: int(each.cumulative) for each in epoch.accounts}
    list_, _ = build_rewards(epoch.epoch, epoch.chain_id, epoch.rewards, earned)
    return _canonical(form.encode(list_))


async def season_points(services: Services, request: Request) -> Response:
    address = _address(request)
    document = await _newest_points(services, _season(request))
    made, tree = await _read(_points, document.document)
    try:
        nodes, held = _nodes(tree, address), tree.points(address)
    except KeyError:
        raise problems.not_found("address", address) from None
    claim = PointsClaim(
        chain_id=made.chain_id,
        fractals=made.fractals,
        season=made.season,
        number=made.number,
        account=address,
        points=held,
        root="0x" + made.root,
        proof=nodes,
        cid=document.cid,
    )
    return as_json(claim, Cache_Control="no-store")


async def points_list(services: Services, request: Request) -> Response:
    return _canonical((await _newest_points(services, _season(request))).document)


async def _newest_rewards(services: Services) -> tuple[Posted, RootDocument]:
    """The newest epoch that counts, else the one that is about to. Raises Problem 404."""
    now_s = services.clock() // 1_000
    posted = [each for each in await services.store.operators.posted("rewards") if not each.vetoed]
    counting = [each for each in posted if each.counts_at <= now_s]
    found = await _document(services, "rewards", (counting or posted)[-1:])
    if found is None:
        raise Problem(404, "nothing-posted", "no epoch of rewards has been posted yet")
    return found


async def _newest_points(services: Services, season: int) -> RootDocument:
    """Raises Problem 404."""
    posted = await services.store.operators.posted("points")
    found = await _document(services, "points", [p for p in posted if p.season == season][-1:])
    if found is None or not found[1].document:
        raise Problem(404, "nothing-posted", f"no points of season {season} have been posted yet")
    return found[1]


def _canonical(document: bytes) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(document, headers=headers, media_type="application/json")


def _nodes(tree: PayoutTree | PointsTree, address: str) -> list[ProofNode]:
    """Raises KeyError."""
    return ["0x" + node.hex() for node in tree.proof(address)]


async def _document(
    services: Services, kind: Roots, posted: list[Posted]
) -> tuple[Posted, RootDocument] | None:
    """Of the one that was posted; None where there is none, or it is not of ours."""
    if not posted:
        return None
    (at,) = posted
    found = await services.store.operators.root_document(kind, at.season, at.ordinal)
    return None if found is None or found.root != at.root else (at, found)


async def _read(read: Callable[[bytes], T], document: bytes) -> T:
    """A tree of many accounts takes seconds, so it is made elsewhere, and once."""
    return await asyncio.to_thread(read, document)


@functools.lru_cache(maxsize=2)
def _rewards(document: bytes) -> tuple[RewardEpoch, PayoutTree]:
    return read(document)


@functools.lru_cache(maxsize=4)
def _points(document: bytes) -> tuple[PointsDocument, PointsTree]:
    return read_points(document)


def _address(request: Request) -> str:
    """Raises Problem 404: what is no address has earned nothing."""
    found: str = request.path_params["address"]
    if not _ADDRESS.fullmatch(found):
        raise problems.not_found("address", found[:64])
    return found


def _season(request: Request) -> int:
    found: str = request.path_params["season"]
    if not _SEASON.fullmatch(found):
        raise problems.not_found("season", found[:64])
    return int(found)


_NOTHING = "nothing has been posted yet (`nothing-posted`), or not for this address (`unknown-address`): accounts are in it by the wallet that has signed in"

_NO_LIST = "nothing has been posted yet (`nothing-posted`)"

OPERATIONS = (
    Operation(
        id="getRewards",
        path="/v1/operators/rewards",
        handler=reward_list,
        summary="What node operators have earned in all: agon-rewards/1, canonical bytes, for `agon wallet claim frac --from`",
        problems={404: _NO_LIST},
        tag="proofs",
    ),
    Operation(
        id="getSeasonPoints",
        path="/v1/seasons/{season}/points",
        handler=points_list,
        summary="A season's points on the chain: agon-points/1, canonical bytes, for `agon wallet claim points --from`",
        problems={404: "no such season (`unknown-season`), or " + _NO_LIST},
        tag="proofs",
    ),
    Operation(
        id="getRewardClaim",
        path="/v1/operators/rewards/{address}",
        handler=reward,
        summary="What a node operator has earned in FRAC, and the proof to claim it by",
        answer=RewardClaim,
        problems={404: _NOTHING},
        tag="proofs",
    ),
    Operation(
        id="getPointsClaim",
        path="/v1/seasons/{season}/points/{address}/proof",
        handler=season_points,
        summary="What a wallet has of a season's points on the chain, and the proof to claim them by",
        answer=PointsClaim,
        problems={404: _NOTHING},
        tag="proofs",
    ),
)
