"""Checkpoints: a writer signs, now and then, the Merkle root over all entries of its chain so far.

The hash chain alone says as much to whoever holds all of it. The root says it to whoever holds one entry: some twenty hashes
prove that it is among a million (`core.auditing.merkle`), and a witness can keep one line for a whole chain.

A checkpoint's detail is `size`, the number of entries it covers, which are all before it, and `root`, in hex. The leaves are
the lines of the entries without their newline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gitmem.core.auditing.audit import ROOT, Change, Problem, Segment
from gitmem.core.auditing.chain import chains_of
from gitmem.core.auditing.merkle import Subtrees, grown, leaf_hash, root_of

CHECKPOINT: Final = "checkpoint"
EVERY: Final = 256
"""Entries after which one is due: so few that proofs soon have one to lead to, so many that it adds under half a percent."""


def leaves_of(segment: Segment) -> list[bytes]:
    """The leaf hashes of a segment's entries."""
    return [leaf_hash(line) for line in segment.body[:-1].split(b"\n")]


def checkpoint(writer: str, trees: Subtrees) -> Change:
    """The change that signs the root over all entries of a chain so far."""
    size = sum(leaves for leaves, _ in trees)
    return Change(CHECKPOINT, f"{ROOT}/{writer}", None, None, {"size": size, "root": root_of(trees).hex()})


def check_checkpoints(segments: Iterable[Segment]) -> list[Problem]:
    """The checkpoints that are not over what comes before them."""
    return [problem for chain in chains_of(segments).values() for problem in follow(chain, [])[0]]


def follow(chain: Iterable[Segment], trees: Subtrees) -> tuple[list[Problem], Subtrees]:
    """Wrong checkpoints in what continues a chain, whose tree before it is given; and its tree at the end."""
    problems: list[Problem] = []
    for segment in chain:
        leaves = leaves_of(segment)
        problems += _wrong(segment, leaves, trees)
        trees = grown(trees, leaves)
    return problems, trees


def _wrong(segment: Segment, leaves: list[bytes], trees: Subtrees) -> Iterator[Problem]:
    for line, entry in enumerate(segment.entries, 1):
        if entry.op == CHECKPOINT:
            before = grown(trees, leaves[: line - 1])
            size, root = sum(count for count, _ in before), root_of(before).hex()
            if (entry.detail.get("size"), entry.detail.get("root")) != (size, root):
                why = f"it does not hold the root over the {size:,} entries before it"
                yield Problem("wrong checkpoint", f"{segment.path}:{line}", why)
