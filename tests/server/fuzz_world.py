"""An API with things in it, for tests that throw all sorts of requests at it: people, agents, sessions, money.

`World` opens everything on a loop of its own, so that plain, fast tests can drive it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import requests
from redis.asyncio import Redis

from server.admin import Acts
from server.api.app import create_app
from server.config import Config
from server.ledger import names
from server.live.connection import open_redis
from server.protocol import QueueCard
from server.store import Store, open_store
from server.store.audit import OPERATOR
from tests.server.aftermath_session import Seats, finish
from tests.server.money_world import deposit, funded

T = TypeVar("T")

MINE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
THEIRS = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
DAY_MS = 86_400_000
UNLIMITED = Config(
    data_dir="/nowhere",
    http_credits=1_000_000,
    http_credits_per_s=1_000_000,
    registrations_per_min=1_000_000,
)


async def no_queues() -> list[QueueCard]:
    return [QueueCard("rap-battle", 0, 3, 12)]


class World:
    """Use as a context manager. What a path names is found under `ids`; `my_ids` are of my account."""

    store: Store
    redis: Redis
    http: httpx.AsyncClient

    def __init__(self, store_url: str, redis_url: str) -> None:
        self._urls = store_url, redis_url
        self._runner = asyncio.Runner()
        self.account = ""
        self.ids: dict[str, list[str]] = {}
        self.my_ids: dict[str, str] = {}
        self.their_ids: dict[str, str] = {}

    def __enter__(self) -> World:
        try:
            self.run(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _open(self) -> None:
        store_url, redis_url = self._urls
        self.redis = open_redis(redis_url, max_connections=8)
        await self.redis.flushdb()
        self.store = await open_store(store_url)
        app = create_app(
            config=UNLIMITED,
            store=self.store,
            redis=self.redis,
            gateway_address=lambda: "ws://127.0.0.1:8601",
            queue_sizes=no_queues,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.7", 5))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://arena")
        await self._people()
        await self._sessions()

    async def _close(self) -> None:
        await self.http.aclose()
        await self.store.close()
        await self.redis.aclose(close_connection_pool=True)

    async def _people(self) -> None:
        store = self.store
        mine, theirs = [await store.accounts.with_wallet(wallet) for wallet in (MINE, THEIRS)]
        self.account = mine.account
        await Acts(store).grant_role(mine.account, "admin", actor=OPERATOR, reason="fuzzing")
        for account, ids in ((mine.account, self.my_ids), (theirs.account, self.their_ids)):
            agent, _ = await store.agents.register(f"Bot of {account[-6:]}", account)
            money = deposit(names.owner("usdc", account), 5_000_000)
            await store.ledger.require([money])
            token, _ = await store.logins.begin(account, DAY_MS)
            bearer = {"Authorization": f"Bearer {token}"}
            key = await self._made("/v1/keys", bearer, label="a", scopes=["read"])
            play = await self._made(f"/v1/agents/{agent.agent}/keys", bearer, label="b")
            logins = (await self.http.get("/v1/logins", headers=bearer)).json()["logins"]
            share = await self._made("/v1/shares", bearer, agent=agent.agent)
            ids |= {
                "agent": agent.agent,
                "account": account,
                "key": key["id"],
                "agent_key": play["id"],
                "login": logins[0]["login"],
                "token": share["token"],
            }

    async def _made(self, path: str, bearer: dict[str, str], **body: Any) -> dict[str, Any]:
        answer = await self.http.post(path, json=body, headers=bearer)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def _sessions(self) -> None:
        seats = await Seats.registered(self.store)
        settled = await finish(self.store, self.redis, seats, "bid-tac-toe")
        await self.store.results.settle(settled, (1, 2), (1_000, -1_000))
        waiting = await finish(self.store, self.redis, seats)
        record = seats.record("logic")
        await self.store.sessions.form(record)
        jobs = [row.id for row in await self.store.outbox.steps(waiting)]
        await funded(self.store, "Rich")
        self.ids = {name: [self.my_ids[name], self.their_ids[name]] for name in self.my_ids}
        self.ids["key"] += self.ids.pop("agent_key")
        self.ids |= {
            "session": [settled, waiting, record.session],
            "space": ["bid-tac-toe", "rap-battle"],
            "season": ["1"],
            "tournament": [],
            "job": jobs,
        }

    def login(self) -> str:
        """A fresh token of mine: what was sent before may have ended the last one."""
        return self.run(self.store.logins.begin(self.account, DAY_MS))[0]

    def send(self, prepared: requests.PreparedRequest, token: str | None) -> httpx.Response:
        """The request to the byte as it was prepared; with `token`, if given, in place of its own."""
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in _texts(prepared.headers)]
        if token is not None:
            headers = [each for each in headers if each[0].lower() != b"authorization"]
            headers.append((b"authorization", f"Bearer {token}".encode()))
        assert prepared.method is not None
        assert prepared.url is not None
        body = prepared.body or b""
        content = body.encode() if isinstance(body, str) else body
        assert isinstance(content, bytes), "nothing here is streamed"
        request = httpx.Request(prepared.method, prepared.url, headers=headers, content=content)
        return self.run(self.http.send(request))


def _texts(headers: Any) -> list[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in headers.items()]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def pick(rng: random.Random, known: list[str], generated: str) -> str:
    """Something that exists, more often than not."""
    return rng.choice(known) if known and rng.random() < 0.7 else generated
