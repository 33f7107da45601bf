# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title The court's judges
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Judges stake FRAC here, each for an operator that has accepted it and with the family of models that it judges by.
        Snapshots say who can be drawn and with which weight; the court draws from them, and it alone can take stake: by
        itself (`court`), and where hearings are done on the chain (`hearings`, which the court has named).
@dev - A snapshot is keccak256(abi.encode(judges, operators, families, weights)); the lists themselves are logged. Whoever
       needs them on the chain brings them.
     - At most 256 judges have a place in snapshots. Where all are taken, a judge takes one from another that has less at
       stake (`displace`). Places are in the order in which they were first taken.
     - What is lost is burned: nobody gains by it, whoever it is that judged, challenged or holds a key.
     - Unbonding takes `unbonding_s`, which is longer than any hearing for which a judge can still be drawn (the court looks
       at that when it is deployed), and neither role nor court can make it longer.
@custom:security What a judge says of its family is its own word. One operator may have many names: stake is what counts.
"""


from ethereum.ercs import IERC20


interface Frac:
    def burn(amount: uint256): nonpayable


# @dev Judges in a snapshot, at the most.
MAX_JUDGES: public(constant(uint256)) = 256


struct Terms:
    # The least stake of a judge that can be drawn.
    min_stake: uint256
    unbonding_s: uint256
    # Between two snapshots.
    snapshot_gap_s: uint256


struct Judge:
    # Who answers for it; `accepted` once that operator has said so. No panel has two judges of one operator.
    operator: address
    accepted: bool
    # The family's name in ASCII, padded with zeros; by its models, or `instruments`. A panel has few of one family.
    family: bytes32
    # What is staked and not being unbonded.
    bonded: uint256
    # What leaves, and when it may be taken. It can be lost until then.
    unbonding: uint256
    unbonding_at: uint256
    # Until when it is in no snapshot.
    jailed_until: uint256
    # Its place in snapshots, counted from 1; zero: none.
    place: uint256


struct Snapshot:
    digest: bytes32
    block: uint256
    at: uint256
    judges: uint256


FRAC: public(immutable(address))
TERMS: immutable(Terms)
# @dev Who deployed this, and may bind a court to it, once.
DEPLOYER: public(immutable(address))


# @dev The only ones that take stake and jail.
court: public(address)
hearings: public(address)


judges: public(HashMap[address, Judge])
# @dev Where the judge's program is found, as it says; may be empty.
endpoint: public(HashMap[address, String[128]])


# @dev Who has the places in snapshots.
places: public(DynArray[address, MAX_JUDGES])


# @dev Snapshots count from 1.
snapshot_count: public(uint256)
snapshots: public(HashMap[uint256, Snapshot])


event Bound:
    court: indexed(address)


event Appointed:
    hearings: indexed(address)


event Registered:
    judge: indexed(address)
    operator: indexed(address)
    family: bytes32
    endpoint: String[128]


event Accepted:
    judge: indexed(address)
    operator: indexed(address)


event Disowned:
    judge: indexed(address)
    operator: indexed(address)


event Staked:
    judge: indexed(address)
    amount: uint256
    bonded: uint256


event Unbonding:
    judge: indexed(address)
    amount: uint256
    at: uint256


event Released:
    judge: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Placed:
    judge: indexed(address)
    place: uint256
    displaced: address


event SnapshotTaken:
    snapshot: indexed(uint256)
    digest: bytes32
    judges: DynArray[address, MAX_JUDGES]
    operators: DynArray[address, MAX_JUDGES]
    families: DynArray[bytes32, MAX_JUDGES]
    weights: DynArray[uint256, MAX_JUDGES]


event Slashed:
    judge: indexed(address)
    asked: uint256
    lost: uint256


event Jailed:
    judge: indexed(address)
    until: uint256


@deploy
def __init__(frac: address, terms: Terms):
    """
    @notice The deployer's next contract is the court: it binds itself (`bind`). Nobody has any other power here.
    @param frac The token of stakes; it must have `burn`.
    @param terms What cannot be changed any more.
    """
    assert frac != empty(address) and frac.is_contract, "judge_registry: FRAC is no contract"
    assert terms.min_stake > 0, "judge_registry: a stake of nothing"
    assert terms.unbonding_s <= 90 * 86_400, "judge_registry: unbonding takes more than 90 days"
    FRAC = frac
    TERMS = terms
    DEPLOYER = msg.sender


@external
@view
def terms() -> Terms:
    """
    @notice What was agreed at the deployment, see the constructor.
    """
    return TERMS


@external
def bind():
    """
    @notice The caller becomes the court, for ever. Once, in a transaction of the deployer: the court's own deployment.
    """
    # The court does not exist before its constructor runs, so that only the transaction can tell whose it is.
    assert tx.origin == DEPLOYER, "judge_registry: the transaction is not the deployer's"
    assert self.court == empty(address), "judge_registry: a court is bound already"
    self.court = msg.sender
    log Bound(court=msg.sender)


@external
def appoint(hearings: address):
    """
    @notice Names where hearings are done on the chain, for ever. Once, by the court.
    @param hearings It may take stake, too.
    """
    assert msg.sender == self.court, "judge_registry: caller is not the court"
    assert self.hearings == empty(address), "judge_registry: hearings are named already"
    self.hearings = hearings
    log Appointed(hearings=hearings)


@external
def register(operator: address, family: bytes32, endpoint: String[128]):
    """
    @notice Says who answers for the caller, what it judges by and where it is found. Again: changes it. It counts once the
            operator has accepted; where the operator is the caller, at once. Snapshots that stand stay as they are.
    @param operator Who answers for it.
    @param family The family's name in ASCII, padded with zeros.
    @param endpoint Where its program is found; may be empty.
    """
    assert operator != empty(address) and family != empty(bytes32), "judge_registry: operator or family is empty"
    it: Judge = self.judges[msg.sender]
    if it.operator != operator:
        self.judges[msg.sender].operator = operator
        self.judges[msg.sender].accepted = operator == msg.sender
    self.judges[msg.sender].family = family
    self.endpoint[msg.sender] = endpoint
    log Registered(judge=msg.sender, operator=operator, family=family, endpoint=endpoint)
    self._take_place(msg.sender)


@external
def accept(judge: address):
    """
    @notice The caller answers for a judge that has named it. No panel will have two of its judges.
    @param judge The judge.
    """
    assert self.judges[judge].operator == msg.sender, "judge_registry: the judge has not named the caller"
    self.judges[judge].accepted = True
    log Accepted(judge=judge, operator=msg.sender)
    self._take_place(judge)


@external
def disown(judge: address):
    """
    @notice The caller answers for a judge no longer: it is in no later snapshot.
    @param judge The judge.
    """
    assert self.judges[judge].operator == msg.sender, "judge_registry: the judge has not named the caller"
    self.judges[judge].accepted = False
    log Disowned(judge=judge, operator=msg.sender)


@external
def stake(amount: uint256):
    """
    @notice Adds to the caller's stake, which it has approved.
    @param amount FRAC, in its smallest unit.
    """
    assert amount != 0, "judge_registry: nothing to stake"
    bonded: uint256 = self.judges[msg.sender].bonded + amount
    self.judges[msg.sender].bonded = bonded
    log Staked(judge=msg.sender, amount=amount, bonded=bonded)
    self._take_place(msg.sender)
    assert extcall IERC20(FRAC).transferFrom(msg.sender, self, amount), "judge_registry: FRAC was not paid"


@external
def unbond(amount: uint256):
    """
    @notice Asks for stake back. It can be taken after the unbonding time; asking again starts that time anew for all of it.
    @param amount FRAC, of what is bonded.
    """
    assert amount != 0, "judge_registry: nothing to unbond"
    bonded: uint256 = self.judges[msg.sender].bonded
    assert amount <= bonded, "judge_registry: more than is bonded"
    at: uint256 = block.timestamp + TERMS.unbonding_s
    self.judges[msg.sender].bonded = bonded - amount
    self.judges[msg.sender].unbonding += amount
    self.judges[msg.sender].unbonding_at = at
    log Unbonding(judge=msg.sender, amount=amount, at=at)


@external
def release(receiver: address):
    """
    @notice Takes what was unbonded and not lost, once its time is over.
    @param receiver Who gets it.
    """
    amount: uint256 = self.judges[msg.sender].unbonding
    assert amount != 0, "judge_registry: nothing is unbonding"
    assert block.timestamp >= self.judges[msg.sender].unbonding_at, "judge_registry: the unbonding time is not over"
    self.judges[msg.sender].unbonding = 0
    log Released(judge=msg.sender, receiver=receiver, amount=amount)
    assert extcall IERC20(FRAC).transfer(receiver, amount), "judge_registry: FRAC was not paid out"


@external
def displace(judge: address, other: address):
    """
    @notice Gives a judge the place of another that has less at stake, or that nobody can draw any more. By anybody; where
            there are free places, judges take them by themselves.
    @param judge A judge without a place that could be drawn.
    @param other A judge with a place.
    """
    place: uint256 = self.judges[other].place
    assert place != 0, "judge_registry: the other has no place"
    assert self.judges[judge].place == 0, "judge_registry: the judge has a place"
    assert self._weight(judge) > self._weight(other), "judge_registry: the other has no less at stake"
    self.judges[other].place = 0
    self.judges[judge].place = place
    self.places[place - 1] = judge
    log Placed(judge=judge, place=place, displaced=other)


@external
def snapshot() -> uint256:
    """
    @notice Keeps who can be drawn from now on: all with a place whose operator has accepted, that are not jailed and have the
            least stake, each with the weight of what it has bonded. By anybody, once in `snapshot_gap_s`.
    @return uint256 Its number.
    """
    count: uint256 = self.snapshot_count
    assert (
        count == 0 or block.timestamp >= self.snapshots[count].at + TERMS.snapshot_gap_s
    ), "judge_registry: the last snapshot is too young"
    judges: DynArray[address, MAX_JUDGES] = []
    operators: DynArray[address, MAX_JUDGES] = []
    families: DynArray[bytes32, MAX_JUDGES] = []
    weights: DynArray[uint256, MAX_JUDGES] = []
    for judge: address in self.places:
        weight: uint256 = self._weight(judge)
        if weight != 0:
            judges.append(judge)
            operators.append(self.judges[judge].operator)
            families.append(self.judges[judge].family)
            weights.append(weight)
    digest: bytes32 = keccak256(abi_encode(judges, operators, families, weights))
    count += 1
    self.snapshot_count = count
    self.snapshots[count] = Snapshot(digest=digest, block=block.number, at=block.timestamp, judges=len(judges))
    log SnapshotTaken(
        snapshot=count, digest=digest, judges=judges, operators=operators, families=families, weights=weights
    )
    return count


@external
@view
def stake_of(judge: address) -> uint256:
    """
    @notice What a judge can lose: what is bonded, and what is unbonding.
    @param judge The judge.
    @return uint256 FRAC.
    """
    return self.judges[judge].bonded + self.judges[judge].unbonding


@external
@view
def place_count() -> uint256:
    """
    @notice How many judges have a place.
    """
    return len(self.places)


@external
def slash(judge: address, amount: uint256) -> uint256:
    """
    @notice Burns stake, of what is bonded first. By the court or its hearings.
    @param judge Whose.
    @param amount FRAC; where there is less, all of it.
    @return uint256 What was burned.
    """
    self._check_court()
    bonded: uint256 = self.judges[judge].bonded
    unbonding: uint256 = self.judges[judge].unbonding
    lost: uint256 = min(amount, bonded + unbonding)
    of_bonded: uint256 = min(lost, bonded)
    self.judges[judge].bonded = bonded - of_bonded
    if lost > of_bonded:
        self.judges[judge].unbonding = unbonding - (lost - of_bonded)
    log Slashed(judge=judge, asked=amount, lost=lost)
    if lost != 0:
        extcall Frac(FRAC).burn(lost)
    return lost


@external
def jail(judge: address, until: uint256):
    """
    @notice Keeps a judge out of snapshots for a while. By the court or its hearings; never for less than it was.
    @param judge The judge.
    @param until Unix seconds.
    """
    self._check_court()
    if until > self.judges[judge].jailed_until:
        self.judges[judge].jailed_until = until
        log Jailed(judge=judge, until=until)


@internal
@view
def _check_court():
    assert msg.sender in [self.court, self.hearings], "judge_registry: caller is not the court"


@internal
@view
def _weight(judge: address) -> uint256:
    """
    @dev What a snapshot of now would say; zero: it can't be drawn.
    """
    bonded: uint256 = self.judges[judge].bonded
    if bonded < TERMS.min_stake or not self.judges[judge].accepted or self.judges[judge].jailed_until > block.timestamp:
        return 0
    return bonded


@internal
def _take_place(judge: address):
    """
    @dev A free one, for a judge that could be drawn.
    """
    if self.judges[judge].place == 0 and len(self.places) < MAX_JUDGES and self._weight(judge) != 0:
        self.places.append(judge)
        self.judges[judge].place = len(self.places)
        log Placed(judge=judge, place=len(self.places), displaced=empty(address))
