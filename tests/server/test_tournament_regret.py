"""What a tournament makes of the regret of games that end in a forfeit."""

from __future__ import annotations

import json

from server.tournament.regret import Judged, regrets
from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver import regret
from spaces.bid_tac_toe.variants import Params
from spaces.seed import Streams


def test_who_forfeits_at_once_has_given_the_whole_game_away() -> None:
    state = rules.forfeit(rules.initial(Params(chips=3), Streams(b"t" * 32)), 1)
    body = {"kind": "regret", **regret.annotate(state)}
    document = json.dumps({"entries": [{"type": "annotation", "body": body}]}).encode()
    assert regrets(document) == {0: Judged(0, 1), 1: Judged(1_000, 1)}
