"""Whatever is played and whenever it is settled, epochs allot the pots that they settle and take nothing back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import payouts
from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents.form import encode
from chain.documents.result import Fees, Payout, ResultDocument, ResultSeat
from server.settlement.reckoning import Settled, WrongResult, claimable, fit, reckon, shares

CHAIN_ID, ESCROW = 31_337, "0x" + "E5" * 20
TREASURY = "0x" + "77" * 20
WALLETS = tuple("0x" + f"{number:02X}" * 20 for number in range(1, 7))
CID = "b" + "a" * 58

replace = msgspec.structs.replace


def settled_of(session: str, entry: int, owners: tuple[str, ...], ranks: list[int]) -> Settled:
    """By the table, as `settle` does."""
    split = payouts.split([entry] * len(owners), ranks)
    seats = [
        ResultSeat(seat, f"AGENT{seat}", f"agent-{seat}@v1", owner, "00" * 32)
        for seat, owner in enumerate(owners)
    ]
    result = ResultDocument(
        session=session,
        transcript=CID,
        space="bid-tac-toe",
        tier_micros=entry,
        seats=seats,
        verdict=None,
        ranks=ranks,
        status="settled",
        reason=None,
        payouts_micros=[
            Payout(f"usdc:agent:{seat.agent}", amount)
            for seat, amount in zip(seats, split.payouts, strict=True)
            if amount
        ],
        fees_micros=Fees(split.fees.protocol, split.fees.judges, split.fees.operators),
        ratings=[],
    )
    return Settled(session, entry, owners, result)


def ranks_of(scores: list[int]) -> list[int]:
    return [1 + sum(other > mine for other in scores) for mine in scores]


@st.composite
def plays(draw: st.DrawFn) -> list[Settled]:
    """Some sessions of wallets that meet again, sometimes with themselves."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        owners = tuple(draw(st.lists(st.sampled_from(WALLETS), min_size=2, max_size=5)))
        scores = draw(st.lists(st.integers(0, 3), min_size=len(owners), max_size=len(owners)))
        entry = draw(st.integers(1, 25_000_000))
        found.append(settled_of(f"01JD{number:022}", entry, owners, ranks_of(scores)))
    return found


@given(plays(), st.data())
def test_epochs_allot_what_they_settle_and_never_less_than_before(
    played: list[Settled], data: st.DataObject
) -> None:
    waiting, pots, number = list(played), 0, 0
    before: dict[str, int] = {}
    seen: set[str] = set()
    while waiting:
        count = data.draw(st.integers(1, len(waiting)))
        chosen = data.draw(st.permutations(waiting))[:count]
        number += 1
        made = reckon(
            number=number,
            chain_id=CHAIN_ID,
            escrow=ESCROW,
            treasury=TREASURY,
            before=before,
            settled=chosen,
            now_ms=number,
        )
        pots += sum(each.entry_micros * len(each.owners) for each in chosen)
        after = dict(made.payouts.accounts)
        assert sum(after.values()) == made.epoch.payouts.total_micros == pots
        assert all(after.get(wallet, 0) >= micros for wallet, micros in before.items())
        sessions = [each.session for each in made.epoch.results]
        assert sessions == sorted(each.session for each in chosen)
        assert not seen & set(sessions)
        seen |= set(sessions)
        assert epochs.read(encode(made.epoch)) == made.epoch, "what strangers read"
        assert payout_documents.read(encode(made.payouts))[1].root.hex() == made.epoch.payouts.root
        before = after
        waiting = [each for each in waiting if each not in chosen]
    assert seen == {each.session for each in played}


@given(plays())
def test_the_order_in_which_sessions_come_changes_nothing(played: list[Settled]) -> None:
    common = {
        "number": 1, "chain_id": CHAIN_ID, "escrow": ESCROW, "treasury": TREASURY, "before": {},
        "now_ms": 1,
    }  # fmt: skip
    forwards = reckon(settled=played, **common)  # type: ignore[arg-type]
    backwards = reckon(settled=played[::-1], **common)  # type: ignore[arg-type]
    assert forwards == backwards


def test_a_winner_and_the_treasury_share_the_pot() -> None:
    settled = settled_of("S", 500_000, WALLETS[:2], [1, 2])
    assert shares(settled, TREASURY) == {WALLETS[0].lower(): 950_000, TREASURY: 50_000}


def test_who_plays_for_the_treasury_gets_both() -> None:
    settled = settled_of("S", 500_000, (TREASURY, WALLETS[1]), [1, 2])
    assert shares(settled, TREASURY) == {TREASURY: 1_000_000}


def test_a_full_tie_gives_every_entry_back_by_the_tree() -> None:
    settled = settled_of("S", 500_000, WALLETS[:2], [1, 1])
    assert shares(settled, TREASURY) == {each.lower(): 500_000 for each in WALLETS[:2]}


GOOD = settled_of("S", 500_000, WALLETS[:2], [1, 2])


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GOOD, entry_micros=500_001),
        replace(GOOD, owners=WALLETS[1::-1]),
        replace(GOOD, owners=WALLETS[:3]),
        replace(GOOD, session="T"),
        replace(GOOD, result=replace(GOOD.result, status="void", reason="it was")),
        replace(
            GOOD, result=replace(GOOD.result, payouts_micros=[Payout("usdc:agent:EVE", 950_000)])
        ),
    ],
)
def test_a_result_that_does_not_pay_out_the_pot_settles_nothing(wrong: Settled) -> None:
    with pytest.raises(WrongResult):
        shares(wrong, TREASURY)
    other = settled_of("U", 100_000, WALLETS[:2], [2, 1])
    good, told = fit([wrong, other], TREASURY)
    assert good == [other]
    assert len(told) == 1


def test_no_session_is_settled_twice_by_one_epoch() -> None:
    with pytest.raises(ValueError, match="each once"):
        reckon(
            number=1,
            chain_id=CHAIN_ID,
            escrow=ESCROW,
            treasury=TREASURY,
            before={},
            settled=[GOOD, GOOD],
            now_ms=1,
        )


def test_dust_waits_for_more() -> None:
    assert claimable({"a": 10, "b": 9, "c": 30}, {"c": 21}, 10) == ["a"]
