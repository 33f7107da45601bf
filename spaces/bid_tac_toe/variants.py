"""The variants of Bid Tac Toe, as data.

Payment decides where a bid goes:

- `all-pay`: both seats lose their bid, whoever wins.
- `richman`: the winner pays its bid to the loser (Lazarus et al., "Richman games", 1996).
- `poorman`: the winner pays its bid to the bank, the loser keeps its own.

Ties decide who wins when both bid the same:

- `coin`: the committed seed's coin `coin:<ply>` names the winning seat; both have bid, so both are
  charged as if it had been the higher bid.
- `advantage-chip`: one seat holds a chip, drawn by the seed's coin `advantage` and public from the
  start. The holder wins the tie and must pass the chip to the other seat. In Develin & Payne,
  "Discrete bidding games" (2010), section 2.3, the holder may decline; section 3.2 shows that using
  the chip is never worse than declining, so here it is used always and needs no decision.
- `rebid`: a tie costs nothing and both bid again. After `MAX_REBIDS` ties in a row over the same ply
  the next tie is decided (and paid) as under `coin`, so every session ends.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_REBIDS = 3
"""Free ties over one ply. Two seats that keep bidding alike would otherwise never stop."""

Payment = Literal["all-pay", "richman", "poorman"]
Ties = Literal["coin", "advantage-chip", "rebid"]
FullBoard = Literal["money", "draw"]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payment: Payment = "all-pay"
    ties: Ties = "coin"
    chips: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """What each seat starts with."""
    decided_by: FullBoard = "money"
    """Who wins a full board without a line: the seat with more chips left, or nobody."""

    @property
    def bankrupts(self) -> bool:
        """Whether a seat without chips has lost.

        Only where chips leave the game: a seat that is broke in `all-pay` or `poorman` can never bid
        again. In `richman` the chips only change hands, and a broke seat is paid by the next winner.
        """
        return self.payment != "richman"
