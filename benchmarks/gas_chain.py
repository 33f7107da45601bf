"""An escrow on a chain in this process, and what transactions there cost: real ones, with their calldata, mined one a block."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_abi.abi import encode
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils.crypto import keccak

from chain.artifacts import load
from chain.ethereum import Account, LocalAccount, encode_typed_data
from chain.payout_tree import PayoutTree

DAY_S = 86_400
DOLLAR = 1_000_000
ENTRY = 5 * DOLLAR
CLAIMS = 128
"""The most that one call takes."""

_FIELDS = {
    "ReceiveWithAuthorization": "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "Limits": "address owner,uint64 max_entry,uint64 daily_cap,uint64 expires,uint64 nonce",
}


class Contract:
    """Called by its admin, or by whom `sender` names."""

    def __init__(self, chain: EthereumTester, name: str, *arguments: Any) -> None:
        self._chain, self.admin = chain, chain.get_accounts()[0]
        artifact = load(name)
        self._inputs = {
            entry["name"]: _types(entry["inputs"])
            for entry in artifact.abi
            if entry["type"] == "function"
        }
        types = [_types(each["inputs"]) for each in artifact.abi if each["type"] == "constructor"]
        creation = artifact.bytecode + encode(types[0] if types else [], arguments).hex()
        receipt = self._mine({"data": creation})
        self.address: str = receipt["contract_address"]
        self.deployment: int = receipt["gas_used"]

    def __call__(self, function: str, *arguments: Any, sender: str | None = None) -> int:
        """The gas that the transaction used. Raises RuntimeError where it is refused."""
        types = self._inputs[function]
        selector = keccak(text=f"{function}({','.join(types)})")[:4]
        data = "0x" + (selector + encode(types, arguments)).hex()
        receipt = self._mine({"to": self.address, "data": data}, sender)
        if receipt["status"] != 1:
            raise RuntimeError(f"{function} was refused")
        used: int = receipt["gas_used"]
        return used

    def _mine(self, transaction: dict[str, Any], sender: str | None = None) -> dict[str, Any]:
        fees = {"gas": 60_000_000, "max_fee_per_gas": 10**9, "max_priority_fee_per_gas": 1}
        sent = self._chain.send_transaction({"from": sender or self.admin, **fees, **transaction})
        receipt: dict[str, Any] = self._chain.get_transaction_receipt(sent)
        return receipt


class Arena:
    """An escrow, and wallets with a thousand dollars each in it and limits that allow everything."""

    def __init__(self, wallets: int) -> None:
        parameters = PyEVMBackend.generate_genesis_params(overrides={"gas_limit": 200_000_000})
        self.chain = EthereumTester(PyEVMBackend(genesis_parameters=parameters))
        self.usdc = Contract(self.chain, "usdc_dev")
        self.escrow = Contract(self.chain, "escrow", self.usdc.address, DAY_S, 3 * DAY_S)
        for role in ("settler", "guardian"):
            self.escrow("offer_role", keccak(text=role), self.escrow.admin)
            self.escrow("take_role", keccak(text=role))
        self.wallets = [
            Account.from_key((1_000 + number).to_bytes(32, "big")) for number in range(wallets)
        ]
        for wallet in self.wallets:
            self.deposit(wallet, 1_000 * DOLLAR)
            self.limit(wallet)
        self._sessions = self._epoch = 0
        self._cumulative: dict[str, int] = {}

    def deposit(self, wallet: LocalAccount, micros: int, nonce: int = 1) -> int:
        """By `receiveWithAuthorization`, brought by the arena."""
        self.usdc("mint", wallet.address, micros)
        message = (0, 2**40, nonce.to_bytes(32, "big"))
        values = (wallet.address, self.escrow.address, micros, *message)
        name = ("USD Coin (development)", "2")
        signature = self._sign(wallet, self.usdc, name, "ReceiveWithAuthorization", values)
        arguments = (wallet.address, micros, *message, *signature)
        return self.escrow("deposit_with_authorization", *arguments)

    def limit(self, wallet: LocalAccount, nonce: int = 1) -> int:
        """By signature, brought by the arena."""
        values = (wallet.address, 25 * DOLLAR, 1_000 * DOLLAR, 2**40, nonce)
        signature = self._sign(wallet, self.escrow, ("Agon", "1"), "Limits", values)
        return self.escrow("set_limits_by_signature", *values, *signature)

    def sessions(self, batch: int, wallets: int) -> list[tuple[bytes, int, list[str]]]:
        """Of two seats; the wallets play in turn."""
        made = []
        for number in range(batch):
            self._sessions += 1
            seats = [self.wallets[(2 * number + seat) % wallets].address for seat in (0, 1)]
            digest = hashlib.sha256(str(self._sessions).encode()).digest()
            made.append((digest, ENTRY, seats))
        return made

    def epoch(self, batch: int, wallets: int) -> dict[str, float]:
        """Gas a session: opening, closing, and claims of everybody who won, each as seldom as it can be in one epoch.

        Who plays twice wins once, so that no claim is shared that need not be.
        """
        sessions = self.sessions(batch, wallets)
        opening = self.escrow("open_sessions", sessions)
        for number, (_, _, seats) in enumerate(sessions):
            self._allot(seats[2 * number // wallets % 2], 2 * ENTRY * 95 // 100)
            self._allot(self.escrow.admin, 2 * ENTRY * 5 // 100)
        tree = PayoutTree(self._cumulative)
        self._epoch += 1
        closing = self.escrow(
            "close_epoch", self._epoch, b"\1" * 32, tree.root, tree.total, sessions
        )
        claims = self._claim_all(tree)
        return {"open": opening / batch, "close": closing / batch, "claims": claims / batch}

    def _allot(self, account: str, micros: int) -> None:
        self._cumulative[account] = self._cumulative.get(account, 0) + micros

    def _claim_all(self, tree: PayoutTree) -> int:
        accounts, used = tree.accounts, 0
        for first in range(0, len(accounts), CLAIMS):
            many = tree.claims(accounts[first : first + CLAIMS])
            used += self.escrow("claim_many", many.allotments, many.proof, many.flags)
        return used

    def calls(self) -> dict[str, int]:
        """What single calls cost. The first of a wallet, and later ones."""
        fresh, tester = Account.from_key(b"\7" * 32), self.chain.get_accounts()[1]
        used = {"deploy": self.escrow.deployment}
        used["deposit_with_authorization, first"] = self.deposit(fresh, DOLLAR, nonce=1)
        used["deposit_with_authorization"] = self.deposit(fresh, DOLLAR, nonce=2)
        used["set_limits_by_signature, first"] = self.limit(fresh, nonce=1)
        used["set_limits_by_signature"] = self.limit(fresh, nonce=2)
        self.usdc("mint", tester, 100 * DOLLAR)
        self.usdc("approve", self.escrow.address, 2**256 - 1, sender=tester)
        used["deposit, first"] = self.escrow("deposit", DOLLAR, sender=tester)
        used["deposit"] = self.escrow("deposit", DOLLAR, sender=tester)
        used["request_withdrawal"] = self.escrow("request_withdrawal", DOLLAR, sender=tester)
        self.chain.time_travel(self.chain.get_block_by_number()["timestamp"] + DAY_S + 1)
        used["withdraw"] = self.escrow("withdraw", tester, sender=tester)
        session = self.sessions(1, 2)
        self.escrow("open_sessions", session)
        used["refund of one session"] = self.escrow("refund", session)
        return used

    def single_claim(self, leaves: int) -> int:
        """`claim` alone, from a tree of so many accounts, for a wallet that has claimed before."""
        session = self.sessions(1, 2)
        self.escrow("open_sessions", session)
        winner = session[0][2][0]
        self._allot(winner, DOLLAR)
        others = {f"0x{number:040x}": 1 for number in range(1, leaves + 1 - len(self._cumulative))}
        tree = PayoutTree(self._cumulative | others)
        self._epoch += 1
        allotted = sum(self._cumulative.values())
        self.escrow("close_epoch", self._epoch, b"\1" * 32, tree.root, allotted, session)
        return self.escrow("claim", winner, tree.cumulative(winner), tree.proof(winner))

    @contextmanager
    def tried(self) -> Iterator[None]:
        """What happens inside has not happened afterwards."""
        chain, state = (
            self.chain.take_snapshot(),
            (self._sessions, self._epoch, dict(self._cumulative)),
        )
        yield
        self.chain.revert_to_snapshot(chain)
        self._sessions, self._epoch, self._cumulative = state

    def _sign(
        self, signer: LocalAccount, to: Contract, name: tuple[str, str], kind: str, values: Any
    ) -> tuple[int, bytes, bytes]:
        fields = [
            dict(zip(("type", "name"), field.split(), strict=True))
            for field in _FIELDS[kind].split(",")
        ]
        domain = {
            "name": name[0],
            "version": name[1],
            "chainId": self.chain.backend.chain.chain_id,
            "verifyingContract": to.address,
        }
        message = dict(zip((field["name"] for field in fields), values, strict=True))
        signed = signer.sign_message(encode_typed_data(domain, {kind: fields}, message))
        return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    found = []
    for each in inputs:
        kind: str = each["type"]
        if kind.startswith("tuple"):
            kind = f"({','.join(_types(each['components']))}){kind.removeprefix('tuple')}"
        found.append(kind)
    return found
