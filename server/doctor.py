"""`agon doctor`: look at each backing service the way the arena would, and say what to do."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console

from bots.brains.openai import ModelError
from server.config import Config, ConfigError
from server.embedded import database, llm, pace, redis, services
from server.embedded.data_dir import DataDir, ServiceFailed

MIN_REDIS = (6, 2)
CHECK_S = 90.0
"""No check lasts longer."""
SLOW = {"model": f"starting it, then having it write for {pace.LIMIT_S:.0f} s at most"}
"""What is said before checks that take a while."""


class Ailment(Exception):
    """What is wrong, then what to do."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(fact)
        self.fact, self.remedy = fact, remedy


async def examine(config: Config) -> bool:
    """Check everything and print a line each; True when nothing is wrong."""
    console = Console(highlight=False)
    arena = f"http://{config.api_host}:{config.api_port}"
    with DataDir(config.data_dir) as data:
        checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("data", lambda: _data(data)),
            ("redis", lambda: _redis(config, data)),
            ("database", lambda: _database(config, data)),
            ("content", lambda: _content(config, data)),
            ("model", lambda: _model(config, data)),
            ("chain", lambda: _chain(config, data)),
            ("court", lambda: _court(config, data)),
            ("api port", lambda: _port("api", config.api_host, config.api_port, arena)),
            (
                "gateway port",
                lambda: _port("gateway", config.gateway_host, config.gateway_port, arena),
            ),
        ]
        healthy = True
        for name, check in checks:
            if name in SLOW:
                console.print(f"…     {name:<13} {SLOW[name]}", soft_wrap=True)
            try:
                console.print(f"[green]ok[/]    {name:<13} {await _in_time(check)}", soft_wrap=True)
            except Ailment as ailment:
                healthy = False
                console.print(f"[red]wrong[/] {name:<13} {ailment.fact}", soft_wrap=True)
                console.print(f"      {'':<13} → {ailment.remedy}", soft_wrap=True)
    return healthy


async def _in_time(check: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except TimeoutError:
        raise Ailment(
            f"was not ready within {CHECK_S:.0f} s",
            "this machine is very busy or very slow: run `agon doctor` again while little else runs",
        ) from None


async def _data(data: DataDir) -> str:
    probe = data.file(".doctor")
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Ailment(
            f"cannot write to {data.path}: {error.strerror}",
            "set AGON_DATA_DIR to a folder of yours",
        ) from None
    return str(data.path)


async def _redis(config: Config, data: DataDir) -> str:
    from server.live.connection import open_redis

    try:
        url = config.redis_url or await redis.start(data)
        client = open_redis(url, max_connections=2)
        try:
            info = await client.info("server")
            durability = await _durability(client) if config.redis_url else ""
        finally:
            await client.aclose(close_connection_pool=True)
    except ServiceFailed as error:
        raise Ailment(str(error), "install redis-server, or set AGON_REDIS_URL") from None
    except (RedisError, OSError) as error:
        raise Ailment(
            f"does not answer: {error}", "is AGON_REDIS_URL right, and the server up?"
        ) from None
    version = str(info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_REDIS:
        raise Ailment(f"version {version} is too old", "Redis 6.2 or later, or Valkey, is needed")
    return f"{version}, {'given' if config.redis_url else 'embedded: ' + _program()}{durability}"


async def _durability(client: Redis) -> str:
    """What a Redis of the operator's own may lose of what it has confirmed; empty when nothing."""
    try:
        found = await client.config_get("append*")
    except RedisError:  # hosted ones often forbid CONFIG
        return "; it does not say whether it keeps what it confirms (CONFIG is forbidden)"
    only, sync = (_plain(found, name) for name in ("appendonly", "appendfsync"))
    if only != "yes":
        return "; but appendonly is off: when it dies, live sessions are lost and voided"
    if sync != "always":
        return f"; but appendfsync is {sync}: when it dies, actions it has confirmed may be lost"
    return ""


def _plain(settings: Mapping[Any, Any], name: str) -> str:
    """One setting, whether or not the client decodes answers."""
    value = settings.get(name, settings.get(name.encode(), "unknown"))
    return value.decode() if isinstance(value, bytes) else str(value)


def _program() -> str:
    return Path(redis.find_server()).name


async def _database(config: Config, data: DataDir) -> str:
    from server.store.engine import StoreError, open_database

    try:
        # Looks, and changes nothing: migrating is for `agon serve`.
        opened = open_database(config.database_url or database.url(data))
        try:
            await opened.ping()
        finally:
            await opened.close()
    except StoreError as error:
        raise Ailment(
            _one_line(error),
            "is AGON_DATABASE_URL right, and the server up?",
        ) from None
    return "PostgreSQL, given" if config.database_url else "SQLite, embedded"


async def _content(config: Config, data: DataDir) -> str:
    from chain.content.errors import IpfsError
    from chain.content.ipfs import Ipfs
    from chain.content.rpc import BadUrl

    try:
        async with Ipfs(await services.content(config, data)) as ipfs:
            version = await ipfs.version()
            await ipfs.add(b"agon doctor\n", pin=False)
    except BadUrl as error:
        raise Ailment(
            f"AGON_IPFS_URL: {error}", "name the RPC of a Kubo, or leave it unset"
        ) from None
    except (IpfsError, ServiceFailed) as error:
        known = (
            "is AGON_IPFS_URL the RPC of a Kubo that is up?" if config.ipfs_url else "see ipfs.log."
        )
        remedy = f"{known} Sessions are played and settled without it, and pinned later"
        raise Ailment(_one_line(error), remedy) from None
    return f"{version}, {'given' if config.ipfs_url else 'embedded'}"


async def _model(config: Config, data: DataDir) -> str:
    try:
        url = config.llm_url or await llm.start(data)
    except ServiceFailed as error:
        raise Ailment(
            str(error), "rap battles need a model; set AGON_LLM_URL to use your own"
        ) from None
    try:
        headers = {"Authorization": f"Bearer {config.llm_api_key}"} if config.llm_api_key else {}
        async with httpx.AsyncClient(timeout=10, trust_env=False, headers=headers) as client:
            answer = await client.get(f"{url}/models")
            answer.raise_for_status()
            names = [model["id"] for model in answer.json()["data"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Ailment(
            f"does not list its models: {_one_line(error)}",
            "is AGON_LLM_URL the …/v1 of an OpenAI-compatible server that is up?",
        ) from None
    if config.llm_url and config.llm_model not in names:
        raise Ailment(
            f"serves {', '.join(names)}, not {config.llm_model}",
            "set AGON_LLM_MODEL to one of them",
        )
    if config.llm_url:  # what it writes may cost something, and how fast it is its operator knows
        return f"{', '.join(names)}, given"
    return f"{', '.join(names)}, embedded; {await _pace(url, names[0])}"


async def _chain(config: Config, data: DataDir) -> str:
    if config.settlement != "chain":
        if data.file("chain/deployment.json").is_file():
            raise Ailment(
                "settlement is simulated here, but an arena of this folder has had a chain",
                "start this with what its `agon serve` was started with: AGON_SETTLEMENT=chain",
            )
        return "none: settlement is simulated, and no real money is behind it"
    from chain.client.deployment import DeploymentFailed
    from server.settlement import contracts as found

    try:
        key = found.settler_key(config, data) if config.rpc_url else None
        contracts = await found.find(config, data)
        try:
            await contracts.check()
            key = key or found.settler_key(config, data)
            await contracts.check_settler(key.address)
            head = await contracts.node.head()
            wei = await contracts.node.balance(key.address, head.number)
        finally:
            await contracts.close()
    except (DeploymentFailed, ServiceFailed, ConfigError) as error:
        raise Ailment(_one_line(error), 'see docs/operations.md, "On a chain"') from None
    except OSError as error:
        raise Ailment(_one_line(error), "is AGON_RPC_URL right, and the node up?") from None
    given = "given" if config.rpc_url else "embedded"
    return (
        f"{contracts.chain_id} at block {head.number}, {given}; escrow {contracts.escrow.address};"
        f" the settler {key.address} has {wei / 10**18:.4f} ether for gas"
    )


async def _court(config: Config, data: DataDir) -> str:
    if config.settlement != "chain" or config.court == "off":
        return "none: the arena's own panel judges open-ended work"
    from chain.client.court import CourtContract
    from chain.client.deployment import DeploymentFailed
    from chain.client.judge_registry import JudgeRegistry
    from server.court.onchain.health import look
    from server.court.onchain.rounds import has_court
    from server.settlement import contracts as found

    try:
        contracts = await found.find(config, data)
        try:
            if not has_court(contracts.manifest):
                return "none in this deployment: the arena's own panel judges open-ended work"
            key = found.settler_key(config, data).address
            court = CourtContract(contracts.node, contracts.manifest.address("court"))
            registry = contracts.manifest.address("judge_registry")
            health = await look(court, JudgeRegistry(contracts.node, registry))
        finally:
            await contracts.close()
    except (DeploymentFailed, ServiceFailed, ConfigError, LookupError) as error:
        raise Ailment(_one_line(error), 'see docs/operations.md, "On a chain"') from None
    except OSError as error:
        raise Ailment(_one_line(error), "is AGON_RPC_URL right, and the node up?") from None
    for words in health.ills(key).values():
        fact, _, remedy = words.partition(": ")
        raise Ailment(fact, remedy or 'see docs/operations.md, "On a chain"')
    usdc = health.free_micros / 1_000_000
    return f"{court.address}; {health.judges} judges; {usdc:.2f} USDC for their pay; the clerk is {key}"


async def _pace(url: str, model: str) -> str:
    """How fast the embedded model is."""
    try:
        found = await pace.measure(url, model)
    except ModelError as error:
        raise Ailment(
            f"does not write: {_one_line(error)}", "run `agon doctor` again while little else runs"
        ) from None
    if pace.too_slow(found):
        raise Ailment(
            f"is too slow for rap battles: {pace.in_words(found)}",
            "set AGON_LLM_URL to a faster server, or leave to the house what needs no model:"
            " `agon serve --house bid-tac-toe`",
        )
    return pace.in_words(found)


async def _port(name: str, host: str, port: int, arena: str) -> str:
    """The port is free, or what listens there is an arena (whose API is `arena`)."""
    if port == 0:
        return "any free port"
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        variable = f"AGON_{name.upper()}"
        if error.errno != errno.EADDRINUSE:
            raise Ailment(
                f"cannot listen on {host}:{port}: {error.strerror}", f"is {variable}_HOST right?"
            ) from None
        if await _is_arena(arena):
            return f"{host}:{port} is in use: an arena answers at {arena}"
        raise Ailment(
            f"{host}:{port} is taken by another program", f"set {variable}_PORT to another port"
        ) from None
    return f"{host}:{port} is free"


async def _is_arena(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return "protocols" in (await client.get(f"{url}/v1/gateway")).json()
    except (httpx.HTTPError, ValueError):
        return False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
