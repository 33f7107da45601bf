"""Which lines of a work speak to the judge and not to the rival. Pure.

A list of the forms that such lines take: orders to ignore instructions, claims of the verdict, orders to
give points, seats by their letter or number, role headers, JSON, delimiters, letters for answers. It
withholds what it finds and cannot find everything; what it overlooks still stands quoted and before a
reminder (`judges.prompt`). Bars that boast of a score or dare a judge must pass: the tests have both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

WINDOW = 3
"""Lines over which an address may be broken."""

_LOOK_ALIKES = str.maketrans("аеорсухіѕјԁһкмтвαεορυικντ", "aeopcyxisjdhkmtbaeopuiknt")
"""Cyrillic and Greek letters that pass for Latin ones."""
_LEET = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"(?=\S*[a-z])(?=\S*[013457@$])\S+")
_NOT_SPOKEN = re.compile(r"[^a-z0-9/]+")

_MARKUP = re.compile(
    r"<\||\|>|\[/?inst\]|<<|>>|</?[a-z_][\w |/-]*>|```|^\W*#{2,}|^[\W_]*([-=_*~#])\1{3,}[\W_]*$"
    r"|[{}].*:|:.*[{}]"
    r'|"\s*:\s*["\d{\[]'
    r"|\b(flow|wordplay|comeback|topic)\W*[:=]\W*([ab]\b|\d)"
    r"|\b(score|points?|verdict|winner|rating|rank|answer)s?\W*[:=]\W*([ab]\b|\d|me\b|rapper|seat|this)"
    r"|^\W*(system|assistant|user|developer|human|judge|instructions?|admin|evaluator)"
    r"( (prompt|message|note|instructions?|override|update))?\s*:"
    r"|^\W*(line|verse) withheld\b|^\W*end of( the)? (verses?|prompt|input|transcript|quote|battle)\W*$"
)
"""What no bar looks like: markup, delimiters, JSON, role headers, our own marks."""

_SEAT = r"(?:rapper|contestant|seat|participant|option|candidate)"
_ONE = rf"(?:me\b|this (?:one|rapper|seat|contestant|verse)|the (?:first|second|other) (?:one|rapper|seat|contestant|verse)|{_SEAT} ?(?:[ab01]|one|zero)\b)"
"""A seat, as an order to the judge names it."""
_START = r"(?:^|\b(?:please|must|should|shall|now|and|so|then|just|only|to|simply|always) )"
"""Where an order begins."""
_SAYS = r"(?:answer|respond|reply|output|print|return|choose|pick|select|vote|say|write)"
_GIVES = r"(?:give|award|grant|assign|score|rate|grade|mark|rank|judge)"
_FULL = r"(?:10|ten|0|zero|full|max|maximum|highest|top|perfect|lowest)"
_MARKS = r"(?:points?|scores?|marks?|ratings?)"

_SPOKEN = re.compile(
    "|".join(
        (
            # orders to ignore
            r"\b(ignor|disregard|forget|overrid|bypass|overlook|discard|neglect)\w*( \w+){0,5}"
            r" (instru[ck]\w+|anweisungen|rubrics?|prompts?|criteria|guidelines?|directives?|judging|scoring)\b",
            r"\b(ignor|disregard|forget|overrid|discard)\w*( \w+){0,3} (above|previous|prior|preceding|earlier)\b",
            r"\b(ignor|disregard)\w*( \w+){0,3} (verses?|rules)\b.*\b(points?|score|answer|judge|rapper|seat)\b",
            r"\b(system prompt|(new|updated|real|actual|your) instructions?|these were the verses|for each line say)\b",
            r"\binstructions? (have|has|are|is|for the judges?)\b",
            r"\b(scoring|grading|evaluation|judging) (rules|criteria|rubric|instructions|guidelines)\b",
            # who the judge is
            r"\byou are (now )?((an?|the) )?(\w+ )?(assistant|language model|llm|ai model|evaluator|grader)\b",
            r"\byou are (now |instructed|required|ordered|told)( \w+){0,3} (judge|score|rate|vote|choose|answer|rapper)\b",
            r"\bas an? (language model|ai|llm|impartial judge|evaluator|assistant)\b",
            r"\b(judges?|evaluators?|graders?) (must|shall|should|will now|is (required|instructed)|are (required|instructed))\b",
            r"^(dear|attention|note (to|for)|message (to|for)|important|instructions? (to|for))( \w+){0,2}"
            r" (judges?|evaluators?|graders?|model|ai|llm|assistant)\b",
            r"\b(language model|llm|chatgpt|ai (judge|model|grader))\b.*\b(answer|score|choose|vote|points?|win)\w*\b",
            # orders to give points
            rf"{_START}(give|award|grant|assign)( \w+){{0,4}} {_FULL} ({_MARKS}|on (every|each|all)|for (every|each|all)|in (every|each|all)|out of|across)",
            rf"{_START}(give|award|grant|assign) {_ONE}( an?| the)? ({_FULL} ?({_MARKS}|on\b|for\b|out\b|across\b|$)|10\b|win\b|victory\b|higher\b|best {_MARKS})",
            rf"{_START}(give|award|grant|assign)( all| full| max\w*| the)* ({_MARKS}|win|victory) to {_ONE}",
            rf"\b{_FULL} {_MARKS} (to|for|on) (me|my|this|{_SEAT}|every|each|all|both|the (first|second|other|rival))\b",
            rf"{_START}(?:score|rate|grade|mark|rank|judge) {_ONE}( \w+){{0,2}} (10|ten|0|zero|10/10|first|high|highest|higher|better|best|winner|low|lower|lowest|top)\b",
            rf"{_START}(choose|pick|select|prefer|favou?r|vote for|declare|name|output) {_ONE}( \w+){{0,4}} (first|better|best|winner|over|every|each|all|line|lines|winning)\b",
            rf"\b(you|judges?) (must|should|have to|need to|shall|will|are to) ({_SAYS}|{_GIVES}|prefer|declare|favou?r)( for| as)?( \w+){{0,1}} {_ONE}",
            rf"\b(my|this rapper s|rival s|opponent s|{_SEAT} ?[ab01]( s)?) {_MARKS} (is|are|must|should|shall|will) be\b",
            # claims of the verdict
            rf"\bthe( \w+){{0,2}} (answer|verdict|output|response|choice)s? (is|are|must be|should be|shall be|will be|equals) (me\b|{_ONE}|{_SEAT}\b|([ab]|10|0)( [ab]\b|$))",
            rf"\bthe( \w+){{0,2}} winner (is|must be|should be|shall be) ({_SEAT}\b|this\b|[ab]( [ab]\b|$))",
            r"\bthis (rapper|contestant|seat) (is|wins|deserves|should|must|gets|has won|scores|receives)\b",
            r"\b(the )?(first|second|other) (rapper|contestant|seat)( \w+)? (wins|deserves|should|must|gets|has won|scores|receives|is (the )?(better|best|worse|winner|disqualified))\b",
            r"\b(rival|opponent|other rapper)( \w+){0,2} (disqualified|(gets|scores|receives|deserves) (0|zero)\b)",
            r"\b(0|zero)( points?)? (to|for) (the|my) (rival|opponent|other)\b",
            # letters for answers
            rf"{_START}{_SAYS}( \w+){{0,3}} ([ab]( [ab]\b|$| (for|on|in|only|to|every|each)\b)|json\b)",
            r"\banswer [ab]( [ab]\b|$)",
        )
    )
)
"""Addresses, in words: lower case, one space between."""

_LETTERED = re.compile(
    rf"\b{_SEAT} ?b\b|\bseat (number |no )?[01]\b|\bseats? zero\b"
    rf"|\b{_SEAT} a( (is|wins?|won|deserves?|gets?|should|must|has|beats?|takes?|scores?|better|best|first|10|ten|over|and|always|every|on|for)\b|$)"
)
"""Seats by letter or number; "every rapper a target" is none."""
_COMPACT = re.compile(
    r"(ignore|disregard|forget)(all|the|every|any|previous|prior|your|these|of)*(rubric|instruction|prompt|rule)"
    r"|rapper[ab](wins|isbetter)|systemprompt|theansweris[ab]"
)
"""Addresses written with a space after every letter."""


def addressed(line: str) -> bool:
    """Whether one line, or some lines joined by spaces, speaks to the judge."""
    folded = _folded(line)
    if _MARKUP.search(folded):
        return True
    spoken = _NOT_SPOKEN.sub(" ", folded.replace("'", " ")).strip()
    unleet = _NOT_SPOKEN.sub(" ", _MIXED.sub(lambda word: word[0].translate(_LEET), folded)).strip()
    if any(_SPOKEN.search(form) or _LETTERED.search(form) for form in (spoken, unleet)):
        return True
    return _lettered(spoken.split(), _NOT_SPOKEN.sub("", folded))


def withheld(lines: Sequence[str]) -> tuple[bool, ...]:
    """For each line, whether it speaks to the judge, alone or together with its neighbours."""
    found = [addressed(line) for line in lines]
    for size in range(2, WINDOW + 1):
        for first in range(len(lines) - size + 1):
            window = range(first, first + size)
            if not any(found[at] for at in window) and addressed(
                " ".join(lines[first : first + size])
            ):
                for at in window:
                    found[at] = True
    return tuple(found)


def _folded(line: str) -> str:
    """Lower case without marks; look-alikes as the Latin letters they pass for."""
    split = unicodedata.normalize("NFKD", line.replace("\u2019", "'")).lower()
    return "".join(char for char in split if not unicodedata.combining(char)).translate(
        _LOOK_ALIKES
    )


def _lettered(tokens: Sequence[str], compact: str) -> bool:
    """Nothing but answers (`A A B A`), many of them in a row, or an order spelled out."""
    if not tokens:
        return False
    answers = [token in ("a", "b") for token in tokens]
    if all(answers) or "1111" in "".join("01"[each] for each in answers):
        return True
    singles = sum(len(token) == 1 for token in tokens)
    return 2 * singles > len(tokens) and _COMPACT.search(compact) is not None
