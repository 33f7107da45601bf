"""The legal answers as a tree of token ids: what may come next while one of them is being written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Node = dict[int, "Node"]
"""Token id -> what may follow it; an empty one: the answer is over."""


def trie(answers: Iterable[Sequence[int]]) -> Node:
    """Of answers with their end token, which makes none of them the beginning of another."""
    root: Node = {}
    for ids in answers:
        node = root
        for token in ids:
            node = node.setdefault(token, {})
    return root


def forced(node: Node) -> tuple[tuple[int, ...], Node]:
    """The tokens that can only come as they come, and where they lead: there is nothing to ask a model."""
    path: list[int] = []
    while len(node) == 1:
        token, node = next(iter(node.items()))
        path.append(token)
    return tuple(path), node


def allowed(root: Node, ids: Sequence[int]) -> list[tuple[int, ...]]:
    """For each token of an answer the ones that could have stood in its place. Raises KeyError for an answer that
    the tree does not have."""
    options: list[tuple[int, ...]] = []
    for token in ids:
        options.append(tuple(root))
        root = root[token]
    return options
