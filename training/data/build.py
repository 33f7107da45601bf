"""A data set from transcripts: the same transcripts, recipe, prompt and tokenizer give the same one. Pure.

The order of the transcripts changes nothing, nor does one that is given twice. Whoever has the card, the
transcripts that it names, their results and the system prompt builds the set again and compares digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from chain.content import cid
from chain.documents import form as forms
from spaces import transcript
from training.chat import Tokenizer, tokenizer_sha256
from training.data.card import AnyExample, digest, token_counts
from training.data.groups import GroupsOptions, groups
from training.data.labelled import LabelledOptions, labelled
from training.data.pairs import PairsOptions, pairs
from training.data.split import HeldOut, Known, split
from training.data.winners import WinnersOptions, winners
from training.documents.data import MAX_BYTES, MAX_SESSIONS, DataCard, DataRecipe
from training.trajectory.returns import Verdict
from training.trajectory.turn import PlainQuestions, Questions, SeatRecord
from training.trajectory.unroll import unroll


class DataError(ValueError):
    """The data set cannot be made as the recipe says; the message names what does not fit."""


_Form = Callable[..., tuple[Sequence[AnyExample], Mapping[str, int]]]
_FORMS: dict[str, tuple[type[Any], _Form]] = {
    "winners": (WinnersOptions, winners),
    "pairs": (PairsOptions, pairs),
    "labelled": (LabelledOptions, labelled),
    "groups": (GroupsOptions, groups),
}
"""Form -> the Struct of its options, and what makes its examples of the seats' records."""


def recipe_for(
    form: str,
    space: str,
    system: str,
    tokenizer: Tokenizer,
    *,
    questions: Questions | None = None,
    most: int = 0,
    seed: int = 0,
    **options: Any,
) -> DataRecipe:
    """The recipe with its hashes and with every option said. Raises DataError for an unknown one."""
    known = _FORMS.get(form)
    if known is None:
        raise DataError(f"no form {form!r}; there are {', '.join(_FORMS)}")
    return DataRecipe(
        form=form,  # type: ignore[arg-type]
        space=space,
        system_sha256=sha256_of(system),
        questions=(questions or PlainQuestions()).name,
        tokenizer_sha256=tokenizer_sha256(tokenizer),
        most=most,
        seed=seed,
        options=_told(_options(form, options)),
    )


def build(
    transcripts: Iterable[bytes],
    recipe: DataRecipe,
    tokenizer: Tokenizer,
    system: str,
    *,
    questions: Questions | None = None,
    players: Mapping[str, Sequence[str]] | None = None,
    verdicts: Mapping[str, Verdict] | None = None,
    results: Mapping[str, str] | None = None,
    held_out: HeldOut | None = None,
) -> tuple[tuple[AnyExample, ...], DataCard]:
    """The examples, in the order in which they are to be learnt, and their card.

    `players` (versions by seat), `verdicts`, and the `results` that told of them are by the transcript's
    CID; sessions that judges decide teach nothing without a verdict. Raises DataError where prompt, questions,
    tokenizer or a transcript's Space is not the recipe's, and for more sessions than a card can name;
    TranscriptError for a transcript that does not hold; ValueError for players or a verdict of another number
    of seats.
    """
    asking, held = questions or PlainQuestions(), held_out or HeldOut()
    _check(recipe, tokenizer, system, asking)
    told = _told(_options(recipe.form, recipe.options))
    recipe = msgspec.structs.replace(recipe, options=told)
    documents = {str(cid.of(each)): each for each in transcripts}
    known = [
        _known(session, document, recipe, players or {})
        for session, document in sorted(documents.items())
    ]
    learnt, kept_out = split(known, held)
    if len(learnt) > MAX_SESSIONS:
        raise DataError(f"{len(learnt)} sessions, a data card names at most {MAX_SESSIONS}")
    unrolled = [
        unroll(
            documents[each.session],
            system,
            asking,
            players=each.players,
            verdict=(verdicts or {}).get(each.session),
        )
        for each in learnt
    ]
    records = [record for seats in unrolled for record in seats]
    examples, counts = examples_of(records, recipe, tokenizer)
    card = DataCard(
        recipe=recipe,
        sessions=[each.session for each in learnt],
        results={
            each.session: results[each.session]
            for each in learnt
            if results and each.session in results
        },
        counts={
            "sessions": len(learnt),
            "undecided": sum(not seats for seats in unrolled),
            **_counts(records, examples),
            **counts,
        },
        held_out={
            "players": sorted(held.players),
            "seeds": sorted(held.seeds),
            "sessions": sorted({*held.sessions, *(each.session for each in kept_out)}),
        },
        digest=digest(examples),
    )
    if (size := len(forms.encode(card))) > MAX_BYTES:
        raise DataError(f"the card takes {size} bytes of {MAX_BYTES}: learn from fewer sessions")
    return tuple(examples), card


def examples_of(
    records: Iterable[SeatRecord], recipe: DataRecipe, tokenizer: Tokenizer
) -> tuple[Sequence[AnyExample], Mapping[str, int]]:
    """The examples of seats' records, and the form's counts: also of matches that were played in process, which
    keep the words of refused answers, and have no content ids to make a card of. Raises DataError."""
    options, make = _options(recipe.form, recipe.options), _FORMS[recipe.form][1]
    return make(records, tokenizer, options, seed=recipe.seed, most=recipe.most)


def _known(
    session: str, document: bytes, recipe: DataRecipe, players: Mapping[str, Sequence[str]]
) -> Known:
    told = transcript.read(document)
    if told.space != recipe.space:
        raise DataError(f"{session} is of {told.space}, the recipe of {recipe.space}")
    return Known(session, told.seed, tuple(players.get(session, ())))


def _counts(records: Sequence[SeatRecord], examples: Sequence[AnyExample]) -> dict[str, int]:
    turns = [turn for record in records for turn in record.turns]
    tokens, loss_tokens = token_counts(examples)
    return {
        "seats": len(records),
        "turns": len(turns),
        "legal": sum(turn.legal for turn in turns),
        "examples": len(examples),
        "tokens": tokens,
        "loss_tokens": loss_tokens,
    }


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _options(form: str, given: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(dict(given), _FORMS[form][0])
    except msgspec.ValidationError as error:
        raise DataError(f"options of {form}: {error}") from None


def _told(options: Any) -> dict[str, Any]:
    """Every option, as JSON has it."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(options))
    return told


def _check(recipe: DataRecipe, tokenizer: Tokenizer, system: str, questions: Questions) -> None:
    if recipe.system_sha256 != sha256_of(system):
        raise DataError(
            f"the recipe's system prompt is another one: its SHA-256 is {recipe.system_sha256}"
        )
    if recipe.questions != questions.name:
        raise DataError(f"the recipe's questions are {recipe.questions!r}, not {questions.name!r}")
    if recipe.tokenizer_sha256 != tokenizer_sha256(tokenizer):
        raise DataError(
            f"the recipe's tokenizer is another one: its SHA-256 is {recipe.tokenizer_sha256}"
        )
