"""The Merkle tree of RFC 6962, section 2.1: a root over entries of a log, and short proofs that an entry is among them.

A tree that only grows is kept as the roots of its full subtrees, largest first: as many as the number of leaves has bits set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

Subtrees = list[tuple[int, bytes]]
"""The roots of full subtrees with their numbers of leaves, largest first."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


def grown(trees: Iterable[tuple[int, bytes]], leaves: Iterable[bytes]) -> Subtrees:
    """The tree with more leaves, given by their hashes, behind those it has."""
    found = list(trees)
    for leaf in leaves:
        size, top = 1, leaf
        while found and found[-1][0] == size:
            size, top = 2 * size, node_hash(found.pop()[1], top)
        found.append((size, top))
    return found


def root_of(trees: Sequence[tuple[int, bytes]]) -> bytes:
    """The root over all leaves; that of no leaves is the hash of nothing."""
    if not trees:
        return sha256(b"").digest()
    *rest, (_, top) = trees
    for _, left in reversed(rest):
        top = node_hash(left, top)
    return top


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that the leaf at `index` is among `leaves` (hashes): the siblings on its way to the root, from below."""
    if len(leaves) <= 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root_of(grown([], leaves[half:]))]
    return [*inclusion(leaves[half:], index - half), root_of(grown([], leaves[:half]))]


def root_by(proof: Iterable[bytes], leaf: bytes, index: int, size: int) -> bytes | None:
    """The root that a proof of inclusion leads to; None if it does not fit a tree of `size` leaves."""
    sides, rest = list(_sides(index, size)), list(proof)
    if not 0 <= index < size or len(sides) != len(rest):
        return None
    for on_left, sibling in zip(reversed(sides), rest, strict=True):
        leaf = node_hash(sibling, leaf) if on_left else node_hash(leaf, sibling)
    return leaf


def _sides(index: int, size: int) -> Iterator[bool]:
    """From the root down: whether the sibling on the way to a leaf is on its left."""
    while size > 1:
        half = _split(size)
        yield index >= half
        index, size = (index - half, size - half) if index >= half else (index, half)


def _split(size: int) -> int:
    """The largest power of two below `size`: so many leaves hang from the left."""
    return int(1 << ((size - 1).bit_length() - 1))
