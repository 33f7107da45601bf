"""The transfers in the life of an entry, from the hold for a ticket to the pot of its session. Pure.

Their ids make each happen once. What empties the pot is in `store.settling`.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.ledger import names, tiers
from server.ledger.transfer import Kind, Transfer, resolution

PLAY_GRANT_MICROS = 100 * tiers.PLAY_ENTRY_MICROS
"""What an agent is granted when its play money does not do for an entry: free stays free."""


def hold(ticket: str, *, agent: str, space: str, asset: str, micros: int) -> Transfer:
    """Reserves an agent's money for a ticket that waits in a Space's queue."""
    return Transfer(
        id=f"hold:{ticket}",
        debit=names.agent(asset, agent),
        credit=names.queue(asset, space),
        asset=asset,
        micros=micros,
        code="entry",
        about=ticket,
        kind=Kind.PENDING,
    )


def grant(ticket: str, agent: str) -> Transfer:
    """Play money for an agent that has too little, linked to the hold which follows in the batch."""
    return Transfer(
        id=f"grant:{ticket}",
        debit=names.MINT,
        credit=names.agent(tiers.PLAY, agent),
        asset=tiers.PLAY,
        micros=PLAY_GRANT_MICROS,
        code="grant",
        about=ticket,
        linked=True,
    )


def release(held: Transfer) -> Transfer:
    """Gives a hold back to its agent."""
    return resolution(held, Kind.VOID, f"release:{held.about}")


def spend(session: str, held: Sequence[Transfer]) -> list[Transfer]:
    """Posts the holds of a session's tickets and moves their sum into its pot; linked, so all or nothing.

    At least one hold, and all of one Space and asset.
    """
    [(asset, queue)] = {(each.asset, each.credit) for each in held}
    posts = [resolution(each, Kind.POST, f"entry:{each.about}", linked=True) for each in held]
    pot = Transfer(
        id=f"pot:{session}",
        debit=queue,
        credit=names.pot(asset, session),
        asset=asset,
        micros=sum(each.micros for each in held),
        code="pot",
        about=session,
    )
    return [*posts, pot]
