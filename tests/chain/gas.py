"""What calls cost, as whole transactions, on a chain whose access lists are cold: `docs/gas.md` holds the numbers.

    python -m tests.chain.gas           compare; exit 1 where a number differs
    python -m tests.chain.gas --write   write the table anew

A number is 21,000, the calldata (EIP-2028, with EIP-7623's floor), what runs, less refunds (EIP-3529): what a receipt says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boa

DOCUMENT = Path(__file__).parents[2] / "docs" / "gas.md"
BEGIN = "<!-- calls: made by python -m tests.chain.gas --write -->\n"
END = "<!-- end of calls -->\n"


class Cost(NamedTuple):
    contract: str
    call: str
    gas: int


def gas_of(contract: Any, method: str, *arguments: Any, sender: str) -> int:
    """Makes the call, which must succeed; what its transaction would cost."""
    # Where a transaction begins: what is in storage now is what refunds and prices are reckoned from, and nothing is warm.
    boa.env.evm.vm.state.lock_changes()
    boa.env.evm.reset_access_counters()
    getattr(contract, method)(*arguments, sender=sender)
    computation = contract._computation
    data = bytes(computation.msg.data)
    tokens = sum(4 if byte else 1 for byte in data)
    ran = 4 * tokens + computation.get_gas_used()
    ran -= min(computation.get_gas_refund(), (21_000 + ran) // 5)
    return 21_000 + int(max(ran, 10 * tokens))


def costs() -> Iterator[Cost]:
    """All that we keep an eye on, in the order of the document."""
    from tests.chain import gas_of_court, gas_of_tokens  # which measure by this file

    for scenario in (*gas_of_tokens.SCENARIOS, *gas_of_court.SCENARIOS):
        with boa.swap_env(_fresh()):
            # A time in the calldata (a deadline) costs by its bytes that are not zero.
            boa.env.evm.patch.timestamp = 1_800_000_000
            yield from scenario()


def _fresh() -> boa.Env:
    """Whoever deploys has the same address each time: it is drawn from what all chains of a process share, contracts' addresses follow
    from it, and signatures from these, which cost by their bytes that are not zero."""
    env = boa.Env()
    env.set_random_seed(0)
    env.eoa = env.generate_address("eoa")
    return env


def table() -> str:
    rows = [f"| `{each.contract}` | {each.call} | {each.gas:,} |" for each in costs()]
    return "\n".join(["| contract | call | gas |", "|---|---|---|", *rows]) + "\n"


def main() -> int:
    text = DOCUMENT.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    made = text[:start] + table() + text[end:]
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(made)
        return 0
    if made != text:
        print("gas differs from docs/gas.md: look at why, then python -m tests.chain.gas --write")
    return int(made != text)


if __name__ == "__main__":
    sys.exit(main())
