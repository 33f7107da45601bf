"""A brief: form x subject x constraints, drawn from the seed and always satisfiable.

Labels of the streams, part of the rules: `form` and `subject` draw an index; `constraints` draws how many
(MIN_CONSTRAINTS and up); `constraint:<n>`, n = 1, 2, …, draws one of the form's recipes that are left,
and `constraint:<n>:choice` one of its constraints. A constraint that cannot be met together with those before
it (`spaces.writing.plainly`), e.g. in a short limit that the parameters set, is left out.
"""

from __future__ import annotations

import msgspec

from spaces.seed import Streams
from spaces.writing.constraints import Constraint
from spaces.writing.forms import FORMS, Form, FormId
from spaces.writing.plainly import satisfiable
from spaces.writing.subjects import SUBJECTS

MIN_CONSTRAINTS = 2
MAX_CONSTRAINTS = 4
"""Of a drawn brief."""


class Brief(msgspec.Struct, frozen=True):
    form: FormId
    subject: str
    constraints: tuple[Constraint, ...]
    char_limit: int

    @property
    def task(self) -> str:
        """E.g. `Write a poem about the last bakery on the street`; one line."""
        return f"Write {form_of(self.form).noun} about {self.subject}"


def form_of(form: FormId) -> Form:
    return next(each for each in FORMS if each.id == form)


def draw(
    streams: Streams,
    form_id: FormId | None = None,
    subject: str | None = None,
    constraints: tuple[Constraint, ...] | None = None,
    char_limit: int | None = None,
) -> Brief:
    """What is given stands; the rest is drawn. `constraints` that are given are not checked here."""
    form = FORMS[streams.below("form", len(FORMS))] if form_id is None else form_of(form_id)
    limit = form.char_limit if char_limit is None else char_limit
    return Brief(
        form=form.id,
        subject=SUBJECTS[streams.below("subject", len(SUBJECTS))] if subject is None else subject,
        constraints=_draw(form, limit, streams) if constraints is None else constraints,
        char_limit=limit,
    )


def _draw(form: Form, char_limit: int, streams: Streams) -> tuple[Constraint, ...]:
    count = MIN_CONSTRAINTS + streams.below("constraints", MAX_CONSTRAINTS - MIN_CONSTRAINTS + 1)
    left = list(form.recipes)
    chosen: tuple[Constraint, ...] = ()
    for number in range(1, len(form.recipes) + 1):
        if len(chosen) == count:
            break
        recipe = left.pop(streams.below(f"constraint:{number}", len(left)))
        choices = [each for each in recipe if each not in chosen]
        choice = choices[streams.below(f"constraint:{number}:choice", len(choices))]
        if satisfiable((*chosen, choice), char_limit):
            chosen = (*chosen, choice)
    return chosen
