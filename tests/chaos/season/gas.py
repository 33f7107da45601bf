"""What the arena's key has spent: every transaction of it that is in a block, failed ones too."""

from __future__ import annotations

import msgspec

from tests.chaos.season.ground import Ground

CALLS = ("open_sessions", "close_epoch", "claim_many", "refund")


class Gas(msgspec.Struct):
    calls: dict[str, tuple[int, int]] = {}
    """What was called -> transactions, gas of all of them."""
    failed: int = 0

    def each(self, sessions: int) -> int:
        """Gas a session, for all that the escrow was called for."""
        spent = sum(gas for name, (_, gas) in self.calls.items() if name in CALLS)
        return spent // max(1, sessions)


async def read_gas(ground: Ground) -> Gas:
    """Block by block; the chain is a short one."""
    found = Gas()
    settler = ground.settler.address.lower()
    names = {_selector(ground, name): name for name in CALLS}
    for number in range(ground.manifest.first_block, await ground.head() + 1):
        block = await ground.wire("eth_getBlockByNumber", hex(number), True)
        for tx in block["transactions"]:
            if tx["from"].lower() != settler:
                continue
            receipt = await ground.wire("eth_getTransactionReceipt", tx["hash"])
            found.failed += int(receipt["status"], 16) == 0
            name = names.get(tx["input"][:10], "other")
            count, gas = found.calls.get(name, (0, 0))
            found.calls[name] = count + 1, gas + int(receipt["gasUsed"], 16)
    return found


def _selector(ground: Ground, name: str) -> str:
    """Hex with 0x."""
    escrow = ground.escrow
    owner = ground.treasury
    calls = {
        "open_sessions": ([],),
        "close_epoch": (1, bytes(32), bytes(32), 0, []),
        "claim_many": ([(owner, 1)], [], []),
        "refund": ([],),
    }
    return "0x" + escrow.invoke(name, *calls[name]).data[:4].hex()
