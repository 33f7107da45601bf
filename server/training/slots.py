"""Which devices of this machine are free for a training. Pure."""

from __future__ import annotations

from collections import deque

import msgspec

CPU = "cpu"
CUDA = "cuda"


class Slot(msgspec.Struct, frozen=True):
    """One device, for one training at a time."""

    kind: str
    """`cpu` or `cuda`: a training that began on one goes on on the same, since the other reckons otherwise."""
    number: int

    @property
    def device(self) -> str:
        """As torch calls it."""
        return CPU if self.kind == CPU else f"{CUDA}:{self.number}"


class Slots:
    """Taken and given back within one event loop."""

    def __init__(self, *, cpu: int, gpu: int) -> None:
        self._free = {
            CUDA: deque(Slot(CUDA, number) for number in range(gpu)),
            CPU: deque(Slot(CPU, number) for number in range(cpu)),
        }
        self.count = cpu + gpu
        self.kinds = tuple(kind for kind, number in ((CUDA, gpu), (CPU, cpu)) if number)
        """What there is of, free or not."""

    def take(self, kind: str | None) -> Slot | None:
        """A free one of that kind, of any for None, a GPU first; None when there is none."""
        for each in (CUDA, CPU) if kind is None else (kind,):
            if free := self._free.get(each):
                return free.popleft()
        return None

    def give(self, slot: Slot) -> None:
        """Back; it must have been taken."""
        assert slot not in self._free[slot.kind], "given back twice"
        self._free[slot.kind].append(slot)
