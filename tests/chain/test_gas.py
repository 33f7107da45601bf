"""The gas snapshot: a call that costs more or less than docs/gas.md says is looked at before it is merged."""

from __future__ import annotations

from tests.chain.gas import DOCUMENT, table


def test_calls_cost_what_the_document_says() -> None:
    made = table()
    assert made in DOCUMENT.read_text(), (
        f"look at why, then python -m tests.chain.gas --write\n{made}"
    )
