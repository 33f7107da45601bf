"""The points of a brief that a program has checked: told to every judge, so every family goes by them. Pure."""

from __future__ import annotations

from judges.led.mark import Mark, Work


def checked(work: Work) -> Mark:
    """Half of the grade is what any text on the brief has; without a checked point there is nothing to miss."""
    missed = work.case.missed(work.seat)
    count = len(work.case.checks)
    if not count:
        return Mark(0.5, "the brief has no point that a program checks")
    met = count - len(missed)
    says = f"{met} of {count} checked points met"
    return Mark(
        0.25 + 0.5 * met / count, f"{says}; the text misses: {missed[0]}" if missed else says
    )
