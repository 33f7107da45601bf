"""The forms of lines that speak to the judge, as patterns, in the dialect of each judged Space. Pure.

Orders to ignore instructions, claims of the verdict, orders to give points, contestants by their letter,
role headers, JSON, delimiters, letters for answers. A dialect says how the judge's question names
contestants, works and rubric lines, since an address uses the same names; and what its kind of text may
say that another may not: an explanation has instructions, a listing has headings, a story has seats.

A form is hard where nothing but an address to the judge has it, and soft where honest work of that kind
may have it, too: an advert says "give it full marks", a story has judges and a contestant B. A battle has
hard forms alone.

The forms are English, with a few words of what else was tried on rap judges. An order to the judge in
another language is not found: what defends against it is the quotation, the reminder after it and the
nonce (`judges.prompt`), and a judge that reads other languages may be swayed by it.
"""

from __future__ import annotations

import functools
import re

import msgspec


class Dialect(msgspec.Struct, frozen=True):
    """Alternations of patterns are written `a|b`."""

    who: str
    """What a contestant is called."""
    seat: str
    """The same and its synonyms, as they stand before a letter."""
    work: str
    """What a contestant's work is called."""
    letters: str
    """The letters that contestants are given."""
    lines: str
    """Names of the rubric's lines."""
    ordinals: str
    numbered: str
    """Contestants by number, as no work names them; a pattern that never matches where works do."""
    roles: str
    """Headers that begin a line as a chat does, before a colon."""
    frames: str
    """Headings and rules that no work has."""
    orders: str
    """Speech of instructions that no work has."""
    careful: bool = False
    """Whether work of this kind may have soft forms: they are told apart from the hard ones."""


BATTLE = Dialect(
    who="rapper",
    seat="rapper|contestant|seat|participant|option|candidate",
    work="verse",
    letters="ab",
    lines="flow|wordplay|comeback|topic",
    ordinals="first|second|other",
    numbered=r"\bseat (number |no )?[01]\b|\bseats? zero\b",
    roles="system|assistant|user|developer|human|judge|instructions?|admin|evaluator",
    frames=r"^\W*#{2,}|^[\W_]*([-=_*~#])\1{3,}[\W_]*$",
    orders=(
        r"\b(system prompt|(new|updated|real|actual|your) instructions?|these were the verses|for each line say)\b"
        r"|\binstructions? (have|has|are|is|for the judges?)\b"
    ),
)
PROSE = Dialect(
    who="writer|author",
    seat=r"writer|author|submission|text(?!e\b)",
    work="text|entry|submission",
    letters="abcde",
    lines="brief|craft|freshness|effect",
    ordinals="first|second|third|fourth|fifth|last|other",
    numbered=r"(?!)",
    roles="system|assistant|judge|evaluator",
    frames=r"(?!)",
    orders=(
        r"\b(these were the texts|for each line say)\b|\binstructions? for the judges?\b"
        r"|\b(ignor(e|ing)|disregard(ing)?|forget)( \w+){0,2} briefs?\b"
    ),
    careful=True,
)


class Forms(msgspec.Struct, frozen=True):
    markup: re.Pattern[str]
    """What no work looks like: delimiters, JSON, role headers, our own marks. On folded text."""
    spoken: re.Pattern[str]
    """Addresses, in words: lower case, one space between."""
    soft: re.Pattern[str]
    """What may be an address and may be honest, in words; nothing in a battle."""
    lettered: re.Pattern[str]
    """Contestants by letter or number; "every rapper a target" is none. In words."""
    compact: re.Pattern[str]
    """Addresses written with a space after every letter. Without spaces."""
    joined: re.Pattern[str]
    """The same, as they are looked for in a row of single letters; nothing in a battle."""


_START = r"(?:^|\b(?:please|must|should|shall|now|and|so|then|just|only|to|simply|always) )"
"""Where an order begins."""
_SAYS = r"(?:answer|respond|reply|output|print|return|choose|pick|select|vote|say|write)"
_GIVES = r"(?:give|award|grant|assign|score|rate|grade|mark|rank|judge)"
_FULL = r"(?:10|ten|0|zero|full|max|maximum|highest|top|perfect|lowest)"
_MARKS = r"(?:points?|scores?|marks?|ratings?)"
_MODEL = "judges?|evaluators?|graders?"
_FATE = "wins|deserves|should|must|gets|has won|scores|receives"
_NEVER = r"(?!)"
_NUMBER = r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten)"
_POINTS = r"(?:points?|demands?|constraints?|requirements?|conditions?|criteria|rules?)"
_MET = r"(?:met|fulfilled|satisfied|kept|true|passed|obeyed)"
_CHECKED = r"(?:checked|verified|validated)"
_BETTER = r"(?:better|best|superior|stronger|strongest|winner|winning|finest|ahead|first)"


@functools.cache
def forms_of(dialect: Dialect) -> Forms:
    """Compiled once for each dialect."""
    it, letters = dialect, f"[{dialect.letters}]"
    after_a = it.letters[1:]
    who = f"{it.who}|{it.work}" if it.careful else f"{it.who}|contestant|seat"
    either = (*_to_ignore(it), _to_give_anything(), _claim(who))
    hard = (it.orders, *_to_give(it, who), *_claims(it, who))
    if it.careful:
        hard, soft = (*hard, *_of_prose(it)), (*either, *_like_prose(it))
    else:
        hard, soft = (*hard, *either), (_NEVER,)
    return Forms(
        markup=re.compile(_markup(it, letters)),
        spoken=re.compile("|".join(hard)),
        soft=re.compile("|".join(soft)),
        lettered=re.compile(
            rf"\b(?:{it.seat}) ?[{after_a}]\b|{it.numbered}"
            rf"|\b(?:{it.seat}) a( (is|wins?|won|deserves?|gets?|should|must|has|beats?|takes?|scores?|better|best|first|10|ten|over|and|always|every|on|for)\b|$)"
        ),
        compact=re.compile(
            r"(ignore|disregard|forget)(all|the|every|any|previous|prior|your|these|of)*(rubric|instruction|prompt|rule)"
            rf"|({it.who}){letters}(wins|isbetter)|systemprompt|theansweris{letters}"
        ),
        joined=re.compile(
            rf"the(better|best|right|winning|winner)(\w{{3,6}})?is({it.seat})?{letters}$"
            rf"|(choose|prefer|votefor|answer)({it.seat})?{letters}$"
            if it.careful
            else _NEVER
        ),
    )


def _markup(it: Dialect, letters: str) -> str:
    # "Answer: a candle" is an answer of prose; "answer: a" is one to the judge.
    letter = rf"{letters}\b" if it is BATTLE else rf"{letters}\b(?!\s+\w)"
    return (
        r"<\||\|>|\[/?inst\]|<<|>>|</?[a-z_][\w |/-]*>|```"
        rf"|{it.frames}"
        r"|[{}].*:|:.*[{}]"
        r'|"\s*:\s*["\d{\[]'
        rf"|\b({it.lines})\W*[:=]\W*({letter}|\d)"
        rf"|\b(score|points?|verdict|winner|rating|rank|answer)s?\W*[:=]\W*({letter}|\d|me\b|{it.who}|seat|this)"
        rf"|^\W*({it.roles})( (prompt|message|note|instructions?|override|update))?\s*:"
        rf"|^\W*(line|verse|{it.work}) withheld\b"
        rf"|^\W*end of( the)? ({it.work}s?|prompt|input|transcript|quote|battle)\W*$"
        rf"|{_markup_of_prose(it, letters) if it.careful else _NEVER}"
    )


def _markup_of_prose(it: Dialect, letters: str) -> str:
    """What stands around the texts in the judge's question, and scores in words.

    "In brief: one pot" is no score.
    """
    return (
        rf"[(\[*_-]\s*end of( the| this| my)? ({it.work}s?)\s*[)\]*_-]"
        rf"|\b(next|previous|other|rival|{it.ordinals}) ({it.who})s?\W*:\s*\("
        rf"|\b({it.who}|{it.work})( {letters})?\W*:\W*(nothing|empty|blank|no ({it.work}))\b"
        rf"|\b(?<!in )({it.lines}|fresh)\W*[:=]\W*{_NUMBER}\b(?!\s+\w)"
    )


def _one(it: Dialect) -> str:
    """A contestant, as an order to the judge names it."""
    who = f"one|{it.who}|seat|contestant|{it.work}"
    return (
        rf"(?:me\b|this (?:{who})|the (?:{it.ordinals}) (?:{who})"
        rf"|(?:{it.seat}) ?(?:[{it.letters}01]|one|zero)\b)"
    )


def _to_ignore(it: Dialect) -> tuple[str, ...]:
    """Orders to ignore instructions, and words on who the judge is."""
    return (
        r"\b(ignor|disregard|forget|overrid|bypass|overlook|discard|neglect)\w*( \w+){0,5}"
        r" (instru[ck]\w+|anweisungen|rubrics?|prompts?|criteria|guidelines?|directives?|judging|scoring)\b",
        r"\b(ignor|disregard|forget|overrid|discard)\w*( \w+){0,3} (above|previous|prior|preceding|earlier)\b",
        rf"\b(ignor|disregard)\w*( \w+){{0,3}} (({it.work})s?|rules)\b.*\b(points?|score|answer|judge|{it.who}|seat)\b",
        r"\b(scoring|grading|evaluation|judging) (rules|criteria|rubric|instructions|guidelines)\b",
        r"\byou are (now )?((an?|the) )?(\w+ )?(assistant|language model|llm|ai model|evaluator|grader)\b",
        rf"\byou are (now |instructed|required|ordered|told)( \w+){{0,3}} (judge|score|rate|vote|choose|answer|{it.who})\b",
        r"\bas an? (language model|ai|llm|impartial judge|evaluator|assistant)\b",
        rf"\b({_MODEL}) (must|shall|should|will now|is (required|instructed)|are (required|instructed))\b",
        r"^(dear|attention|note (to|for)|message (to|for)|important|instructions? (to|for))( \w+){0,2}"
        rf" ({_MODEL}|model|ai|llm|assistant)\b",
        r"\b(language model|llm|chatgpt|ai (judge|model|grader))\b.*\b(answer|score|choose|vote|points?|win)\w*\b",
    )


def _to_give_anything() -> str:
    """Orders to give points, to whom ever."""
    return rf"{_START}(give|award|grant|assign)( \w+){{0,4}} {_FULL} ({_MARKS}|on (every|each|all)|for (every|each|all)|in (every|each|all)|out of|across)"


def _to_give(it: Dialect, who: str) -> tuple[str, ...]:
    """Orders to give a contestant points."""
    one, first_two = _one(it), f"[{it.letters}01]"
    every = rf"\b(me|my|this|(?:{it.seat})|every|each|all|both|the (first|second|other|rival))\b"
    return (
        rf"{_START}(give|award|grant|assign) {one}( an?| the)? ({_FULL} ?({_MARKS}|on\b|for\b|out\b|across\b|$)|10\b|win\b|victory\b|higher\b|best {_MARKS})",
        rf"{_START}(give|award|grant|assign)( all| full| max\w*| the)* ({_MARKS}|win|victory) to {one}",
        rf"\b{_FULL} {_MARKS} (to|for|on) {every}",
        rf"{_START}(?:score|rate|grade|mark|rank|judge) {one}( \w+){{0,2}} (10|ten|0|zero|10/10|first|high|highest|higher|better|best|winner|low|lower|lowest|top)\b",
        rf"{_START}(choose|pick|select|prefer|favou?r|vote for|declare|name|output) {one}( \w+){{0,4}} (first|better|best|winner|over|every|each|all|line|lines|winning)\b",
        rf"\b(you|judges?) (must|should|have to|need to|shall|will|are to) ({_SAYS}|{_GIVES}|prefer|declare|favou?r)( for| as)?( \w+){{0,1}} {one}",
        rf"\b(my|this ({who}) s|rival s|opponent s|(?:{it.seat}) ?{first_two}( s)?) {_MARKS} (is|are|must|should|shall|will) be\b",
    )


def _claim(who: str) -> str:
    """What "this verse" is or gets; of prose, "this text is for children" is honest."""
    return rf"\bthis ({who}) (is|{_FATE})\b"


def _claims(it: Dialect, who: str) -> tuple[str, ...]:
    """Claims of the verdict, and letters for answers."""
    letter = f"[{it.letters}]"
    alone = rf"({letter}|10|0)( {letter}\b|$)"
    return (
        rf"\bthe( \w+){{0,2}} (answer|verdict|output|response|choice)s? (is|are|must be|should be|shall be|will be|equals) (me\b|{_one(it)}|(?:{it.seat})\b|{alone})",
        rf"\bthe( \w+){{0,2}} winner (is|must be|should be|shall be) ((?:{it.seat})\b|this\b|{letter}( {letter}\b|$))",
        rf"\b(the )?({it.ordinals}) ({who})( \w+)? ({_FATE}|is (the )?(better|best|worse|winner|disqualified))\b",
        rf"\b(rival|opponent|other ({it.who}))( \w+){{0,2}} (disqualified|(gets|scores|receives|deserves) (0|zero)\b)",
        r"\b(0|zero)( points?)? (to|for) (the|my) (rival|opponent|other)\b",
        rf"{_START}{_SAYS}( \w+){{0,3}} ({letter}( {letter}\b|$| (for|on|in|only|to|every|each)\b)|json\b)",
        rf"\banswer {letter}( {letter}\b|$)",
    )


def _of_prose(it: Dialect) -> tuple[str, ...]:
    """Hard forms of prose: what no honest text on a brief says."""
    ignore = (
        r"\b(ignor(e|ing)|disregard(ing)?|forget|overrid(e|ing)|bypass|overlook|discard|neglect)"
    )
    works = rf"({it.who}|{it.work})"
    one_of = rf"(this|my|the (?:{it.ordinals}|next|previous|following|preceding))"
    return (
        rf"{ignore}( \w+){{0,5}} (rubrics?|prompts?|criteria|judging|scoring)\b",
        rf"{ignore}( \w+){{0,3}} (all|any|every|previous|prior|preceding|above|earlier)( \w+){{0,2}} instru[ck]\w+",
        rf"{ignore}( \w+){{0,1}} (all|everything|anything)( \w+){{0,2}} (above|before|previous|prior|preceding)\b",
        rf"{ignore}( \w+){{0,2}} other (({it.who}|{it.work})s?|entries)\b",
        rf"\b(you|{_MODEL}) (must|should|shall|have to|need to|are to) (give|award|grant|assign)( \w+){{0,4}} {_FULL} {_MARKS}\b",
        r"\b(language model|llm|ai (judge|model|grader))\b.*\b(must|should|shall|required)\b.*\b(answer|score|choose|vote|give|prefer|rate)\b",
        rf"\bthis ({it.who}|{it.work}) (wins|deserves|scores|receives|has won|(should|must) (win|get|be)|gets {_FULL})\b",
        rf"\bthis ({it.who}|{it.work}) is( \w+){{0,3}} ({_BETTER}|{_FULL})\b",
        # the lines on what was checked
        rf"\b{_CHECKED} {_POINTS}\b|\b{_POINTS}( \w+){{0,3}} {_CHECKED}\b.*\b{_MET}\b",
        rf"\b{_CHECKED} by( \w+)? program\b.*\b{_POINTS}( \w+)? {_MET}\b",
        rf"\b{one_of} {works}s?( above| below| here| before)? (meets?|met|fulfil\w*|satisf\w+|obeys?|breaks?|broke|misses|missed|fails?)( \w+){{0,3}} ({_POINTS}|brief)\b",
        rf"\bthe {works} (above|below|here) (meets?|met|fulfil\w*|satisf\w+|obeys?|breaks?|broke|misses|missed|fails?)( \w+){{0,3}} ({_POINTS}|brief)\b",
        # comparisons with the other texts
        rf"\bof (the|these|all)( two| three| four| five| other)? ({it.work}|{it.who})s\b( \w+){{0,4}} (this|mine|my|i)\b",
        rf"\bof (the|these|all)( two| three| four| five| other)? entries\b( \w+){{0,4}} (this|mine|my|i)\b( \w+){{0,4}} {_BETTER}\b",
        r"\b(better|best|superior|stronger|wins?)( \w+){0,2} (on|in) (every|each|all|all the) lines?\b(?! of)",
        r"\b(who|whoever|anyone|everyone|anybody|everybody)( who)? (judges|scores|rates|grades) this( \w+){0,2} (must|should|shall|has to|will)\b",
        # letters for answers
        rf"\bthe (better|best|right|superior|stronger|winning)( (one|{it.who}|{it.work}|letter))? is (({it.seat}) )?[{it.letters}]( [{it.letters}]\b|$)",
        rf"\bthis ({it.who}|{it.work}) s letter\b",
    )


def _like_prose(it: Dialect) -> tuple[str, ...]:
    """Soft forms of prose: stories have contests, job adverts have assistants and requirements."""
    seat = "contestant|participant|entrant|candidate"
    return (
        r"\b(system prompt|(updated|actual) instructions?)\b",
        rf"\b({seat}) [{it.letters[1:]}]\b|\b({seat}) a( ({_FATE}|is)\b|$)",
        rf"\b(this|the ({it.ordinals})) ({seat})( \w+)? ({_FATE}|is (the )?{_BETTER})\b",
        rf"\b(all|every|each|no)( \w+)? {_POINTS}( \w+){{0,2}} {_MET}\b",
        rf"\b{_CHECKED} by( \w+)? (program|computer|code)\b",
        rf"\b(next|previous|rival|{it.ordinals}) ({it.who}|{it.work})( \w+)? (nothing|empty|blank|missing|plagiari\w+)\b",
        r"\b(whoever|anyone|everyone|anybody|everybody)( who)? reads? this( \w+){0,2} (must|should|shall|has to|will) "
        r"(prefer|choose|pick|score|rate|vote)\b",
    )
