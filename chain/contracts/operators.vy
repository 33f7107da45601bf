# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Node operators
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Operators stake FRAC and attest which blocks of content they keep, in batches by Merkle root. Whoever doubts it
        challenges one leaf: a later block's hash draws a piece of the content, and the operator has so many seconds to
        show it. A challenge that nobody has answered is a miss, and only a miss costs stake. Rewards are paid elsewhere.
@dev Both trees are those of RFC 6962 (SHA-256, ordered).
     - A batch's leaves are abi.encode(session, digest, size, time, pieces_root): of which session, the SHA-256 in the
       block's CID, its bytes, when it was pinned (unix ms), and the root over its pieces of 1024 bytes.
     - `pieces_root` is the operator's own figure, so nobody can hand it one that it cannot answer for. One that is not
       that of `digest` earns nothing: rewards count leaves that equal the arena's own, and the list of leaves is public.
       Where the block has no more than 64 KiB, anybody who has it proves the contradiction here (`expose`).

     What honest operators are promised:
     - Stake is lost by `record_miss`, after `answer_s` seconds and `answer_blocks` blocks without an answer, which
       anybody may bring: a chain that stands still is nobody's miss. Misses within MISS_GAP_S of one that cost stake cost
       nothing more: one outage is one miss. And by `expose`, once a batch, which takes a leaf that contradicts itself.
     - What is lost is burned, save a share for a challenger that put up a bond, no larger than that bond. No role gains.
     - A challenge without a bond is the challenger's alone, one at a time for an operator; each other one is paid for: the
       bond goes to the operator that answers. There is no limit to their number, as one could be used up by friends.
     - Unbonding takes `unbonding_s`, and neither pause, role nor challenge can make it longer. Until it is over the stake
       can be lost by challenges that were opened LIFE before its end.
@custom:security The producer of the block that draws the piece knows it first and may withhold the block. It gains a
                 second try at one piece. Two operators that share one copy cannot be told apart from two copies.
"""


from ethereum.ercs import IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.auth import ownable_2step
initializes: ownable_2step[ownable := ownable]


from snekmate.utils import pausable
initializes: pausable


from snekmate.utils import block_hash


from modules import roles
initializes: roles[ownable := ownable]


from modules import rfc6962


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    pausable.paused,
    roles.offer_role,
    roles.revoke_role,
    roles.role_holder,
    roles.role_offered,
    roles.take_role,
)


interface Frac:
    def burn(amount: uint256): nonpayable


# @dev May challenge without a bond.
CHALLENGER: public(constant(bytes32)) = keccak256("challenger")


# @dev May stop what begins anew: registering, staking, attesting, challenging. Nothing else.
GUARDIAN: public(constant(bytes32)) = keccak256("guardian")


# @dev The bytes of a piece of content; the last one may be shorter.
PIECE: public(constant(uint256)) = rfc6962.PIECE


# @dev The largest block of content, in bytes.
MAX_SIZE: public(constant(uint256)) = 2**20


# @dev The most leaves of a batch.
MAX_LEAVES: public(constant(uint256)) = 2**16


# @dev Challenges this instead of a leaf's number: the seed draws the leaf, too.
ANY_LEAF: public(constant(uint256)) = max_value(uint256)


# @dev The seed is the hash of the block that comes so many after the challenge's.
SEED_BLOCKS: public(constant(uint256)) = 4


# @dev A challenge whose seed was not drawn within so many seconds lapses. (Hashes of blocks are at hand for 256 blocks, or
#      8,191 where EIP-2935 is in force: often for less.)
DRAW_S: public(constant(uint256)) = 3_600


# @dev The time that is left to record a miss before stake that was unbonding is released.
RECORD_S: public(constant(uint256)) = 172_800


# @dev Between two challenges of one operator by the role.
ROLE_GAP_S: public(constant(uint256)) = 3_600


# @dev Of misses that are recorded within so many seconds only the first costs stake.
MISS_GAP_S: public(constant(uint256)) = 86_400


# @dev Misses are forgotten so many seconds after the last one that cost stake.
FORGET_S: public(constant(uint256)) = 30 * 86_400


# @dev What a miss costs of the stake, and what each third one does, in basis points.
MISS_BPS: public(constant(uint256)) = 100
THIRD_MISS_BPS: public(constant(uint256)) = 2_000


# @dev What a batch with a leaf that contradicts itself costs, in basis points.
LIE_BPS: public(constant(uint256)) = 2_000


struct Terms:
    min_stake: uint256
    bond: uint256
    unbonding_s: uint256
    answer_s: uint256
    answer_blocks: uint256
    retention_s: uint256


struct Operator:
    # What is staked and not being unbonded.
    bonded: uint256
    # What leaves, and when it may be taken. It can be lost until then.
    unbonding: uint256
    unbonding_at: uint256
    # How many batches it has attested, and from which on it is bound to keep them.
    batches: uint256
    first_batch: uint256
    # Misses that cost stake and are not forgotten; when the last of them was recorded.
    misses: uint256
    missed_at: uint256
    # When the role last challenged it, and its challenge that is open (zero: none).
    role_at: uint256
    role_challenge: uint256


struct Batch:
    root: bytes32
    leaves: uint256
    at: uint256
    exposed: bool


struct Leaf:
    session: bytes32
    digest: bytes32
    size: uint256
    time_ms: uint256
    pieces_root: bytes32


struct Challenge:
    operator: address
    challenger: address
    # What the challenger put up; zero: it is the role's.
    bond: uint256
    batch: uint256
    leaf: uint256
    opened_block: uint256
    opened_at: uint256
    # Zero until it is drawn.
    seed: bytes32
    drawn_block: uint256
    drawn_at: uint256
    closed: bool


FRAC: public(immutable(address))
TERMS: immutable(Terms)
# @dev The longest that a challenge may take from its opening until its miss is recorded, in seconds.
LIFE: public(immutable(uint256))


# @dev Where its node is found, and its IPFS peer id.
endpoint: public(HashMap[address, String[128]])
peer_id: public(HashMap[address, String[64]])


operators: public(HashMap[address, Operator])
batches: public(HashMap[address, HashMap[uint256, Batch]])
challenges: public(HashMap[uint256, Challenge])
# @dev How many challenges there were; ids count from 1.
challenge_count: public(uint256)


event Registered:
    operator: indexed(address)
    endpoint: String[128]
    peer_id: String[64]


event Staked:
    operator: indexed(address)
    amount: uint256
    bonded: uint256


event Unbonding:
    operator: indexed(address)
    amount: uint256
    at: uint256


event Released:
    operator: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Attested:
    operator: indexed(address)
    batch: indexed(uint256)
    root: bytes32
    leaves: uint256
    list_digest: bytes32


event Challenged:
    id: indexed(uint256)
    operator: indexed(address)
    challenger: indexed(address)
    batch: uint256
    leaf: uint256
    bond: uint256


event Drawn:
    id: indexed(uint256)
    operator: indexed(address)
    seed: bytes32
    leaf: uint256
    answer_until: uint256


event Answered:
    id: indexed(uint256)
    operator: indexed(address)
    leaf: Leaf
    piece: uint256


event Missed:
    id: indexed(uint256)
    operator: indexed(address)
    misses: uint256
    lost: uint256
    reward: uint256


event Exposed:
    operator: indexed(address)
    batch: indexed(uint256)
    by: indexed(address)
    leaf: Leaf
    lost: uint256
    reward: uint256


event Lapsed:
    id: indexed(uint256)
    operator: indexed(address)


@deploy
def __init__(frac: address, terms: Terms):
    """
    @notice The deployer becomes the admin, and hands that on in two steps.
    @param frac The token of stakes, bonds and rewards; it must have `burn`.
    @param terms What cannot be changed any more: the least stake to attest, a challenge's bond, the seconds of unbonding, the
           seconds and the blocks within which to answer, and the seconds for which a batch must be kept.
    """
    ownable.__init__()
    ownable_2step.__init__()
    pausable.__init__()
    roles.__init__()
    assert frac != empty(address) and frac.is_contract, "operators: FRAC is no contract"
    assert terms.min_stake > 0 and terms.bond > 0, "operators: a stake or a bond of nothing"
    assert 600 <= terms.answer_s and terms.answer_s <= 7 * 86_400, "operators: not 600 s to 7 days to answer"
    assert terms.unbonding_s <= 90 * 86_400, "operators: unbonding takes more than 90 days"
    FRAC = frac
    TERMS = terms
    LIFE = DRAW_S + terms.answer_s + RECORD_S
    assert terms.unbonding_s >= 2 * LIFE, "operators: unbonding is shorter than two challenges"
    assert terms.retention_s >= 2 * LIFE, "operators: retention is shorter than two challenges"


@external
@view
def terms() -> Terms:
    """
    @notice What was agreed at the deployment, see the constructor.
    """
    return TERMS


@external
def pause():
    """
    @notice Stops registering, staking, attesting and challenging. By the guardian. Drawing, answering, misses,
            unbonding and releasing go on: a pause does not change what an open challenge means.
    """
    assert roles._holds(GUARDIAN, msg.sender), "operators: caller is not the guardian"
    pausable._pause()


@external
def unpause():
    """
    @notice Ends the pause. By the guardian or the admin.
    """
    assert (
        roles._holds(GUARDIAN, msg.sender) or msg.sender == ownable.owner
    ), "operators: caller is neither guardian nor admin"
    pausable._unpause()


@external
def register(endpoint: String[128], peer_id: String[64]):
    """
    @notice Says where the caller's node is found. Again: changes it.
    @param endpoint The address of its gateway, a URL or multiaddress.
    @param peer_id Its IPFS peer id.
    """
    pausable._require_not_paused()
    assert len(endpoint) != 0 and len(peer_id) != 0, "operators: endpoint or peer id is empty"
    self.endpoint[msg.sender] = endpoint
    self.peer_id[msg.sender] = peer_id
    log Registered(operator=msg.sender, endpoint=endpoint, peer_id=peer_id)


@external
def stake(amount: uint256):
    """
    @notice Adds to the caller's stake, which it has approved.
    @param amount FRAC, in its smallest unit.
    """
    pausable._require_not_paused()
    assert amount != 0, "operators: nothing to stake"
    bonded: uint256 = self.operators[msg.sender].bonded + amount
    self.operators[msg.sender].bonded = bonded
    log Staked(operator=msg.sender, amount=amount, bonded=bonded)
    self._take(msg.sender, amount)


@external
def unbond(amount: uint256):
    """
    @notice Asks for stake back. It can be taken after the unbonding time; asking again starts that time anew for all of it.
    @param amount FRAC, of what is bonded.
    """
    assert amount != 0, "operators: nothing to unbond"
    bonded: uint256 = self.operators[msg.sender].bonded
    assert amount <= bonded, "operators: more than is bonded"
    at: uint256 = block.timestamp + TERMS.unbonding_s
    self.operators[msg.sender].bonded = bonded - amount
    self.operators[msg.sender].unbonding += amount
    self.operators[msg.sender].unbonding_at = at
    log Unbonding(operator=msg.sender, amount=amount, at=at)


@external
def release(receiver: address):
    """
    @notice Takes what was unbonded and not lost, once its time is over. Where nothing is left bonded, the caller owes
            nothing any more: what it has attested need not be kept.
    @param receiver Who gets it.
    """
    amount: uint256 = self.operators[msg.sender].unbonding
    assert amount != 0, "operators: nothing is unbonding"
    assert block.timestamp >= self.operators[msg.sender].unbonding_at, "operators: the unbonding time is not over"
    self.operators[msg.sender].unbonding = 0
    if self.operators[msg.sender].bonded == 0:
        self.operators[msg.sender].first_batch = self.operators[msg.sender].batches
    log Released(operator=msg.sender, receiver=receiver, amount=amount)
    self._give(receiver, amount)


@external
def attest(root: bytes32, leaves: uint256, list_digest: bytes32) -> uint256:
    """
    @notice The caller says that it keeps a batch of blocks, and will for the time of retention.
    @param root The RFC 6962 root over the leaves.
    @param leaves How many they are. Whoever says more than there are cannot answer for them.
    @param list_digest The SHA-256 of all leaves, one behind the other: the CID (raw) under which the list is found.
    @return uint256 The batch's number.
    """
    pausable._require_not_paused()
    assert self.operators[msg.sender].bonded >= TERMS.min_stake, "operators: less is bonded than the least stake"
    assert len(self.peer_id[msg.sender]) != 0, "operators: caller is not registered"
    assert 0 < leaves and leaves <= MAX_LEAVES, "operators: a batch has 1 to 65536 leaves"
    assert root != empty(bytes32), "operators: the root is zero"
    batch: uint256 = self.operators[msg.sender].batches
    self.operators[msg.sender].batches = batch + 1
    self.batches[msg.sender][batch] = Batch(root=root, leaves=leaves, at=block.timestamp, exposed=False)
    log Attested(operator=msg.sender, batch=batch, root=root, leaves=leaves, list_digest=list_digest)
    return batch


@external
def challenge(operator: address, batch: uint256, leaf: uint256) -> uint256:
    """
    @notice Doubts that an operator keeps a leaf. The challenger role does so without a bond, one at a time for an
            operator; everybody else puts up the bond (approved), which goes to the operator if it answers and comes
            back, with a reward, if it does not.
    @param operator The operator.
    @param batch Its batch, of those that it is still bound to keep.
    @param leaf The leaf's number in the batch, or ANY_LEAF: the seed draws it.
    @return uint256 The challenge's id.
    """
    pausable._require_not_paused()
    self._check_owes(operator, batch, leaf)
    id: uint256 = self.challenge_count + 1
    self.challenge_count = id
    bond: uint256 = TERMS.bond
    if roles._holds(CHALLENGER, msg.sender):
        bond = 0
        assert self.operators[operator].role_challenge == 0, "operators: a challenge by the role is open"
        assert (
            block.timestamp >= self.operators[operator].role_at + ROLE_GAP_S
        ), "operators: the role has challenged this operator less than 3600 s ago"
        self.operators[operator].role_at = block.timestamp
        self.operators[operator].role_challenge = id
    self.challenges[id] = Challenge(
        operator=operator,
        challenger=msg.sender,
        bond=bond,
        batch=batch,
        leaf=leaf,
        opened_block=block.number,
        opened_at=block.timestamp,
        seed=empty(bytes32),
        drawn_block=0,
        drawn_at=0,
        closed=False,
    )
    log Challenged(id=id, operator=operator, challenger=msg.sender, batch=batch, leaf=leaf, bond=bond)
    if bond != 0:
        self._take(msg.sender, bond)
    return id


@external
def draw(id: uint256):
    """
    @notice Draws what is asked for, by the hash of the block SEED_BLOCKS after the challenge's. By anybody; the time to
            answer begins here.
    @param id The challenge.
    """
    it: Challenge = self._open(id)
    assert it.seed == empty(bytes32), "operators: the challenge is drawn"
    assert block.timestamp <= it.opened_at + DRAW_S, "operators: the challenge has lapsed"
    seed_block: uint256 = it.opened_block + SEED_BLOCKS
    assert block.number > seed_block, "operators: the block of the seed is not there yet"
    hash: bytes32 = block_hash._block_hash(seed_block)
    assert hash != empty(bytes32), "operators: the hash of the seed's block is not at hand any more"
    seed: bytes32 = keccak256(abi_encode(hash, self, id))
    leaf: uint256 = it.leaf
    if leaf == ANY_LEAF:
        leaf = (convert(seed, uint256) >> 128) % self.batches[it.operator][it.batch].leaves
        self.challenges[id].leaf = leaf
    self.challenges[id].seed = seed
    self.challenges[id].drawn_block = block.number
    self.challenges[id].drawn_at = block.timestamp
    log Drawn(
        id=id, operator=it.operator, seed=seed, leaf=leaf, answer_until=block.timestamp + TERMS.answer_s
    )


@external
def answer(
    id: uint256,
    leaf: Leaf,
    leaf_proof: DynArray[bytes32, rfc6962.MAX_DEPTH],
    piece: Bytes[1024],
    piece_proof: DynArray[bytes32, rfc6962.MAX_DEPTH],
):
    """
    @notice Shows the piece that was drawn. By anybody, also late, as long as the miss is not recorded.
    @param id The challenge.
    @param leaf The leaf that is asked for.
    @param leaf_proof Its audit path in the batch.
    @param piece The content's piece of number (seed mod 2 ** 128) mod (number of pieces).
    @param piece_proof Its audit path in the leaf's `pieces_root`.
    """
    it: Challenge = self._open(id)
    assert it.seed != empty(bytes32), "operators: the challenge is not drawn"
    batch: Batch = self.batches[it.operator][it.batch]
    assert (
        rfc6962._root_of(rfc6962._leaf(abi_encode(leaf)), it.leaf, batch.leaves, leaf_proof) == batch.root
    ), "operators: the leaf is not the one that is asked for"
    assert 0 < leaf.size and leaf.size <= MAX_SIZE, "operators: a block has 1 to 1048576 bytes"
    pieces: uint256 = (leaf.size + PIECE - 1) // PIECE
    number: uint256 = (convert(it.seed, uint256) & convert(max_value(uint128), uint256)) % pieces
    assert len(piece) == min(PIECE, leaf.size - number * PIECE), "operators: the piece has another length"
    assert (
        rfc6962._root_of(rfc6962._leaf(piece), number, pieces, piece_proof) == leaf.pieces_root
    ), "operators: the piece is not the one that is asked for"
    self._close(id, it)
    log Answered(id=id, operator=it.operator, leaf=leaf, piece=number)
    if it.bond != 0:
        self._give(it.operator, it.bond)


@external
def record_miss(id: uint256):
    """
    @notice Closes a challenge that was not answered in time; the operator loses stake. By anybody.
    @param id The challenge.
    """
    it: Challenge = self._open(id)
    assert it.seed != empty(bytes32), "operators: the challenge is not drawn"
    assert (
        block.timestamp > it.drawn_at + TERMS.answer_s and block.number > it.drawn_block + TERMS.answer_blocks
    ), "operators: there is still time to answer"
    self._close(id, it)
    lost: uint256 = self._miss(it.operator)
    reward: uint256 = min(lost // 2, it.bond)
    log Missed(id=id, operator=it.operator, misses=self.operators[it.operator].misses, lost=lost, reward=reward)
    if lost > reward:
        extcall Frac(FRAC).burn(lost - reward)
    if it.bond != 0:
        self._give(it.challenger, it.bond + reward)


@external
def lapse(id: uint256):
    """
    @notice Closes a challenge that was not drawn in time, and gives its bond back. By anybody.
    @param id The challenge.
    """
    it: Challenge = self._open(id)
    assert it.seed == empty(bytes32), "operators: the challenge is drawn"
    assert block.timestamp > it.opened_at + DRAW_S, "operators: there is still time to draw"
    self._close(id, it)
    log Lapsed(id=id, operator=it.operator)
    if it.bond != 0:
        self._give(it.challenger, it.bond)


@external
def expose(
    operator: address,
    batch: uint256,
    index: uint256,
    leaf: Leaf,
    leaf_proof: DynArray[bytes32, rfc6962.MAX_DEPTH],
    content: Bytes[rfc6962.MAX_CONTENT],
):
    """
    @notice Proves that a leaf contradicts itself: its size or `pieces_root` is not that of the block that its digest
            names. It costs LIE_BPS of the stake, once a batch; the caller's reward is no more than a bond. By anybody.
    @param operator Who attested it.
    @param batch The batch, of those that it is still bound to keep.
    @param index The leaf's number.
    @param leaf The leaf.
    @param leaf_proof Its audit path in the batch.
    @param content The block whose SHA-256 is the leaf's digest, at most 64 KiB.
    """
    it: Batch = self.batches[operator][batch]
    assert (
        self.operators[operator].first_batch <= batch and batch < self.operators[operator].batches
    ), "operators: the operator does not owe this batch"
    assert not it.exposed, "operators: the batch is exposed already"
    assert (
        rfc6962._root_of(rfc6962._leaf(abi_encode(leaf)), index, it.leaves, leaf_proof) == it.root
    ), "operators: the leaf is not of that batch"
    assert len(content) != 0 and sha256(content) == leaf.digest, "operators: the content is not the digest's"
    assert (
        len(content) != leaf.size or rfc6962._root_of_pieces(content) != leaf.pieces_root
    ), "operators: the leaf is true"
    self.batches[operator][batch].exposed = True
    lost: uint256 = self._slash(operator, LIE_BPS)
    reward: uint256 = min(lost // 2, TERMS.bond)
    log Exposed(operator=operator, batch=batch, by=msg.sender, leaf=leaf, lost=lost, reward=reward)
    if lost > reward:
        extcall Frac(FRAC).burn(lost - reward)
    if reward != 0:
        self._give(msg.sender, reward)


@internal
@view
def _check_owes(operator: address, batch: uint256, leaf: uint256):
    """
    @dev Whether a challenge of this leaf may be opened: until it is over, the leaf is to be kept and there is stake to lose.
    """
    it: Operator = self.operators[operator]
    assert it.first_batch <= batch and batch < it.batches, "operators: the operator does not owe this batch"
    assert (
        block.timestamp + LIFE <= self.batches[operator][batch].at + TERMS.retention_s
    ), "operators: the batch need not be kept for as long as a challenge takes"
    assert leaf == ANY_LEAF or leaf < self.batches[operator][batch].leaves, "operators: the batch has fewer leaves"
    assert it.bonded != 0 or (
        it.unbonding != 0 and block.timestamp + LIFE <= it.unbonding_at
    ), "operators: the operator has no stake for as long as a challenge takes"


@internal
@view
def _open(id: uint256) -> Challenge:
    it: Challenge = self.challenges[id]
    assert it.operator != empty(address), "operators: there is no such challenge"
    assert not it.closed, "operators: the challenge is closed"
    return it


@internal
def _close(id: uint256, it: Challenge):
    self.challenges[id].closed = True
    if it.bond == 0:
        self.operators[it.operator].role_challenge = 0


@internal
def _miss(operator: address) -> uint256:
    """
    @dev Counts a miss, and takes what it costs; nothing within MISS_GAP_S of the last one that cost.
    @return uint256 What was taken; it is still in this contract.
    """
    missed_at: uint256 = self.operators[operator].missed_at
    if missed_at != 0 and block.timestamp < missed_at + MISS_GAP_S:
        return 0
    misses: uint256 = self.operators[operator].misses + 1
    if block.timestamp > missed_at + FORGET_S:
        misses = 1
    self.operators[operator].misses = misses
    self.operators[operator].missed_at = block.timestamp
    if misses % 3 == 0:
        return self._slash(operator, THIRD_MISS_BPS)
    return self._slash(operator, MISS_BPS)


@internal
def _slash(operator: address, bps: uint256) -> uint256:
    """
    @dev Takes a part of the stake, of what is bonded first.
    @return uint256 What was taken; it is still in this contract.
    """
    bonded: uint256 = self.operators[operator].bonded
    unbonding: uint256 = self.operators[operator].unbonding
    lost: uint256 = (bonded + unbonding) * bps // 10_000
    of_bonded: uint256 = min(lost, bonded)
    self.operators[operator].bonded = bonded - of_bonded
    self.operators[operator].unbonding = unbonding - (lost - of_bonded)
    return lost


@internal
def _take(payer: address, amount: uint256):
    assert extcall IERC20(FRAC).transferFrom(payer, self, amount), "operators: FRAC was not paid"


@internal
def _give(receiver: address, amount: uint256):
    assert extcall IERC20(FRAC).transfer(receiver, amount), "operators: FRAC was not paid out"
