# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy off
"""
@title Merkle trees of RFC 6962
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Leaves are SHA-256(0x00 || data), nodes SHA-256(0x01 || left || right), and a tree of n > 1 leaves splits at
        the largest power of two below n. Unlike trees of sorted pairs, such a tree says which place a leaf has.
        `spaces/merkle.py` is the same off the chain.
"""


# @dev Trees of up to 2 ** 16 leaves.
MAX_DEPTH: constant(uint256) = 16


# @dev The bytes of a piece of content, and of the largest content whose root is computed here.
PIECE: constant(uint256) = 1024
MAX_CONTENT: constant(uint256) = 2**16
_MAX_PIECES: constant(uint256) = MAX_CONTENT // PIECE


@deploy
def __init__():
    pass


@internal
@pure
def _leaf(data: Bytes[1024]) -> bytes32:
    """
    @dev A leaf's hash.
    """
    return sha256(concat(b"\x00", data))


@internal
@pure
def _root_of_pieces(content: Bytes[MAX_CONTENT]) -> bytes32:
    """
    @dev The root of the tree whose leaves are the content's pieces. `peaks` are the roots of full trees of falling size,
         one for each bit of the number of leaves: a new leaf joins them as a carry does, and at the end they are folded
         from the right, as the split at the largest power of two asks for.
    """
    peaks: DynArray[bytes32, MAX_DEPTH] = []
    pieces: uint256 = (len(content) + PIECE - 1) // PIECE
    for number: uint256 in range(pieces, bound=_MAX_PIECES):
        start: uint256 = number * PIECE
        node: bytes32 = self._leaf(convert(slice(content, start, min(PIECE, len(content) - start)), Bytes[1024]))
        carry: uint256 = number
        for _: uint256 in range(MAX_DEPTH):
            if carry & 1 == 0:
                break
            left: bytes32 = peaks.pop()
            node = sha256(concat(b"\x01", left, node))
            carry >>= 1
        peaks.append(node)
    root: bytes32 = peaks.pop()
    for _: uint256 in range(MAX_DEPTH):
        if len(peaks) == 0:
            break
        left: bytes32 = peaks.pop()
        root = sha256(concat(b"\x01", left, root))
    return root


@internal
@pure
def _root_of(leaf: bytes32, index: uint256, size: uint256, proof: DynArray[bytes32, MAX_DEPTH]) -> bytes32:
    """
    @dev The root of the tree of `size` leaves that has `leaf` (hashed) at `index`; zero, which is no root, where the
         proof is not one of that place. The walk of RFC 9162, section 2.1.3.2: `place` and `last` are the numbers of
         our node and of the rightmost one on the level that is reached.
    """
    if index >= size:
        return empty(bytes32)
    place: uint256 = index
    last: uint256 = size - 1
    node: bytes32 = leaf
    for sibling: bytes32 in proof:
        if last == 0:
            return empty(bytes32)
        if place & 1 == 1 or place == last:
            node = sha256(concat(b"\x01", sibling, node))
            for _: uint256 in range(MAX_DEPTH):  # a lone rightmost node moves up as it is
                if place & 1 == 1 or place == 0:
                    break
                place >>= 1
                last >>= 1
        else:
            node = sha256(concat(b"\x01", node, sibling))
        place >>= 1
        last >>= 1
    if last != 0:
        return empty(bytes32)
    return node
