from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image
from redis.asyncio import Redis

from server.config import Config
from server.live.queue import Queues
from server.live.queue_names import Queue
from server.live.records import TicketRecord
from server.store import Store
from tests.server.test_api import client_of, problem

DAY_MS = 86_400_000
FEW = Config(agents_per_account=3, versions_per_day=6, llm_model="tiny", llm_models=("big",))


class Owner:
    """An account over HTTP."""

    def __init__(self, api: httpx.AsyncClient, account: str, login: str) -> None:
        self._api = api
        self.account = account
        self._headers = {"Authorization": f"Bearer {login}"}

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = self._headers | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return await self._api.request(method, path, headers=headers, **more)

    async def make(self, name: str = "Ember", **more: Any) -> dict[str, Any]:
        answer = await self("POST", "/v1/agents", {"name": name, **more})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def own(self, agent: str) -> dict[str, Any]:
        answer = await self("GET", f"/v1/me/agents/{agent}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert answer.headers["etag"] == f'"{found["revision"]}"'
        return found


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, config=FEW) as client:
        yield client


async def owner_of(store: Store, api: httpx.AsyncClient, wallet: str = "0x" + "1" * 40) -> Owner:
    account = await store.accounts.with_wallet(wallet)
    token, _ = await store.logins.begin(account.account, DAY_MS)
    return Owner(api, account.account, token)


@pytest.fixture
async def ann(store: Store, api: httpx.AsyncClient) -> Owner:
    return await owner_of(store, api)


@pytest.fixture
async def bob(store: Store, api: httpx.AsyncClient) -> Owner:
    return await owner_of(store, api, "0x" + "2" * 40)


def picture(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "PNG")
    return out.getvalue()


async def test_an_owner_makes_an_agent_with_everything(ann: Owner, api: httpx.AsyncClient) -> None:
    made = await ann.make(
        about="Rhymes\nat night.",
        kind="hosted",
        spec={"prompt": "Rhyme well. ", "spaces": ["rap-battle"], "model": "big", "top_p": 0.9},
    )
    own = await ann.own(made["agent"])
    assert own["spec"] == {
        "prompt": "Rhyme well.",
        "spaces": ["rap-battle"],
        "model": "big",
        "top_p": 0.9,
    }
    assert (own["kind"], own["number"], own["revision"]) == ("hosted", 1, 1)
    card = (await api.get(f"/v1/agents/{made['agent']}")).json()
    assert card["about"] == "Rhymes at night."
    assert card["spaces"] == ["rap-battle"]
    assert card["avatar"] == f"/v1/agents/{made['agent']}/avatar"
    assert (card["versions"], card["archived"], card["frozen"]) == (1, False, False)
    listed = (await ann("GET", "/v1/me/agents")).json()["agents"]
    assert [each["agent"] for each in listed] == [made["agent"]]


async def test_prompts_are_their_owners_alone(
    ann: Owner, bob: Owner, api: httpx.AsyncClient
) -> None:
    made = await ann.make(spec={"prompt": "SECRET"})
    agent = made["agent"]
    for path in ("", "/versions", "/avatar"):
        assert "SECRET" not in (await api.get(f"/v1/agents/{agent}{path}")).text
    for method, path in (
        ("GET", f"/v1/me/agents/{agent}"),
        ("GET", f"/v1/me/agents/{agent}/versions"),
        ("GET", f"/v1/agents/{agent}/export"),
    ):
        problem(await api.request(method, path), 401, "unauthorized")
        theirs = await bob(method, path)
        unknown = await bob(method, path.replace(agent, "nobody"))
        problem(theirs, 404, "unknown-agent")
        assert theirs.text.replace(agent, "nobody") == unknown.text, "not a hint"
        playing = {"Authorization": f"Bearer {made['key']}"}
        problem(await api.request(method, path, headers=playing), 403, "insufficient-scope")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"about": "mine now"}),
        ("POST", "/archive", {}),
        ("POST", "/restore", {}),
        ("POST", "/clone", {"name": "Mine"}),
        ("DELETE", "/avatar", None),
    ],
)
async def test_nobody_changes_anothers_agent(
    ann: Owner, bob: Owner, method: str, path: str, body: Any
) -> None:
    agent = (await ann.make())["agent"]
    problem(await bob(method, f"/v1/agents/{agent}{path}", body), 404, "unknown-agent")
    assert (await ann.own(agent))["revision"] == 1


async def test_a_stranger_makes_bare_remote_agents_only(api: httpx.AsyncClient) -> None:
    assert (await api.post("/v1/agents", json={"name": "Bot"})).status_code == 201
    for more in ({"kind": "hosted"}, {"about": "x"}, {"spec": {"prompt": "x"}}):
        answer = await api.post("/v1/agents", json={"name": "Bot", **more})
        problem(answer, 401, "unauthorized")


async def test_an_agent_s_key_makes_no_siblings_and_its_owner_s_does(
    api: httpx.AsyncClient,
) -> None:
    first = (await api.post("/v1/agents", json={"name": "Bot"})).json()
    playing, owning = ({"Authorization": f"Bearer {first[key]}"} for key in ("key", "owner_key"))
    for more in ({}, {"kind": "hosted"}, {"owner": first["owner"]}):
        answer = await api.post("/v1/agents", json={"name": "Two", **more}, headers=playing)
        problem(answer, 403, "insufficient-scope")
    second = (await api.post("/v1/agents", json={"name": "Two"}, headers=owning)).json()
    assert (second["owner"], second["owner_key"]) == (first["owner"], None)


async def test_another_spec_is_another_version_and_words_are_not(ann: Owner) -> None:
    agent = (await ann.make())["agent"]
    path = f"/v1/agents/{agent}"
    edited = await ann("PATCH", path, {"spec": {"temperature": 0.5}})
    assert edited.status_code == 200, edited.text
    assert edited.json()["version"] == f"{agent}@v2"
    assert edited.headers["etag"] == '"2"'
    named = (await ann("PATCH", path, {"name": "Cinder", "about": "x", "kind": "hosted"})).json()
    assert (named["number"], named["name"], named["kind"]) == (2, "Cinder", "hosted")
    assert named["spec"] == {"temperature": 0.5}, "what is left out stays"
    back = (await ann("PATCH", path, {"spec": {}})).json()
    assert back["number"] == 1, "the version that was just so plays again"
    mine = (await ann("GET", f"/v1/me/agents/{agent}/versions?limit=1")).json()
    assert mine["versions"][0]["spec"] == {"temperature": 0.5}
    assert mine["next"] == 2
    rest = (await ann("GET", f"/v1/me/agents/{agent}/versions?limit=1&before=2")).json()
    assert [each["number"] for each in rest["versions"]] == [1]
    assert rest["next"] is None
    public = (await ann("GET", f"{path}/versions")).json()["versions"]
    assert [each["number"] for each in public] == [2, 1]
    assert set(public[0]) == {"version", "number", "spaces", "created_ms"}


async def test_a_stale_edit_is_refused_and_nothing_is_lost(ann: Owner) -> None:
    agent = (await ann.make())["agent"]
    path = f"/v1/agents/{agent}"
    assert (await ann("PATCH", path, {"about": "first", "revision": 1})).status_code == 200
    stale = await ann("PATCH", path, {"about": "second", "revision": 1})
    assert "revision 2, you saw 1" in problem(stale, 409, "stale-version")["detail"]
    by_header = {"If-Match": '"1"'}
    for part, body in (("", {"name": "X"}), ("/archive", {}), ("/restore", {})):
        answer = await ann("POST" if part else "PATCH", path + part, body, headers=by_header)
        problem(answer, 409, "stale-version")
    fresh = await ann("PATCH", path, {"about": "second"}, headers={"If-Match": 'W/"2"'})
    assert fresh.status_code == 200
    assert (await ann("PATCH", path, {}, headers={"If-Match": "*"})).status_code == 200
    for bad in ("2", '"two"', '"1", "2"', '"' + "9" * 40 + '"'):
        answer = await ann("PATCH", path, {"about": "z"}, headers={"If-Match": bad})
        problem(answer, 400, "bad-if-match")
    both = await ann("PATCH", path, {"revision": 2}, headers={"If-Match": '"3"'})
    problem(both, 400, "bad-if-match")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"spec": {"prompt": "x" * 2_001}}, "bad-spec", "for bid-tac-toe has 2,001 characters"),
        ({"spec": {"model": "gpt"}}, "bad-spec", "there are tiny, big"),
        ({"spec": {"brain": "genius"}}, "bad-spec", "no brain 'genius'"),
        ({"spec": {"spaces": ["chess"]}}, "bad-spec", "no space 'chess'"),
        ({"spec": {"prompt": "a\x00"}}, "bad-words", "the prompt holds a NUL"),
        ({"spec": {"prompts": {"rap-battle": "\x00"}}}, "bad-words", "the prompt for rap-battle"),
        ({"about": "x" * 281}, "bad-words", "at most 280"),
        ({"name": "\u202e"}, "bad-name", "printable"),
    ],
)
async def test_what_cannot_be_used_is_refused_in_words(
    ann: Owner, body: Any, code: str, words: str
) -> None:
    agent = (await ann.make())["agent"]
    answer = await ann("PATCH", f"/v1/agents/{agent}", body)
    assert words in problem(answer, 422, code)["detail"]
    again = await ann("POST", "/v1/agents", {"name": "Other", **body})
    problem(again, 422, code)
    assert (await ann.own(agent))["revision"] == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"temperature": 3},
        {"top_p": 0},
        {"max_tokens": 10**9},
        {"url": "http://localhost"},
        {"api_key": "x"},
        {"prompt": "x" * 20_000},
        {"spaces": ["a"] * 65},
        {"prompts": {"Not A Space": "x"}},
        {"build": "\x1b"},
    ],
)
async def test_what_is_no_spec_is_not_understood(ann: Owner, spec: Any) -> None:
    agent = (await ann.make())["agent"]
    problem(await ann("PATCH", f"/v1/agents/{agent}", {"spec": spec}), 400, "bad-body")


async def test_the_boards_cannot_be_flooded(ann: Owner) -> None:
    agents = [(await ann.make(f"A{n}"))["agent"] for n in range(3)]
    answer = await ann("POST", "/v1/agents", {"name": "A4"})
    assert "at most 3 may be active" in problem(answer, 409, "too-many-agents")["detail"]
    await ann("POST", f"/v1/agents/{agents[0]}/archive", {})
    await ann.make("A4")
    problem(await ann("POST", f"/v1/agents/{agents[0]}/restore", {}), 409, "too-many-agents")
    for n in range(2):
        edit = await ann("PATCH", f"/v1/agents/{agents[1]}", {"spec": {"build": f"{n}"}})
        assert edit.status_code == 200
    last = await ann("PATCH", f"/v1/agents/{agents[1]}", {"spec": {"build": "last"}})
    problem(last, 429, "too-many-versions")
    assert 86_000 < int(last.headers["retry-after"]) <= 86_401
    assert (await ann("PATCH", f"/v1/agents/{agents[1]}", {"about": "words"})).status_code == 200


async def test_an_archived_agent_stops_and_comes_back(ann: Owner, api: httpx.AsyncClient) -> None:
    agent = (await ann.make())["agent"]
    gone = await ann("POST", f"/v1/agents/{agent}/archive", {})
    assert gone.json()["archived_ms"] is not None
    assert (await api.get(f"/v1/agents/{agent}")).json()["archived"] is True
    back = await ann("POST", f"/v1/agents/{agent}/restore", {"revision": 2})
    assert back.json()["archived_ms"] is None


async def queued(store: Store, redis: Redis, agent: str) -> TicketRecord:
    identity = await store.agents.get(agent)
    assert identity is not None
    ticket = TicketRecord(
        Queue("bid-tac-toe", 0).new_name(),
        agent,
        identity.name,
        identity.version,
        identity.owner,
        "bid-tac-toe",
        0,
        25_000,
        8_333,
        1,
    )
    await store.entries.hold(ticket)
    return await Queues(redis).enqueue(ticket)


@pytest.mark.parametrize("way", ["archive", "kind"])
async def test_a_changed_agent_leaves_its_queues_and_has_its_entry_back(
    ann: Owner, store: Store, redis: Redis, way: str
) -> None:
    agent = (await ann.make())["agent"]
    await queued(store, redis, agent)
    if way == "archive":
        await ann("POST", f"/v1/agents/{agent}/archive", {})
    else:
        await ann("PATCH", f"/v1/agents/{agent}", {"about": "words keep its place"})
        assert (await Queues(redis).sizes())[0].waiting == 1
        await ann("PATCH", f"/v1/agents/{agent}", {"kind": "hosted"})
    assert (await Queues(redis).sizes())[0].waiting == 0
    assert await store.entries.of_agent(agent) == []


async def test_a_copy_plays_alike_and_begins_anew(ann: Owner, api: httpx.AsyncClient) -> None:
    agent = (await ann.make(kind="hosted", about="one", spec={"prompt": "Win."}))["agent"]
    await ann("PUT", f"/v1/agents/{agent}/avatar", content=picture())
    answer = await ann("POST", f"/v1/agents/{agent}/clone", {"name": "Twin"})
    assert answer.status_code == 201
    twin = await ann.own(answer.json()["agent"])
    assert (twin["name"], twin["about"], twin["kind"]) == ("Twin", "one", "hosted")
    assert twin["spec"] == {"prompt": "Win."}
    assert twin["version"] == f"{twin['agent']}@v1"
    faces = [
        (await api.get(f"/v1/agents/{each}/avatar")).content for each in (agent, twin["agent"])
    ]
    assert faces[0] == faces[1]
    problem(await ann("POST", f"/v1/agents/{agent}/clone", {"name": "ember"}), 409, "name-taken")


async def test_an_agent_travels_as_a_file(ann: Owner, bob: Owner, api: httpx.AsyncClient) -> None:
    agent = (await ann.make(about="one", spec={"prompt": "Win."}))["agent"]
    for spec in ({"temperature": 0.5}, {"prompt": "Win."}):
        await ann("PATCH", f"/v1/agents/{agent}", {"spec": spec})
    await ann("PUT", f"/v1/agents/{agent}/avatar", content=picture())
    answer = await ann("GET", f"/v1/agents/{agent}/export")
    assert answer.headers["content-disposition"] == f'attachment; filename="{agent}.agent.json"'
    file = answer.json()
    assert file["format"] == "agon-agent/1"
    assert file["versions"] == [{"prompt": "Win."}, {"temperature": 0.5}]
    assert file["plays"] == 1
    brought = await bob("POST", "/v1/agents/import", file)
    assert brought.status_code == 201, brought.text
    theirs = brought.json()["agent"]
    own = await bob.own(theirs)
    assert (own["name"], own["about"], own["number"]) == ("Ember", "one", 1)
    again = (await bob("GET", f"/v1/agents/{theirs}/export")).json()
    assert again == file, "what has travelled is what it was"
    named = await bob("POST", "/v1/agents/import?name=Second", file)
    assert named.json()["name"] == "Second"
    problem(await bob("POST", "/v1/agents/import", file), 409, "name-taken")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"format": "agon-agent/2"}, 400, "bad-body"),
        ({"versions": []}, 400, "bad-body"),
        ({"versions": [{}] * 33}, 400, "bad-body"),
        ({"plays": 3}, 422, "bad-file"),
        ({"versions": [{"model": "gpt"}]}, 422, "bad-file"),
        ({"versions": [{"prompt": "\x00"}]}, 422, "bad-file"),
        ({"avatar": base64.b64encode(b"GIF89a").decode()}, 422, "bad-file"),
        ({"avatar": "not base64!"}, 400, "bad-body"),
        ({"about": "x" * 300}, 422, "bad-file"),
        ({"name": "\u202e"}, 422, "bad-name"),
        ({"id": "01"}, 400, "bad-body"),
    ],
)
async def test_nothing_in_a_file_is_believed(
    ann: Owner, changes: Any, status: int, code: str
) -> None:
    file = {"format": "agon-agent/1", "name": "Ember", "versions": [{}]}
    problem(await ann("POST", "/v1/agents/import", file | changes), status, code)
    assert (await ann("GET", "/v1/me/agents")).json()["agents"] == []


async def test_a_face_is_generated_sent_and_dropped(ann: Owner, api: httpx.AsyncClient) -> None:
    agent = (await ann.make())["agent"]
    path = f"/v1/agents/{agent}/avatar"
    generated = await api.get(path)
    assert generated.headers["content-type"] == "image/png"
    assert (
        await api.get(path, headers={"If-None-Match": generated.headers["etag"]})
    ).status_code == 304
    small = await api.get(f"{path}?size=16")
    assert Image.open(io.BytesIO(small.content)).size == (16, 16)
    assert small.headers["etag"] != generated.headers["etag"]
    problem(await api.get(f"{path}?size=17"), 400, "bad-query")
    problem(await api.get("/v1/agents/nobody/avatar"), 404, "unknown-agent")
    sent = await ann("PUT", path, content=picture(), headers={"Content-Type": "image/png"})
    assert sent.status_code == 200, sent.text
    stored = await api.get(path)
    assert stored.headers["etag"] == f'"{sent.json()["digest"]}-256"'
    assert Image.open(io.BytesIO(stored.content)).size == (256, 256)
    assert (await ann("DELETE", path)).status_code == 204
    assert (await api.get(path)).content == generated.content


async def test_a_face_that_is_none_is_refused(ann: Owner, bob: Owner) -> None:
    agent = (await ann.make())["agent"]
    path = f"/v1/agents/{agent}/avatar"
    png = {"Content-Type": "image/png"}
    answer = await ann("PUT", path, content=b"<svg/>", headers=png)
    assert "neither a PNG nor a JPEG" in problem(answer, 422, "bad-avatar")["detail"]
    gif = await ann("PUT", path, content=picture(), headers={"Content-Type": "image/gif"})
    problem(gif, 415, "bad-media-type")
    problem(await ann("PUT", path, content=bytes(1024 * 1024 + 1), headers=png), 413, "too-large")
    problem(await bob("PUT", path, content=picture(), headers=png), 404, "unknown-agent")


async def test_the_shelf_says_what_agents_are_made_of(api: httpx.AsyncClient) -> None:
    shelf = (await api.get("/v1/shelf")).json()
    assert shelf["models"] == ["tiny", "big"]
    brains = {each["brain"]: each["spaces"] for each in shelf["brains"]}
    assert brains["bidder"] == ["bid-tac-toe"]
    assert "rap-battle" in brains["llm"]
    assert (shelf["agents_per_account"], shelf["versions_per_day"]) == (3, 6)


async def test_a_closed_arena_takes_owners_and_no_strangers(store: Store, redis: Redis) -> None:
    config = Config(open_registration=False)
    async with client_of(store, redis, config=config) as closed:
        problem(await closed.post("/v1/agents", json={"name": "x"}), 403, "registration-closed")
        ann = await owner_of(store, closed)
        made = await ann.make("Ember")
        playing = {"Authorization": f"Bearer {made['key']}"}
        answer = await closed.post("/v1/agents", json={"name": "Two"}, headers=playing)
        problem(answer, 403, "insufficient-scope")
