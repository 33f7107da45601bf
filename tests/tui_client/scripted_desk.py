"""An arena's HTTP API as far as an owner's screens use it, that does what a test says: refuses, waits, forgets.

It keeps agents and automations in memory, in the shapes of `tui_client.owner.arena`, and knows one token. The
gateway that it names is a `ScriptedArena`.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any, NamedTuple

import msgspec
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.listen import ApiServer
from tests.tui_client.scripted_arena import ScriptedArena
from tui_client.owner import arena
from tui_client.owner.answers import Spec
from tui_client.owner.careers import Comparison, Version, Versions
from tui_client.owner.learning import Change, Consent, Job
from tui_client.owner.logins import Login, SignedIn, SignedOut
from tui_client.recording import career
from tui_client.recording import desk as recorded

replace = msgspec.structs.replace

TOKEN = "agon_login_scripted"


class Refusal(NamedTuple):
    method: str
    path: str
    """What the path contains."""
    status: int
    code: str = ""
    detail: str = ""
    headers: dict[str, str] | None = None


class Asked(NamedTuple):
    method: str
    path: str
    key: str
    """Its Idempotency-Key."""
    body: Any


class ScriptedDesk:
    """Start with `async with`; `url` is what a client is given."""

    def __init__(self, arena: ScriptedArena) -> None:
        self.arena = arena
        self.asked: list[Asked] = []
        self.refusals: list[Refusal] = []
        """Each is used once."""
        self.hold: asyncio.Event | None = None
        """While it is not set, nothing is answered."""
        self.signed_in = True
        self.token = TOKEN
        """The one that is known."""
        self.agents: dict[str, dict[str, Any]] = {}
        self.automations: dict[str, dict[str, Any]] = {}
        self.playing: dict[str, list[dict[str, Any]]] = {}
        self.balances: list[dict[str, Any]] = []
        self.crossings: list[dict[str, Any]] = []
        self.versions: tuple[int, ...] = (1,)
        """Everybody's, newest first."""
        self.training = recorded.learnt(testing=True)
        """What is told of everybody's training, by Frostbite's paths."""
        self._orders: dict[str, Response] = {}
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=every)])
        self._server = ApiServer(app, "127.0.0.1", 0)
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return self._server.address

    def login(self) -> Login | SignedOut:
        return Login(self.token, SignedIn("01KOWNER", "0x52")) if self.signed_in else SignedOut()

    async def __aenter__(self) -> ScriptedDesk:
        self._task = asyncio.create_task(self._server.run(), name="scripted-desk")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.hold is not None:
            self.hold.set()
        await self._server.drain()
        assert self._task is not None
        await self._task

    def orders(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method != "GET"]

    # ------------------------------------------------------------------ answering

    async def _answer(self, request: Request) -> Response:
        raw = await request.body()
        key = request.headers.get("idempotency-key", "")
        asked = Asked(
            request.method, request.url.path, key, msgspec.json.decode(raw) if raw else None
        )
        if asked.path == "/v1/gateway":
            return _json({"url": self.arena.url.replace("http", "ws"), "protocols": []})
        self.asked.append(asked)
        if self.hold is not None:
            await self.hold.wait()
        for refusal in self.refusals:
            if refusal.method == asked.method and refusal.path in asked.path:
                self.refusals.remove(refusal)
                told = {"code": refusal.code, "detail": refusal.detail}
                return _json(told, refusal.status, refusal.headers)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _json({"code": "unauthorized", "detail": "the login is unknown"}, 401)
        if key in self._orders:
            return self._orders[key]
        response = self._done(asked)
        if key:
            self._orders[key] = response
        return response

    def _done(self, asked: Asked) -> Response:
        match asked.method, asked.path.strip("/").split("/")[1:]:
            case "GET", ["me", "agents"]:
                return _json({"agents": list(self.agents.values())})
            case "GET", ["me", "balances"]:
                return _json({"balances": self.balances})
            case "GET", ["spaces"]:
                return _json(msgspec.to_builtins(recorded.SPACES))
            case "GET", ["shelf"]:
                return _json(msgspec.to_builtins(recorded.SHELF))
            case "GET", ["fees"]:
                return _json(msgspec.to_builtins(recorded.FEES))
            case "GET", ["me", "crossings"]:
                return _json({"crossings": self.crossings})
            case "GET", ["me", "statement"]:
                return _json({"lines": []})
            case "POST", ["transfers"]:
                return self._moved(asked.body)
            case "POST", ["deposits"]:
                self.crossings.insert(0, {"id": "c", "direction": "deposit", **asked.body})
                return _json(self.crossings[0], 202)
            case "GET", ["agents", agent, what] if what in (
                "stats",
                "history",
                "series",
                "versions",
            ):
                return _json(msgspec.to_builtins(self._career(agent, what)))
            case "GET", ["compare"]:
                sides = Comparison(career.stats(career.FROSTBITE), career.stats(career.EMBER))
                return _json(msgspec.to_builtins(sides))
            case "GET", ["head-to-head"]:
                return _json({"sessions": 22, "a_ahead": 9, "level": 1, "b_ahead": 12})
            case "GET", ["leaderboard", _]:
                return _json(msgspec.to_builtins(career.BOARD))
            case "GET", ["sessions"]:
                return _json({"sessions": [one for each in self.playing.values() for one in each]})
            case "GET", ["agents", _, "avatar"]:
                return Response(_png(), media_type="image/png")
            case "GET", ["agents", agent, "automation"] if agent in self.automations:
                return _json(self.automations[agent])
            case "GET", ["agents", _, "automation"]:
                return _json({"code": "no-automation", "detail": "PUT the limits first"}, 404)
            case "PUT", ["agents", agent, "automation"]:
                run = {"number": 0, "asset": "play"}
                self.automations[agent] = {"state": "off", "limits": asked.body, "run": run}
                return _json(self.automations[agent])
            case "POST", ["agents", agent, "automation", switch]:
                self.automations[agent]["state"] = switch
                return _json(self.automations[agent])
            case "PUT" | "POST", ["agents", _, "training", *what]:
                return self._trained(asked.body, what[0] if what else "")
            case "POST", ["agents", agent, "rollback"]:
                return self._rolled_back()
            case "GET", ["agents", _, "training" | "lineage" as what]:
                return _json(
                    msgspec.to_builtins(self.training[f"/v1/agents/{career.FROSTBITE}/{what}"])
                )
            case "GET", ["content", _]:
                return _json(msgspec.to_builtins(self.training[asked.path]))
            case "GET", ["gates", gate]:
                return _json(msgspec.to_builtins(self.training[f"/v1/gates/{gate}"]))
            case "POST", ["agents"]:
                return _json(self._made(asked.body), 201)
            case "POST", ["agents", agent, "archive" | "restore" as order]:
                self.agents[agent]["archived_ms"] = 1 if order == "archive" else None
                return _json(self.agents[agent])
            case "PATCH", ["agents", agent]:
                return self._edited(agent, asked.body)
            case "POST", ["prompts", "improve"]:
                return _json(msgspec.to_builtins(recorded.HELPED))
        return _json({"code": "not-found", "detail": f"nothing at {asked.path}"}, 404)

    def _career(self, agent: str, what: str) -> Any:
        """Everybody's is Frostbite's."""
        told = career.stats(career.FROSTBITE)
        match what:
            case "stats":
                name = self.agents[agent]["name"] if agent in self.agents else agent
                return msgspec.structs.replace(told, agent=agent, name=name)
            case "history":
                return career.history()
            case "series":
                return career.series(career.FROSTBITE, career.RAP_BATTLE)
            case _:
                return Versions(
                    tuple(Version(f"{agent}@v{number}", number, number) for number in self.versions)
                )

    def _made(self, body: dict[str, Any]) -> dict[str, Any]:
        agent = f"agent-{len(self.agents) + 1}"
        self.agents[agent] = {**body, "agent": agent, "number": 1, "revision": 1}
        return {"agent": agent, "name": body["name"], "key": "agon_scripted_key"}

    def _trained(self, body: dict[str, Any], what: str) -> Response:
        path = arena.training(career.FROSTBITE).path
        told = self.training[path]
        here = next(each for each in told.spaces if each.space == body["space"])
        if what == "cancel":
            job = replace(
                here.job, state="cancelled", cancelling=True, reason="its owner cancelled it"
            )
            now = replace(here, job=None)
            told = replace(told, past=(job, *told.past))
        elif what == "start":
            job = Job("01KTRAIN000000000000000011", here.space, told.version, "owner", created_ms=1)
            now = replace(here, job=job)
        else:
            consent = {**msgspec.to_builtins(here.consent), **body}
            now = replace(here, consent=Consent(consent["on"], consent["budget_s"]))
        spaces = tuple(now if each is here else each for each in told.spaces)
        self.training[path] = replace(told, spaces=spaces)
        return _json(
            msgspec.to_builtins(job if what else self.training[path]),
            201 if what == "start" else 200,
        )

    def _rolled_back(self) -> Response:
        path = arena.lineage(career.FROSTBITE).path
        told = self.training[path]
        last = told.lines[-1]
        change = Change("rolled-back", last.parent, last.version)
        self.training[path] = replace(told, version=last.parent, lines=(*told.lines, change))
        return _json(msgspec.to_builtins(change))

    def _moved(self, body: dict[str, Any]) -> Response:
        purses = {(each["asset"], each["holder"]): each for each in self.balances}
        source = purses[body["asset"], body["source"]]
        if source["available_micros"] < body["micros"]:
            return _json({"code": "unfunded", "detail": "there is not so much available"}, 409)
        source["available_micros"] -= body["micros"]
        to = purses.get((body["asset"], body["to"]))
        if to is None:
            to = {"holder": body["to"], "asset": body["asset"], "available_micros": 0}
            self.balances.append(to)
        to["available_micros"] += body["micros"]
        return _json({"transfer": "fund:1"}, 201)

    def _edited(self, agent: str, body: dict[str, Any]) -> Response:
        was = self.agents[agent]
        if body.pop("revision", was["revision"]) != was["revision"]:
            return _json({"code": "stale-version", "detail": "it was changed meanwhile"}, 409)
        specs = [msgspec.convert(each["spec"], Spec) for each in (was, {**was, **body})]
        number = was["number"] + (specs[0] != specs[1])
        self.agents[agent] = {**was, **body, "number": number, "revision": was["revision"] + 1}
        return _json(self.agents[agent])


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 140, 200)).save(out, "PNG")
    return out.getvalue()
