"""A pin: how far a store's log had come when somebody looked, in a form that fits into one line of an invitation.

It names the founder's key, a commit, and ends of chains. Whoever holds one can tell a store that has lost something since from
one that only went on: each end it names must still be there, under the same number, with the same hash. Because an entry quotes
the one before it and the ends of other chains, few ends stand for all there was.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitmem.core.auditing.audit import ROOT, Problem, Segment
from gitmem.core.auditing.chain import quotes
from gitmem.core.record import RECORD_ID, WRITER
from gitmem.errors import UsageError

CUT: Final = "cut chain"
FORKED: Final = "forked chain"
FOUNDED: Final = "another beginning"
REWRITTEN: Final = "rewritten history"

_PREFIX: Final = "gitmem-pin:1"
_MAX_TEXT: Final = 64 * 1024
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_END: Final = re.compile(rf"({WRITER.pattern})\.([1-9][0-9]{{0,14}})\.([A-Za-z0-9_-]{{43}})")

Ends = dict[str, tuple[int, str]]
"""Of chains, by writer, the number and the hash of an entry."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What is known to have been in a store: its id, the fingerprint of its founder's key, a commit, and ends of chains."""

    store: str
    genesis: str
    commit: str
    ends: Ends = field(default_factory=dict)

    def text(self) -> str:
        """The pin as one word without spaces."""
        ends = (f"{writer}.{seq}.{_short(digest)}" for writer, (seq, digest) in sorted(self.ends.items()))
        return "/".join([_PREFIX, self.store, self.genesis.replace("/", "_"), self.commit, *ends])


def parse_pin(text: str) -> Pin:
    """Read a pin. Raises UsageError for anything else."""
    prefix, *parts = text.strip().split("/") if len(text) <= _MAX_TEXT else [""]
    ends = [_END.fullmatch(part) for part in parts[3:]]
    if prefix == _PREFIX and len(parts) >= 3 and all(ends):
        store, genesis, commit = parts[0], parts[1].replace("_", "/"), parts[2]
        if RECORD_ID.fullmatch(store) and _FINGERPRINT.fullmatch(genesis) and _COMMIT.fullmatch(commit):
            return Pin(store, genesis, commit, {end[1]: (int(end[2]), _long(end[3])) for end in ends if end})
    raise UsageError("this is no pin of a store, or it was cut off", "`gitmem audit pin` prints one in a clone that is sound")


def frontier(segments: Iterable[Segment], ends: Mapping[str, tuple[int, str]]) -> Ends:
    """Those of `ends` that no other chain quotes in these segments: the rest stands and falls with them."""
    quoted: dict[str, int] = {}
    for segment in segments:
        for writer, (seq, _) in quotes(segment.entries[0]).items():
            if writer != segment.writer:
                quoted[writer] = max(seq, quoted.get(writer, 0))
    return {writer: end for writer, end in ends.items() if end[0] > quoted.get(writer, 0)}


def held_against(pinned: Mapping[str, tuple[int, str]], hash_at: Callable[[str, int], str | None], since: str) -> list[Problem]:
    """What a log has lost of the ends that were seen. `hash_at` gives the hash of an entry in it, None where there is none;
    `since` says who had seen them."""
    problems = []
    for writer, (seq, digest) in sorted(pinned.items()):
        held = hash_at(writer, seq)
        if held is None:
            problems.append(
                Problem(CUT, f"{ROOT}/{writer}", f"{since} had its entry {seq}, which is not here: its end was cut off")
            )
        elif held != digest:
            problems.append(Problem(FORKED, f"{ROOT}/{writer}", f"its entry {seq} is not the one that {since} had"))
    return problems


def _short(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _long(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=").hex()
