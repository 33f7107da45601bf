"""Two owners, by the public API alone: sign in, make agents, fund them, let them play, and account for every micro.

    .venv/bin/python examples/two_owners.py                # starts an arena of its own; some minutes
    .venv/bin/python examples/two_owners.py --url http://127.0.0.1:8600

Ann's agent plays by the book, Ben's by a rule of thumb. Their automations play some sessions for play money, then many
for simulated USDC. Then Ann tries dice instead, in a new version of her agent, and her automation stops at its
stop-loss. In the end all money is withdrawn: what came in must equal what went out and the fees. Exits with 1 and a
sentence when anything does not add up.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct

SPACE = "bid-tac-toe"
TIER_MICROS = 100_000
DEPOSIT_MICROS = 50_000_000
FUND_MICROS = 40_000_000
FREE_SESSIONS = 10
STOP_LOSS_MICROS = 500_000
"""What Ann may lose with her dice."""
PATIENCE_S = 1_800.0


class DoesNotAddUp(Exception):
    """The message says what was expected and what was found."""


class Owner:
    """Somebody with a wallet, one agent and a browser, so to speak."""

    def __init__(self, url: str, name: str, agent_name: str, brain: str) -> None:
        self.name = name
        self._http = httpx.Client(base_url=url, timeout=30)
        self._sign_in(url)
        made = self.post(
            "/v1/agents",
            name=agent_name,
            kind="hosted",
            about=f"{name}'s, a {brain}",
            spec={"brain": brain, "spaces": [SPACE]},
        )
        self.agent = made["agent"]

    def _sign_in(self, url: str) -> None:
        """EIP-4361: sign what the arena may ask to be signed, and nothing else."""
        wallet = Account.create()
        nonce = self.post("/v1/signin/nonce")
        message = (
            f"{nonce['domain']} wants you to sign in with your Ethereum account:\n{wallet.address}\n\n"
            f"{nonce['statement']}\n\nURI: {nonce['uri']}\nVersion: 1\nChain ID: {nonce['chain_id']}\n"
            f"Nonce: {nonce['nonce']}\nIssued At: {nonce['issued_at']}\n"
            f"Expiration Time: {nonce['expiration_time']}"
        )
        signature = wallet.sign_message(encode_defunct(text=message)).signature.to_0x_hex()
        login = self.post("/v1/signin", message=message, signature=signature)
        self._http.headers["Authorization"] = f"Bearer {login['token']}"

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, **body: Any) -> Any:
        return self._call("POST", path, json=body or None)

    def put(self, path: str, **body: Any) -> Any:
        return self._call("PUT", path, json=body)

    def _call(self, method: str, path: str, **content: Any) -> Any:
        for _ in range(50):
            answer = self._http.request(method, path, **content)
            if answer.status_code not in (429, 503):
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.is_error:
            raise DoesNotAddUp(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def available(self, holder: str, asset: str = "usdc") -> int:
        found = [
            int(each["available_micros"])
            for each in self.get("/v1/me/balances")["balances"]
            if (each["holder"], each["asset"]) == (holder, asset)
        ]
        return found[0] if found else 0

    def move(self, source: str, to: str, micros: int) -> None:
        self.post("/v1/transfers", source=source, to=to, micros=micros)

    def cross(self, path: str, micros: int) -> None:
        """A deposit or withdrawal, until the (simulated) chain has confirmed it."""
        crossing = self.post(path, micros=micros)
        wait(lambda: self._confirmed(crossing["id"]), f"{self.name}: {path} is confirmed")

    def _confirmed(self, id_: str) -> bool:
        states = {each["id"]: each["state"] for each in self.get("/v1/me/crossings")["crossings"]}
        return bool(states[id_] == "confirmed")

    def automate(self, tier_micros: int, max_sessions: int, stop_loss_micros: int) -> None:
        self.put(
            f"/v1/agents/{self.agent}/automation",
            tier_micros=tier_micros,
            spaces=[SPACE],
            max_sessions=max_sessions,
            max_parallel=4,
            stop_loss_micros=stop_loss_micros,
        )
        self.post(f"/v1/agents/{self.agent}/automation/on")

    def change(self, **spec: Any) -> str:
        """Another spec: the agent plays on as a new version, whose name is returned."""
        stands = self.get(f"/v1/me/agents/{self.agent}")
        body = {"revision": stands["revision"], "spec": spec}
        changed = self._call("PATCH", f"/v1/agents/{self.agent}", json=body)
        return str(changed["version"])

    def automation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/v1/agents/{self.agent}/automation")
        return found

    def statement(self, holder: str, asset: str) -> list[dict[str, Any]]:
        """All lines, newest first."""
        lines: list[dict[str, Any]] = []
        query: dict[str, Any] = {"holder": holder, "asset": asset}
        while True:
            page = self.get("/v1/me/statement", **query)
            lines += page["lines"]
            if page["next"] is None:
                return lines
            query["before"] = page["next"]

    def points(self) -> tuple[list[dict[str, Any]], int]:
        """All lines of the running season, and what the arena says they add up to."""
        lines: list[dict[str, Any]] = []
        query: dict[str, Any] = {}
        while True:
            page = self.get("/v1/me/points", **query)
            lines += page["lines"]
            total = next(
                (each["points"] for each in page["totals"] if each["season"] == page["season"]), 0
            )
            if page["next"] is None:
                return lines, total
            query["before"] = page["next"]


def wait(done: Callable[[], bool], what: str, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > deadline:
            raise DoesNotAddUp(f"not within {patience_s:g} s: {what}")
        time.sleep(0.25)


def expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise DoesNotAddUp(f"{what}: expected {expected}, found {found}")
    print(f"  ok  {what}: {found}")


def settled(*owners: Owner) -> bool:
    """Nobody is queued, playing or waiting to be settled."""
    return all(owner.automation()["run"]["open"] == 0 for owner in owners)


def play(ann: Owner, ben: Owner, tier_micros: int, sessions: int, stop_loss_micros: int) -> str:
    """Both automations on, until Ann's has stopped and everything is settled; returns why it stopped."""
    ann.automate(tier_micros, sessions, stop_loss_micros)
    ben.automate(tier_micros, 100 * sessions, FUND_MICROS)
    unit, told = ("USDC" if tier_micros else "play dollars"), 0

    def stopped() -> bool:
        nonlocal told
        found = ann.automation()
        begun, profit = found["run"]["begun"], found["run"]["profit_micros"]
        if begun >= told + 20:
            told = begun
            print(f"  {begun} sessions begun, Ann {profit / 1e6:+.2f} {unit}", flush=True)
        return bool(found["state"] == "stopped")

    wait(stopped, "Ann's automation stops", PATIENCE_S)
    ben.post(f"/v1/agents/{ben.agent}/automation/off")
    wait(lambda: settled(ann, ben), "everything is settled", 120)
    reason = str(ann.automation()["reason"])
    print(f"  Ann's automation stopped: {reason}")
    return reason


def play_all(ann: Owner, ben: Owner, sessions: int) -> None:
    print(f"\n{FREE_SESSIONS} sessions for play money")
    play(ann, ben, 0, FREE_SESSIONS, 100_000_000)
    for owner in (ann, ben):
        owner.cross("/v1/deposits", DEPOSIT_MICROS)
        owner.move("owner", owner.agent, FUND_MICROS)
    print(f"\n{sessions} sessions for simulated USDC")
    play(ann, ben, TIER_MICROS, sessions, FUND_MICROS)
    print(f"\nAnn tries dice, until she has lost {STOP_LOSS_MICROS / 1e6:.2f}")
    version = ann.change(brain="random", spaces=[SPACE])
    print(f"  her agent is now {version}")
    reason = play(ann, ben, TIER_MICROS, 1_000, STOP_LOSS_MICROS)
    if "stop-loss" not in reason:
        raise DoesNotAddUp(f"expected the stop-loss to stop it, found: {reason}")
    lost = -ann.automation()["run"]["profit_micros"]
    if not 0 < lost <= STOP_LOSS_MICROS:
        raise DoesNotAddUp(f"lost {lost}, allowed {STOP_LOSS_MICROS}")


def account_for(ann: Owner, ben: Owner) -> None:
    """Every line explained, and nothing made or lost."""
    print("\nthe books")
    entries: dict[str, list[int]] = {}
    fees = 0
    for owner in (ann, ben):
        lines = owner.statement(owner.agent, "usdc")
        moved = sum(int(line["micros"]) for line in lines)
        expect(
            f"{owner.name}: {len(lines)} lines of the agent's statement add up to what it has",
            moved,
            owner.available(owner.agent),
        )
        unexplained = [line for line in lines if not line["code"] or not line["transfer"]]
        expect(f"{owner.name}: lines without an explanation", len(unexplained), 0)
        for line in lines:
            if line["code"] in ("winnings", "refund"):
                entries.setdefault(line["about"], []).append(int(line["micros"]))
            if line["code"] in ("entry", "winnings", "refund"):
                fees -= int(line["micros"])
    table = next(
        tier for tier in ann.get("/v1/fees")["tiers"] if tier["tier_micros"] == TIER_MICROS
    )
    fee = sum(next(each for each in table["tables"] if each["seats"] == 2)["fees"].values())
    decided = sum(1 for paid in entries.values() if len(paid) == 1)
    expect(f"fees of {decided} decided sessions, draws and voids free", fees, decided * fee)
    withdrawn = 0
    for owner in (ann, ben):
        owner.move(owner.agent, "owner", owner.available(owner.agent))
        money = owner.available("owner")
        owner.cross("/v1/withdrawals", money)
        withdrawn += money
        expect(f"{owner.name}: left after withdrawing", owner.available("owner"), 0)
    expect("micro-USDC in = out + fees", withdrawn + fees, 2 * DEPOSIT_MICROS)
    for owner in (ann, ben):
        lines, total = owner.points()
        expect(
            f"{owner.name}: {len(lines)} lines of points add up",
            sum(int(line["points"]) for line in lines),
            total,
        )
        if any(not line["words"] for line in lines):
            raise DoesNotAddUp(f"{owner.name}: a line of points without words")
    print(f"\n{len(entries)} sessions for money; nothing made, nothing lost.")


@contextlib.contextmanager
def arena(url: str | None) -> Iterator[str]:
    """The arena at `url`, or one of our own for the time of the block."""
    if url is not None:
        yield url
        return
    from server.config import Config
    from server.own_arena import own_arena

    config = Config(settlement_delay_ms=200, log_level="warning")
    with (
        tempfile.TemporaryDirectory(prefix="agon-example-") as folder,
        own_arena(config, Path(folder), house="none") as started,
    ):
        yield started.api


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="an arena's HTTP API; without it, one of our own is started")
    parser.add_argument("--sessions", type=int, default=190, help="sessions for simulated USDC")
    arguments = parser.parse_args()
    if not 1 <= arguments.sessions <= FUND_MICROS // TIER_MICROS - 10:
        parser.error(f"--sessions: 1 to {FUND_MICROS // TIER_MICROS - 10}")
    try:
        with arena(arguments.url) as url:
            ann = Owner(url, "Ann", "Ann's Own", "solver")
            ben = Owner(url, "Ben", "Ben's Bidder", "bidder")
            play_all(ann, ben, arguments.sessions)
            account_for(ann, ben)
    except (DoesNotAddUp, httpx.HTTPError) as error:
        print(f"does not add up: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
