"""A witness statement: somebody saw the log at a time, and signs for how far each chain had come and for its Merkle root.

It is one line of canonical JSON and one line with a signature over the first, as the last line of a segment is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gitmem.core.auditing.audit import ROOT, Problem, Segment
from gitmem.core.auditing.chain import chains_of
from gitmem.core.auditing.checkpoint import leaves_of
from gitmem.core.auditing.merkle import grown, root_of
from gitmem.core.auditing.pin import Ends, held_against
from gitmem.core.dots import json_line
from gitmem.core.record import WRITER, Json
from gitmem.errors import InvalidRecord, UsageError

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_MAX: Final = 4 << 20
_HINT: Final = "`gitmem audit witness` makes one"


@dataclass(frozen=True, slots=True)
class Witness:
    """What was seen: of each chain (by writer) the number and hash of its last entry, and the root over its entries."""

    store: str
    genesis: str
    commit: str
    time: str
    by: str
    ends: Ends
    roots: dict[str, str]


def witnessed(segments: Iterable[Segment]) -> tuple[Ends, dict[str, str]]:
    """The ends and the roots of all chains."""
    chains = chains_of(segments)
    last = {writer: chain[-1].head for writer, chain in chains.items()}
    trees = {writer: grown([], (leaf for segment in chain for leaf in leaves_of(segment))) for writer, chain in chains.items()}
    return {w: (head.seq, head.hash) for w, head in last.items()}, {w: root_of(tree).hex() for w, tree in trees.items()}


def signed(witness: Witness, sign: Callable[[bytes], str], key: str) -> bytes:
    """The statement as it is given to others; `sign` gives the armored signature by `key`."""
    fields: dict[str, Json] = {
        "v": 1,
        "witness": witness.store,
        "genesis": witness.genesis,
        "commit": witness.commit,
        "time": witness.time,
        "by": witness.by,
        "chains": {writer: [seq, digest, witness.roots[writer]] for writer, (seq, digest) in witness.ends.items()},
    }
    body = json_line(fields).encode() + b"\n"
    return body + json_line({"key": key, "sig": sign(body)}).encode() + b"\n"


def parse_witness(data: bytes) -> tuple[Witness, bytes, str, str]:
    """(what was seen, the bytes that are signed, the key, its armored signature). Raises UsageError for anything else."""
    lines = data.split(b"\n") if len(data) <= _MAX else []
    if len(lines) != 3 or lines[2]:
        raise UsageError("this is no witness statement, or it was cut off", _HINT)
    try:
        body, end = _canonical(lines[0]), _canonical(lines[1])
        chains = {
            _writer(writer): (int(seq), _hex(digest), _hex(root)) for writer, (seq, digest, root) in body["chains"].items()
        }
        names = ("witness", "genesis", "commit", "time", "by")
        store, genesis, commit, time, by = (str(body[name]) for name in names)
        key, signature = str(end["key"]), str(end["sig"])
        if body["v"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidRecord):
        raise UsageError("this is no witness statement of a form known here", _HINT) from None
    ends = {writer: (seq, digest) for writer, (seq, digest, _) in chains.items()}
    roots = {writer: root for writer, (_, _, root) in chains.items()}
    return Witness(store, genesis, commit, time, by, ends, roots), lines[0] + b"\n", key, signature


def check_witness(witness: Witness, segments: Iterable[Segment]) -> list[Problem]:
    """What the log lacks of all that a witness saw."""
    chains = chains_of(segments)
    hashes = {(e.writer, e.seq): e.hash for chain in chains.values() for segment in chain for e in segment.entries}
    problems = held_against(witness.ends, lambda writer, seq: hashes.get((writer, seq)), f"the witness of {witness.time}")
    lost = {problem.where for problem in problems}
    for writer, (seq, _) in witness.ends.items():
        leaves = [leaf for segment in chains.get(writer, []) for leaf in leaves_of(segment)][:seq]
        if f"{ROOT}/{writer}" not in lost and root_of(grown([], leaves)).hex() != witness.roots[writer]:
            why = f"the root over its first {seq:,} entries is not the one in the witness statement"
            problems.append(Problem("wrong witness", f"{ROOT}/{writer}", why))
    return problems


def _canonical(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict) or json_line(value).encode() != line:
        raise ValueError
    return value


def _writer(text: str) -> str:
    if not WRITER.fullmatch(text):
        raise ValueError
    return text


def _hex(text: str) -> str:
    if not _HEX.fullmatch(text):
        raise ValueError
    return text
