"""What still exists: every record state that a branch of some clone (or of the remote) can reach, or that a journal holds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.core.collected import FOLDER, KIND, graves_in
from gitmem.core.record import State
from gitmem.errors import InvalidRecord
from tests.sim.clone import PLACES, Clone, Role
from tests.sim.oracle import Deed, Key, Proof

_REFS = ("--branches", "--glob=refs/gitmem/incoming/*", "HEAD", "MERGE_HEAD")


class Held:
    """Per record how far any existing state goes (writes, counters, values in the clear); and the segments of the log."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._counts: dict[tuple[str, str, str], int] = {}
        self._values: set[Key] = set()
        self._blobs: set[str] = set()
        self.segments: set[str] = set()

    def has(self, deed: Deed) -> bool:
        """Whether some existing state includes the deed."""
        proof, record = deed.proof, deed.record
        if proof.value is not None:
            return proof.value in self._values
        counted = all(self._counts.get((record, proof.writer, name), 0) >= total for name, total in proof.counts)
        return counted and self._seen.get((record, proof.writer), 0) >= proof.n

    def add_clone(self, clone: Clone) -> None:
        """Take in a clone: its branches, what it is in the middle of, and its journal."""
        self.add_repository(clone.path)
        if clone.role is Role.GIT_ONLY:
            return
        store = clone.memory.context.store
        store.refresh()
        for entry in store.journal.since((store.journal.position[0], 0)):
            self._add(parse(entry.text.encode("utf-8", "surrogatepass"), entry.path))

    def add_repository(self, path: Path) -> None:
        """Take in every version of every record that the branches of a repository reach."""
        refs = [ref for ref in _REFS if ref.startswith("--") or _git(path, "rev-parse", "-q", "--verify", ref)]
        listing = _git(path, "rev-list", "--objects", *refs).decode(errors="replace")
        self.segments.update(line.partition(" ")[2] for line in listing.splitlines() if " log/audit/" in line)
        blobs = dict(_records(listing))
        fresh = [blob for blob in blobs if blob not in self._blobs]
        self._blobs.update(fresh)
        for blob, data in _contents(path, fresh):
            try:
                for state in _states(parse(data, blobs[blob])):
                    self._add(state)
            except InvalidRecord:
                continue  # spoiled by somebody: it holds nothing

    def _add(self, state: State) -> None:
        for writer, n in state.seen.items():
            at = (state.id, writer)
            self._seen[at] = max(n, self._seen.get(at, 0))
        for name, by_writer in state.counts.items():
            for writer, total in by_writer.items():
                key = (state.id, writer, name)
                self._counts[key] = max(total, self._counts.get(key, 0))
        for place in PLACES:
            self._values.update(Key(state.id, place, str(value)) for value in state.fields.get(place, {}).values())


def proof_of(before: State | None, after: State) -> Proof | None:
    """How states will show that they include what happened between these two; None if nothing did.

    Raises AssertionError if more than one writer was at work, or anything went back.
    """
    seen = {} if before is None else before.seen
    counts = {} if before is None else before.counts
    assert all(after.seen.get(writer, 0) >= n for writer, n in seen.items()), f"{after.id} has unseen a write"
    writers = {writer for writer, n in after.seen.items() if n > seen.get(writer, 0)}
    counted = [
        (writer, name, total)
        for name, by_writer in after.counts.items()
        for writer, total in by_writer.items()
        if total > counts.get(name, {}).get(writer, 0)
    ]
    writers |= {writer for writer, _, _ in counted}
    if not writers:
        return None
    assert len(writers) == 1, f"{after.id}: one operation wrote as {sorted(writers)}"
    (writer,) = writers
    return Proof(writer, after.seen.get(writer, 0), tuple((name, total) for _, name, total in counted))


def _records(listing: str) -> Iterator[tuple[str, str]]:
    for line in listing.splitlines():
        name, _, path = line.partition(" ")
        if path.startswith(("memory/", f"{FOLDER}/")) and path.endswith(".yaml"):
            yield name, path


def _states(state: State) -> Iterable[State]:
    """The record itself; of a list of collected records what is left of each."""
    return graves_in(state).values() if state.kind == KIND else [state]


def _contents(path: Path, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    out = _git(path, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
    while out:
        head, _, rest = out.partition(b"\n")
        name, _, size = head.decode().split(" ")
        yield name, rest[: int(size)]
        out = rest[int(size) + 1 :]


def _git(path: Path, *args: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *args], cwd=path, input=stdin, capture_output=True, timeout=60, check=False).stdout
