# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy off
"""
@title The court's arithmetic
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Who is drawn, what sheets come to, and what each judge earns and loses by them. It keeps nothing and may do nothing:
        the court asks it where a hearing is decided by force, and so may anybody.
@dev The same, number for number, as `judges/court/draw.py`, `reckoning.py` and `overturn.py`; property tests hold one
     against the other. Divisions round toward zero.
     A packed sheet is four words: score i is in word i // 16, in its bits 16 * (i mod 16) and up. A rubric's weights are one
     word, one byte a line; its prior another, two bytes a line; line 0 is lowest.
"""


struct Question:
    weights: uint256
    contestants: uint256
    prior: uint256
    scale: uint256
    seats: uint256
    fee: uint256
    lock: uint256


struct Seat:
    skill: int256
    pay: int256
    slash: uint256


struct Reckoning:
    medians: DynArray[uint16, MAX_SCORES]
    totals: DynArray[uint256, MAX_CONTESTANTS]
    margin: uint256
    seats: DynArray[Seat, MAX_SEATS]
    # Totals and margin in a word, see `result`.
    result: uint256


struct Terms:
    # Millionths.
    skill_floor: int256
    skill_top: int256
    # Thousandths of a point, and times the panel's median judge.
    outlier_milli: uint256
    outlier_spread: uint256


MAX_JUDGES: constant(uint256) = 256
MAX_SEATS: constant(uint256) = 31
# @dev With reserves: ceil(31 / 3) of them.
MAX_DRAWN: constant(uint256) = 42
MAX_LINES: constant(uint256) = 8
MAX_CONTESTANTS: constant(uint256) = 8
MAX_SCORES: constant(uint256) = MAX_LINES * MAX_CONTESTANTS
# @dev The best score, thousandths of a point.
TOP_MILLI: constant(uint256) = 10_000
_PPM: constant(uint256) = 1_000_000
_BPS: constant(uint256) = 10_000
# @dev Where the margin is in a result.
_MARGIN: constant(uint256) = 128


TERMS: immutable(Terms)


@deploy
def __init__(terms: Terms):
    """
    @param terms What cannot be changed any more; see `judges/court/terms.py`.
    """
    assert terms.skill_floor < 0 and terms.skill_top > 0, "reckoner: a floor below 0 and a top above it"
    assert terms.outlier_milli > 0, "reckoner: every judge would be an outlier"
    TERMS = terms


@external
@view
def terms() -> Terms:
    """
    @notice What was agreed at the deployment, see the constructor.
    """
    return TERMS


@external
@pure
def draw(
    judges: DynArray[address, MAX_JUDGES],
    operators: DynArray[address, MAX_JUDGES],
    families: DynArray[bytes32, MAX_JUDGES],
    weights: DynArray[uint256, MAX_JUDGES],
    seats: uint256,
    seed: bytes32,
    case: bytes32,
    hearing: uint256,
) -> (bytes32, DynArray[uint256, MAX_DRAWN]):
    """
    @notice Who sits: drawn by weight, without replacement, one of an operator, floor(seats / 3) of a family (at least one).
            Seat i goes to the first whose running sum of weights exceeds keccak256(abi.encode(seed, case, hearing, i)) modulo
            the sum of all who may still sit. ceil(seats / 3) reserves are drawn besides, as further seats.
    @param judges Of the snapshot.
    @param operators Of each.
    @param families Of each.
    @param weights Of each.
    @param seats The panel's, 1 to 31.
    @param seed The batch's.
    @param case The case.
    @param hearing Its number.
    @return bytes32 The snapshot's digest, keccak256(abi.encode(judges, operators, families, weights)).
    @return DynArray Indices into the lists, in the order of the draw; fewer where no more can sit.
    """
    count: uint256 = len(weights)
    assert 0 < seats and seats <= MAX_SEATS, "reckoner: a panel has 1 to 31 seats"
    assert (
        len(judges) == count and len(operators) == count and len(families) == count
    ), "reckoner: the lists are not of one length"
    left: DynArray[uint256, MAX_JUDGES] = weights
    whole: uint256 = 0
    for weight: uint256 in weights:
        whole += weight
    cap: uint256 = max(1, seats // 3)
    drawn: DynArray[uint256, MAX_DRAWN] = []
    for seat: uint256 in range(seats + (seats + 2) // 3, bound=MAX_DRAWN):
        if whole == 0:
            break
        target: uint256 = convert(keccak256(abi_encode(seed, case, hearing, seat)), uint256) % whole
        reached: uint256 = 0
        chosen: uint256 = 0
        for at: uint256 in range(count, bound=MAX_JUDGES):
            reached += left[at]
            if reached > target:
                chosen = at
                break
        of_family: uint256 = 1
        for other: uint256 in drawn:
            if families[other] == families[chosen]:
                of_family += 1
        drawn.append(chosen)
        for at: uint256 in range(count, bound=MAX_JUDGES):
            if left[at] != 0 and (
                operators[at] == operators[chosen] or (of_family >= cap and families[at] == families[chosen])
            ):
                whole -= left[at]
                left[at] = 0
    return keccak256(abi_encode(judges, operators, families, weights)), drawn


@external
@pure
def packed(sheet: DynArray[uint16, MAX_SCORES], size: uint256) -> uint256[4]:
    """
    @notice A sheet in four words. Reverts where it has not `size` scores from 0 to 10000.
    @param sheet By line of the rubric, then by contestant, thousandths of a point.
    @param size How many scores it must have.
    @return uint256[4] The words.
    """
    assert len(sheet) == size, "reckoner: the sheet is of another size"
    words: uint256[4] = empty(uint256[4])
    for at: uint256 in range(size, bound=MAX_SCORES):
        score: uint256 = convert(sheet[at], uint256)
        assert score <= TOP_MILLI, "reckoner: a score is 0 to 10000"
        words[at // 16] |= score << (16 * (at % 16))
    return words


@external
@pure
def lines(weights: uint256) -> uint256:
    """
    @notice How many lines a rubric has. Reverts where the packed word is none: 1 to 8 weights of 1 to 255, without a hole.
    @param weights One byte a line, line 0 lowest.
    @return uint256 How many.
    """
    return self._lines(weights)


@external
@pure
def totals(weights: uint256, contestants: uint256, sheet: uint256[4]) -> DynArray[uint256, MAX_CONTESTANTS]:
    """
    @notice By contestant: the weighed mean of a sheet's lines, rounded down.
    @param weights Of the rubric, packed.
    @param contestants How many there are.
    @param sheet Packed.
    @return DynArray Thousandths of a point.
    """
    scores: uint256[MAX_SCORES] = self._unpacked(sheet, self._lines(weights) * contestants)
    return self._totals(weights, contestants, scores)


@external
@pure
def result(totals: DynArray[uint256, MAX_CONTESTANTS]) -> uint256:
    """
    @notice What a hearing came to, in a word: 16 bits for each contestant's total, lowest first; from bit 128 on the margin.
    @param totals Thousandths of a point.
    @return uint256 The word.
    """
    return self._result(totals)


@external
@pure
def same_winners(result: uint256, other: uint256) -> bool:
    """
    @notice Whether the same contestants have the best total in both.
    """
    return self._winners(result) == self._winners(other)


@external
@pure
def overturned(
    was: uint256, last: uint256, margin: uint256, weights: uint256, contestants: uint256, sheet: uint256[4]
) -> bool:
    """
    @notice Whether a judge pays for a winner that fell: both results were clear, by `margin` and at least 1, they differ in
            their winners, and the judge's own sheet puts the one that fell before the one that stands by `margin`.
    @param was The result of the judge's hearing.
    @param last Of the case's last one.
    @param margin The filing's.
    @param weights Of the rubric, packed.
    @param contestants How many there are.
    @param sheet The judge's, packed.
    """
    fallen: uint256 = self._best(was)
    standing: uint256 = self._best(last)
    least: uint256 = max(1, margin)
    if fallen == standing or was >> _MARGIN < least or last >> _MARGIN < least:
        return False
    own: DynArray[uint256, MAX_CONTESTANTS] = self._totals(
        weights, contestants, self._unpacked(sheet, self._lines(weights) * contestants)
    )
    return own[fallen] >= own[standing] + margin


@external
@view
def reckon(
    question: Question, sheets: DynArray[uint256[4], MAX_SEATS], audit: bool, answer: uint256[4]
) -> Reckoning:
    """
    @notice What a hearing comes to, by the sheets that were revealed.
    @param question What it is about.
    @param sheets Packed, at least one.
    @param audit Whether it is a hidden audit: judges are held against `answer` in place of each other.
    @param answer Of an audit, packed.
    @return Reckoning Lower medians, totals, the best total less the second best, and each seat in the order of the sheets.
    """
    count: uint256 = len(sheets)
    assert count != 0, "reckoner: no sheet was revealed"
    size: uint256 = self._lines(question.weights) * question.contestants
    assert size <= MAX_SCORES and size != 0, "reckoner: a question has 1 to 8 lines and contestants"
    # Of all others, the lower median is `upper` for whoever is not above `lower`, else `lower`.
    middle: uint256 = 0
    if count > 1:
        middle = (count - 2) // 2
    medians: uint256[MAX_SCORES] = empty(uint256[MAX_SCORES])
    lower: uint256[MAX_SCORES] = empty(uint256[MAX_SCORES])
    upper: uint256[MAX_SCORES] = empty(uint256[MAX_SCORES])
    told: DynArray[uint16, MAX_SCORES] = []
    for at: uint256 in range(size, bound=MAX_SCORES):
        column: uint256[MAX_SEATS] = empty(uint256[MAX_SEATS])
        for number: uint256 in range(count, bound=MAX_SEATS):
            score: uint256 = (sheets[number][at // 16] >> (16 * (at % 16))) & 65_535
            place: uint256 = number
            for _: uint256 in range(MAX_SEATS):
                if place == 0 or column[place - 1] <= score:
                    break
                column[place] = column[place - 1]
                place -= 1
            column[place] = score
        medians[at] = column[(count - 1) // 2]
        lower[at] = column[middle]
        if count > 1:
            upper[at] = column[middle + 1]
        told.append(convert(medians[at], uint16))
    totals: DynArray[uint256, MAX_CONTESTANTS] = self._totals(question.weights, question.contestants, medians)
    result: uint256 = self._result(totals)
    return Reckoning(
        medians=told,
        totals=totals,
        margin=result >> _MARGIN,
        seats=self._seats(question, sheets, size, audit, self._unpacked(answer, size), lower, upper),
        result=result,
    )


@internal
@view
def _seats(
    question: Question,
    sheets: DynArray[uint256[4], MAX_SEATS],
    size: uint256,
    audit: bool,
    answer: uint256[MAX_SCORES],
    lower: uint256[MAX_SCORES],
    upper: uint256[MAX_SCORES],
) -> DynArray[Seat, MAX_SEATS]:
    distances: DynArray[uint256, MAX_SEATS] = []
    priors: DynArray[uint256, MAX_SEATS] = []
    ordered: DynArray[uint256, MAX_SEATS] = []
    for sheet: uint256[4] in sheets:
        far: uint256 = 0
        usual: uint256 = 0
        for at: uint256 in range(size, bound=MAX_SCORES):
            own: uint256 = (sheet[at // 16] >> (16 * (at % 16))) & 65_535
            reference: uint256 = lower[at]
            if audit:
                reference = answer[at]
            elif len(sheets) > 1 and own <= lower[at]:
                reference = upper[at]
            prior: uint256 = (question.prior >> (16 * (at // question.contestants))) & 65_535
            far += self._squared(own, reference)
            usual += self._squared(prior, reference)
        far //= size
        distances.append(far)
        priors.append(usual // size)
        ordered.append(far)
        place: uint256 = len(ordered) - 1
        for _: uint256 in range(MAX_SEATS):
            if place == 0 or ordered[place - 1] <= far:
                break
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = far
    spread: uint256 = 0  # a whole panel may fail an audit
    if not audit:
        spread = ordered[(len(ordered) - 1) // 2]
    seats: DynArray[Seat, MAX_SEATS] = []
    for number: uint256 in range(len(sheets), bound=MAX_SEATS):
        seats.append(self._seat(question, distances[number], priors[number], spread))
    return seats


@internal
@view
def _seat(question: Question, distance: uint256, prior_distance: uint256, spread: uint256) -> Seat:
    gained: int256 = convert(prior_distance, int256) - convert(distance, int256)
    skill: int256 = convert(convert(abs(gained), uint256) * _PPM // question.scale, int256)
    if gained < 0:
        skill = -skill
    skill = max(TERMS.skill_floor, min(TERMS.skill_top, skill))
    pay: int256 = convert(
        question.fee * convert(abs(skill), uint256) // (convert(TERMS.skill_top, uint256) * question.seats), int256
    )
    if skill < 0:
        pay = -pay
    slash: uint256 = 0
    limit: uint256 = TERMS.outlier_milli ** 2
    if distance > limit and distance > TERMS.outlier_spread ** 2 * spread:
        slash = question.lock * min(_BPS, (distance - limit) * _BPS // limit) // _BPS
    return Seat(skill=skill, pay=pay, slash=slash)


@internal
@pure
def _lines(weights: uint256) -> uint256:
    count: uint256 = 0
    left: uint256 = weights
    for _: uint256 in range(MAX_LINES):
        if left == 0:
            break
        assert left & 255 != 0, "reckoner: a line without a weight"
        count += 1
        left >>= 8
    assert count != 0 and left == 0, "reckoner: a rubric has 1 to 8 lines"
    return count


@internal
@pure
def _totals(
    weights: uint256, contestants: uint256, scores: uint256[MAX_SCORES]
) -> DynArray[uint256, MAX_CONTESTANTS]:
    assert 0 < contestants and contestants <= MAX_CONTESTANTS, "reckoner: 1 to 8 contestants"
    totals: DynArray[uint256, MAX_CONTESTANTS] = []
    for contestant: uint256 in range(contestants, bound=MAX_CONTESTANTS):
        total: uint256 = 0
        whole: uint256 = 0
        for line: uint256 in range(MAX_LINES):
            weight: uint256 = (weights >> (8 * line)) & 255
            if weight == 0:
                break
            whole += weight
            total += weight * scores[line * contestants + contestant]
        totals.append(total // whole)
    return totals


@internal
@pure
def _result(totals: DynArray[uint256, MAX_CONTESTANTS]) -> uint256:
    best: uint256 = 0
    second: uint256 = 0
    word: uint256 = 0
    for at: uint256 in range(len(totals), bound=MAX_CONTESTANTS):
        total: uint256 = totals[at]
        assert total <= TOP_MILLI, "reckoner: a total is 0 to 10000"
        word |= total << (16 * at)
        if total > best:
            second = best
            best = total
        elif total > second:
            second = total
    return word | ((best - second) << _MARGIN)


@internal
@pure
def _best(result: uint256) -> uint256:
    """
    @dev The first of those with the best total.
    """
    best: uint256 = 0
    for at: uint256 in range(MAX_CONTESTANTS):
        if (result >> (16 * at)) & 65_535 > (result >> (16 * best)) & 65_535:
            best = at
    return best


@internal
@pure
def _winners(result: uint256) -> uint256:
    """
    @dev Bit i: contestant i has the best total.
    """
    best: uint256 = (result >> (16 * self._best(result))) & 65_535
    winners: uint256 = 0
    for at: uint256 in range(MAX_CONTESTANTS):
        if (result >> (16 * at)) & 65_535 == best:
            winners |= 1 << at
    return winners


@internal
@pure
def _unpacked(sheet: uint256[4], size: uint256) -> uint256[MAX_SCORES]:
    scores: uint256[MAX_SCORES] = empty(uint256[MAX_SCORES])
    for at: uint256 in range(size, bound=MAX_SCORES):
        scores[at] = (sheet[at // 16] >> (16 * (at % 16))) & 65_535
    return scores


@internal
@pure
def _squared(a: uint256, b: uint256) -> uint256:
    if a > b:
        return (a - b) ** 2
    return (b - a) ** 2
