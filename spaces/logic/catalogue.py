"""The puzzles that are played: which generators of reasoning-gym, and what each level asks of them.

A generator is listed when it is

- the same in every process for the same index (tested under several hash seeds);
- quick (under 50 ms a puzzle), short to state, and answered in one line;
- scored by code that cannot be turned against the one who runs it. Whoever re-scores a transcript
  runs the scorer over words of agents and a puzzle that came from the transcript: no `eval`, no
  expression parser, no loop and no number that a short answer can blow up;
- scored in full (1.0) for a right solution and for no text that hedges. What a scorer pays below that is not
  counted (`spaces.logic.puzzles`): most pay a consolation for anything, a part for a text that holds
  the solution somewhere, or for a lucky word. Two that also pay in full for the right words with more
  behind them, `word_sorting` and `letter_jumble`, are held to as many words as the solution has
  (tested with answers that say nothing and answers that say everything, at every level);
- stable to a rounding of its score in thousandths (no exponentials of the platform's libm);
- really harder at a higher level (tested by the length of question and answer).

Left out, and why:

- text is evaluated while scoring: `binary_matrix`, `bitwise_arithmetic`, `codeio`, `countdown`,
  `intermediate_integration`, `n_queens`, `number_sorting`, `polynomial_multiplication`, `puzzle24`,
  `simple_integration`, `spiral_matrix`, `string_insertion`;
- a short answer can hang the scorer: `coin_flip` (`Fraction("1e999999999")`), `power_function`
  (`Decimal` printed in full);
- another puzzle in every process, since sets of strings are iterated: `isomorphic_strings`,
  `polynomial_multiplication`, `ransom_note`, `word_ladder`; or the global generator is reseeded:
  `pool_matrix`;
- the scorer pays nearly in full for anything: `game_of_life_halting` (any text is "True"), `time_intervals` (any time
  of day is nearly right); or punishes the answer that it gives itself: `graph_color`;
- slow now and then: `advanced_geometry`, `futoshiki`, `group_anagrams`, `polynomial_equations`,
  `quantum_lock`, `zebra_puzzles`;
- long to state or to answer: `emoji_mystery`, `mahjong_puzzle`, `mini_sudoku` and its kin,
  `needle_haystack`, `palindrome_partitioning`, `rectangle_count`, `rotten_oranges`, `tower_of_hanoi`;
- the level changes little: `calendar_arithmetic`, `count_bits`, `self_reference`, `syllogism`;
- solved wrongly by its own author's account: `propositional_logic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec

LIBRARY = "0.1.25"
"""The version of reasoning-gym that `logic/1` is defined by. Another one may draw other puzzles, so it
is another version of these rules."""

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = ("easy", "medium", "hard")


Settings = dict[str, Any]
"""Keyword arguments of a generator's own config."""
Levels = tuple[Settings, ...]
"""In the order of LEVELS."""


class Generator(msgspec.Struct, frozen=True):
    """One kind of puzzle."""

    topic: str
    levels: Levels
    lead: str = ""
    """Said before the question where the generator's own words do not say what is asked."""
    counts_words: bool = False
    """The scorer reads no further than the solution goes, so more words than it has are no solution."""

    def settings(self, level: Level) -> Settings:
        return self.levels[LEVELS.index(level)]


def _span(key: str, *bounds: tuple[int, int]) -> Levels:
    """`min_<key>` and `max_<key>` of each level."""
    return tuple({f"min_{key}": low, f"max_{key}": high} for low, high in bounds)


_ARITHMETIC: dict[str, Levels] = {
    "chain_sum": (
        {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 2},
        {"min_terms": 3, "max_terms": 4, "min_digits": 2, "max_digits": 3},
        {"min_terms": 6, "max_terms": 8, "min_digits": 4, "max_digits": 5},
    ),
    "products": (
        {"min_digits": 1, "max_digits": 1},
        {"min_digits": 2, "max_digits": 2},
        {"min_digits": 4, "max_digits": 5},
    ),
    "gcd": _span("value", (2, 30), (50, 500), (2_000, 99_999)),
    "lcm": _span("value", (2, 12), (15, 90), (200, 2_000)),
    "prime_factorization": _span("value", (4, 60), (200, 900), (5_000, 90_000)),
    "fraction_simplification": tuple(
        {
            "min_value": low,
            "max_value": high,
            "min_factor": 2,
            "max_factor": factor,
            "styles": ("plain",),
        }
        for low, high, factor in ((1, 9, 5), (10, 60, 20), (100, 900, 90))
    ),
    "base_conversion": tuple(
        {"min_base": low, "max_base": high, "min_value": least, "max_value": most}
        for low, high, least, most in ((2, 4, 2, 20), (2, 12, 50, 500), (2, 16, 5_000, 99_999))
    ),
    "leg_counting": tuple(
        {"min_animals": few, "max_animals": many, "max_instances": most}
        for few, many, most in ((1, 2, 5), (3, 5, 15), (7, 9, 60))
    ),
    "dice": tuple(
        {"num_dice": dice, "max_dice_size": size} for dice, size in ((2, 6), (3, 10), (5, 20))
    ),
    "simple_equations": tuple(
        {"min_terms": few, "max_terms": many, "max_value": most}
        for few, many, most in ((2, 2, 10), (3, 3, 50), (5, 6, 500))
    ),
}

_WORDS: dict[str, Levels] = {
    "letter_counting": _span("words", (2, 3), (6, 9), (20, 30)),
    "spell_backward": _span("word_len", (3, 4), (6, 7), (9, 10)),
    "word_sorting": _span("words", (3, 3), (5, 6), (9, 12)),
    "word_sequence_reversal": _span("words", (2, 3), (5, 6), (10, 14)),
    "caesar_cipher": tuple(
        {"min_words": few, "max_words": many, "min_rotation": 1, "max_rotation": turn}
        for few, many, turn in ((2, 3, 3), (4, 6, 13), (8, 12, 25))
    ),
    "letter_jumble": tuple(
        {
            "min_words": few,
            "max_words": many,
            "max_word_len": length,
            "min_corruption_level": least,
            "max_corruption_level": most,
        }
        for few, many, length, least, most in (
            (1, 2, 5, 0.1, 0.3), (3, 4, 8, 0.3, 0.6), (6, 8, 64, 0.6, 0.9),
        )
    ),
    "palindrome_generation": _span("length", (3, 4), (6, 8), (12, 16)),
}  # fmt: skip

_DEDUCTION: dict[str, Levels] = {
    "knights_knaves": tuple(
        {"n_people": people, "depth_constraint": depth, "width_constraint": width}
        for people, depth, width in ((2, 2, 2), (3, 2, 2), (5, 2, 3))
    ),
    "family_relationships": _span("family_size", (3, 4), (5, 6), (9, 12)),
    "color_cube_rotation": _span("rotations", (1, 1), (3, 3), (6, 8)),
    "number_sequence": tuple(
        {"max_complexity": complexity, "min_terms": 4, "max_terms": terms}
        for complexity, terms in ((1, 5), (2, 6), (4, 8))
    ),
    # Tokens vanish in pairs: of an odd number some are left, so no answer is empty.
    "ab": tuple({"length": length} for length in (3, 7, 15)),
    "string_manipulation": tuple(
        {
            "min_string_length": length,
            "max_string_length": length + 3,
            "min_num_rules": rules,
            "max_num_rules": rules,
        }
        for length, rules in ((5, 3), (9, 5), (16, 8))
    ),
    "binary_alternation": _span("n", (4, 6), (10, 16), (30, 45)),
}

_PATHS: dict[str, Levels] = {
    "maze": tuple(
        {"min_dist": near, "max_dist": far, "min_grid_size": size, "max_grid_size": size}
        for near, far, size in ((1, 3, 6), (4, 8, 8), (8, 20, 12))
    ),
    "shortest_path": tuple(
        {"min_rows": size, "max_rows": size, "min_cols": size, "max_cols": size, "p_blocked": blocked}
        for size, blocked in ((3, 0.1), (5, 0.3), (9, 0.35))
    ),
    "largest_island": tuple(
        {"min_rows": size, "max_rows": size, "min_cols": size, "max_cols": size}
        for size in (4, 6, 10)
    ),
    "path_star": tuple(
        {"degree": degree, "node_range": nodes, "min_path_length": near, "max_path_length": far}
        for degree, nodes, near, far in ((2, 100, 2, 2), (3, 1_000, 3, 4), (5, 10_000, 5, 6))
    ),
}  # fmt: skip

_LEADS = {"number_sequence": "Give the number that comes next."}
_COUNTS_WORDS = {"word_sorting", "letter_jumble"}


_TOPICS = {"arithmetic": _ARITHMETIC, "words": _WORDS, "deduction": _DEDUCTION, "paths": _PATHS}

GENERATORS: Mapping[str, Generator] = MappingProxyType(
    {
        name: Generator(topic, levels, _LEADS.get(name, ""), name in _COUNTS_WORDS)
        for topic, generators in _TOPICS.items()
        for name, levels in generators.items()
    }
)
"""By reasoning-gym's name, in the order that the seed draws from: adding one is a new version."""
TOPICS = tuple(_TOPICS)


def pool(topics: tuple[str, ...]) -> tuple[str, ...]:
    """The generators of `topics`, which are names of topics or of single generators; all when empty.

    Raises KeyError for a name that is neither.
    """
    for name in topics:
        if name not in TOPICS and name not in GENERATORS:
            raise KeyError(name)
    return tuple(
        name
        for name, each in GENERATORS.items()
        if not topics or name in topics or each.topic in topics
    )
