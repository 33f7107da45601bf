"""The battle of the recording before a court: five judges that are drawn, commit, and reveal together."""

from __future__ import annotations

from typing import Any

import msgspec

from server.protocol import (
    BenchSeat,
    CaseView,
    CourtView,
    JudgeHearing,
    JudgeView,
    ServerMessage,
    SessionView,
    SheetView,
    Snapshot,
    Step,
)
from tui_client.docket import JUDGES as JUDGES_PATH
from tui_client.docket import Judges
from tui_client.owner.calls import Answered
from tui_client.recording.battle import VERDICT, rap_view
from tui_client.recording.cast import EPOCH, RAP, START_MS

FAMILIES = ("model:leaning", "sound", "words", "topic", "blend")
JUDGES = tuple(f"0x{at:04x}{'9c5b' * 8}{at * 3 % 65536:04x}" for at in range(0x2A10, 0x2A10 + 6))
LINES = ("flow", "wordplay", "comeback", "topic")
SCORES = (
    (7_500, 7_900, 8_300, 7_400, 6_400, 8_600, 8_600, 7_900),
    (6_900, 8_200, 7_100, 7_000, 6_600, 8_100, 8_000, 7_700),
    (7_700, 7_400, 8_600, 7_600, 6_000, 8_800, 8_700, 8_100),
    (7_200, 7_700, 7_900, 7_300, 5_900, 8_300, 8_500, 8_000),
    (7_400, 8_000, 8_200, 7_500, 6_500, 8_500, 8_200, 7_400),
)
SKILLS = (1_331_250, 1_500_000, 1_339_375, 1_500_000, 1_424_375)
PAYS = (710, 800, 714, 800, 759)
MEDIANS = (7_400, 7_900, 8_200, 7_400, 6_400, 8_500, 8_500, 7_900)
REASONS: dict[str, tuple[tuple[str, str], ...]] = {
    "model:leaning": (
        ("steady four-beat bars", "the triplet run on news, fuse, blues carries the round"),
        ("“pane” and “pain” in one breath", "soil from ash is neat"),
    ),
    "sound": (("rhyme factor 0.41: block, lock", "rhyme factor 0.54: “news … fuse … blues”"),),
    "topic": (
        ("", ""),
        ("", ""),
        ("", "answers “glacier” with “glaciers are shrinking”"),
        ("closest to the topic in “the cold on your neck”", ""),
    ),
}


def _by_line(flat: tuple[int, ...]) -> list[list[int]]:
    return [list(flat[at : at + 2]) for at in range(0, len(flat), 2)]


def _sheet(at: int) -> SheetView:
    told = REASONS.get(FAMILIES[at], ())
    reasons = [list(told[line]) if line < len(told) else ["", ""] for line in range(len(LINES))]
    return SheetView(JUDGES[at], _by_line(SCORES[at]), reasons, SKILLS[at], PAYS[at])


def case(committed: int = 0, revealed: int = 0, **changes: Any) -> CaseView:
    """With the panel drawn, and so many who have committed and revealed."""
    states = [
        "revealed" if at < revealed else "committed" if at < committed else "drawn"
        for at in range(5)
    ]
    bench = [
        BenchSeat(judge, f"0x{at:040x}", family, state)  # type: ignore[arg-type]
        for at, (judge, family, state) in enumerate(zip(JUDGES[:5], FAMILIES, states, strict=True))
    ]
    view = CaseView(
        session=RAP,
        case="5c21" * 16,
        space="rap-battle",
        hearing=0,
        seats=5,
        state="committing" if committed < 5 else "revealing",
        rubric="rap-battle/1",
        lines=list(LINES),
        contestants=2,
        transcript="bafkreieq5jui4j25lacwomsqgjeswwl3y5zcdrresptwgmfylxo2depppq",
        filed_ms=START_MS - 9_000,
        commit_by_ms=START_MS + 41_000,
        reveal_by_ms=START_MS + 71_000,
        fee_micros=4_000,
        lock_frac=str(5 * 10**18),
        batch=12,
        snapshot=3,
        seed="8e1f" * 16,
        panel=bench,
    )
    return msgspec.structs.replace(view, **changes)


def decided(**changes: Any) -> CaseView:
    """All have revealed; the verdict stands."""
    found: dict[str, Any] = {
        "state": "decided",
        "sheets": [_sheet(at) for at in range(5)],
        "medians_milli": _by_line(MEDIANS),
        "totals_milli": [7_625, 7_925],
        "ranks": [2, 1],
        "margin_milli": 300,
        "final": True,
    }
    return case(5, 5, **(found | changes))


def before_the_court(court: CaseView) -> SessionView:
    """The battle is over and judged by the court."""
    over = {"status": "ended", "outcome": {"termination": "complete", "returns": None}}
    verdict = None
    if court.final:
        totals, ranks = list(court.totals_milli), list(court.ranks)
        verdict = msgspec.structs.replace(
            VERDICT, totals_milli=totals, ranks=ranks, judges=list(JUDGES[:5])
        )
    judged = Step("judged", "done" if court.final else "running")
    steps = [Step("sealed", "done"), judged, Step("rated", "waiting")]
    return rap_view(6, **over, decisions=[], verdict=verdict, steps=steps, court=court)


def at_court(court: CaseView) -> ServerMessage:
    return Snapshot(f"session:{RAP}", EPOCH, 17, before_the_court(court))


def docket() -> list[Any]:
    """The court's page: two cases are open, two were decided, six judges stand."""
    filed = case(session="01KOTHER000000000000000014", state="filed", panel=[])
    drawn = decided(session="01KOTHER000000000000000011", hearing=1, margin_milli=1_120)
    view = CourtView(
        [case(committed=3), filed], [decided(session="01KOTHER000000000000000012"), drawn], judges=5
    )
    return [Snapshot("court", EPOCH, 4, view), Answered(f"GET {JUDGES_PATH} #0", Judges(judges()))]


def judges() -> list[JudgeView]:
    found = [
        JudgeView(
            JUDGES[at],
            f"0x{at:040x}",
            (*FAMILIES, "model:scores")[at],
            standing="standing" if at < 5 else "jailed",
            bonded_frac=str((1_000 + 250 * at) * 10**18),
            hearings=40 - 3 * at,
            revealed=40 - 4 * at,
            absent=at,
            mean_skill_ppm=410_000 - 90_000 * at,
            earned_micros=18_400 - 2_300 * at,
        )
        for at in range(6)
    ]
    history = [
        JudgeHearing(
            RAP,
            "rap-battle",
            0,
            "revealed",
            START_MS - 9_000,
            ordinal=39,
            skill_ppm=SKILLS[0],
            pay_micros=PAYS[0],
        ),
        JudgeHearing(
            "01KOTHER000000000000000011",
            "writing",
            1,
            "revealed",
            START_MS - 240_000,
            ordinal=38,
            skill_ppm=-310_000,
            pay_micros=-165,
        ),
        JudgeHearing(
            "01KOTHER000000000000000014",
            "rap-battle",
            0,
            "absent",
            START_MS - 900_000,
            slash_frac=str(10**18),
        ),
    ]
    reliability = {"agreement": "0.83", "interval": "0.74-0.90", "hearings": 36}
    return [msgspec.structs.replace(found[0], history=history, reliability=reliability), *found[1:]]


def judge() -> list[Any]:
    """The page of the first of them."""
    first = judges()[0]
    return [*docket(), Answered(f"GET {JUDGES_PATH}/{first.judge} #0", first)]
