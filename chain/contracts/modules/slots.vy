# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy off
"""
@title Four numbers in a storage slot
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Packs four uint64 into a slot, the first lowest.
"""


_LOW: constant(uint256) = 2 ** 64 - 1


@deploy
def __init__():
    pass


@internal
@pure
def _field(slot: uint256, place: uint256) -> uint64:
    """
    @dev 64 bits of a slot, from `place` upwards.
    """
    return convert((slot >> place) & _LOW, uint64)


@internal
@pure
def _packed(first: uint64, second: uint64, third: uint64, fourth: uint64) -> uint256:
    """
    @dev Four numbers in one slot, the first lowest.
    """
    return (
        convert(first, uint256) | (convert(second, uint256) << 64)
        | (convert(third, uint256) << 128) | (convert(fourth, uint256) << 192)
    )
