"""A court for tests: judges with keys, and a chain of which nothing is real but what is hashed and signed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.content.cid import Cid, of
from chain.court import commitment, seed
from chain.court.commitment import Court
from chain.court.filing import Batch, Filing
from chain.court.messages import Commit, Reveal, sign
from chain.court.snapshot import Snapshot, Staked
from chain.ethereum import Account, LocalAccount
from judges.case import Case as Question
from judges.court.terms import MIN_STAKE
from server.config import Config
from server.court.case import Case
from server.court.seam import Filed, Forced, Pool
from server.protocol import CommitMessage, RevealMessage

COURT = Court(31_337, "0x" + "c0" * 20)
CONFIG = Config(
    data_dir="unused",
    court_commit_s=100,
    court_reveal_s=50,
    court_appeal_s=0,
    court_patience_s=1_000,
)
BATTLE = 2
LINES = 4
FAMILIES = ("model:leaning", "model:scores", "sound", "words", "topic", "blend", "ear", "eye")


def accounts(count: int) -> list[LocalAccount]:
    return [Account.from_key((1_000 + at).to_bytes(32, "big")) for at in range(count)]


def family_id(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


class FakeChain:
    """`server.court.seam.Chain`: what is filed is final at the next tick."""

    def __init__(self, judges: Sequence[LocalAccount], stake: int = MIN_STAKE) -> None:
        self.now_ms = 1_000_000
        self.judges = list(judges)
        self.stake = stake
        self.batches: list[list[Filing]] = []
        self.on_chain: dict[bytes, list[Forced]] = {}
        self.away = False
        self.losing = False
        self.seeding = True
        self.contested = False
        """Somebody has put a hearing on the chain, in a block that is not read yet."""

    async def appeal_s(self) -> int:
        return 30

    async def newest(self) -> Pool | None:
        self._look()
        return await self.pool(7) if self.judges else None

    async def pool(self, snapshot: int) -> Pool:
        self._look()
        rows = tuple(
            Staked(each.address, each.address, family_id(FAMILIES[at % len(FAMILIES)]), self.stake)
            for at, each in enumerate(self.judges)
        )
        return Pool(Snapshot(snapshot, rows), {family_id(name): name for name in FAMILIES})

    async def file(self, filings: Sequence[Filing]) -> None:
        self._look()
        known = {(each.case, each.hearing) for batch in self.batches for each in batch}
        new = [each for each in filings if (each.case, each.hearing) not in known]
        if new:
            self.batches.append(new)

    async def filed(self, case: bytes, hearing: int) -> Filed | None:
        self._look()
        for number, batch in enumerate(self.batches):
            for index, each in enumerate(batch):
                if (each.case, each.hearing) == (case, hearing):
                    proof = tuple(Batch(batch).proof(index))
                    if self.losing:
                        self.losing = False
                        del self.batches[number]
                        return Filed(number, index, proof, self.now_ms, None, lost=True)
                    drawn = seed.seed_of(bytes([number]) * 32, number) if self.seeding else None
                    return Filed(number, index, proof, self.now_ms, drawn)
        return None

    async def forced(self, case: bytes) -> Sequence[Forced]:
        self._look()
        return self.on_chain.get(case, [])

    async def uncontested(self, case: bytes, hearings: Sequence[int], since_ms: int) -> bool:
        self._look()
        return not self.contested

    def _look(self) -> None:
        if self.away:
            raise OSError("the node is away")


class Shelf:
    """A content store that keeps everything."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.away = False

    async def keep(self, document: bytes) -> Cid:
        if self.away:
            raise OSError("the shelf is away")
        self.kept.append(document)
        return of(document)


class Mind:
    """A judge that finds what it is told to."""

    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        self.ordinal = 0

    @property
    def address(self) -> str:
        return self.account.address

    def commit(self, case: Case, sheet: Sequence[int], ordinal: int | None = None) -> CommitMessage:
        if ordinal is None:
            ordinal, self.ordinal = self.ordinal, self.ordinal + 1
        held = case.last
        bound = commitment.commitment(
            COURT, case.id, held.hearing, self.address, self._hash(sheet), self._salt(case)
        )
        said = Commit(case.id, held.hearing, bound, ordinal)
        return CommitMessage(
            held.hearing, "0x" + bound.hex(), ordinal, sign(self.account, COURT, said)
        )

    def reveal(self, case: Case, sheet: Sequence[int]) -> RevealMessage:
        held, salt = case.last, self._salt(case)
        said = Reveal(case.id, held.hearing, self._hash(sheet), salt)
        return RevealMessage(
            held.hearing,
            rows(sheet),
            self._reasons(sheet),
            "0x" + salt.hex(),
            sign(self.account, COURT, said),
        )

    def _salt(self, case: Case) -> bytes:
        return bytes([case.last.hearing]) * 31 + bytes([int(self.address[-2:], 16)])

    def _hash(self, sheet: Sequence[int]) -> bytes:
        return commitment.scores_hash(sheet, commitment.reasons_digest(self._reasons(sheet)))

    def _reasons(self, sheet: Sequence[int]) -> list[list[str]]:
        return [[f"{score} by {self.address[:6]}" for score in line] for line in rows(sheet)]


def rows(sheet: Sequence[int]) -> list[list[int]]:
    return [list(sheet[at : at + BATTLE]) for at in range(0, len(sheet), BATTLE)]


def sheet_of(first: int, second: int) -> tuple[int, ...]:
    """The same for every line of a battle."""
    return (first, second) * LINES


def question() -> Question:
    return Question("rap-battle", "time", BATTLE, ())


def at(case: Case, **values: object) -> Case:
    """With other values."""
    return msgspec.structs.replace(case, **values)
