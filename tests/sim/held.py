"""What still exists: every record state that a branch of some clone (or of the remote) can reach, or that a journal holds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from gitmem.core.codec import parse
from gitmem.core.collected import FOLDER, KIND, graves_in
from gitmem.core.record import State
from gitmem.errors import InvalidRecord
from tests.sim.clone import PLACES, Clone, Role, refs
from tests.sim.oracle import Deed, Key, Proof

_REFS = ("refs/heads/", "refs/gitmem/incoming/")
_TRACKED = "refs/remotes/origin/main"
_HEADS = ("HEAD", "MERGE_HEAD")
DERIVED = ("m-", "p-")
"""How the writers of what follows from other writes begin: a migration's, and a pruning's."""


class Held:
    """Per record how far any existing state goes (writes, counters, values in the clear); and the segments of the log.

    What exists is what the branches of the remote or of a clone reach, what a clone is in the middle of, its journal, and what
    gitmem last saw on the remote: sync shares it again where somebody has thrown it away there.
    """

    def __init__(self, remote: Path, clones: Iterable[Clone]) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._counts: dict[tuple[str, str, str], int] = {}
        self._values: set[Key] = set()
        self.segments: set[str] = set()
        repos = [clone.repo for clone in clones]
        tracked = {refs(clone.repo.common_dir).get(_TRACKED, "") for clone in clones if clone.role is not Role.GIT_ONLY}
        self._add_history(remote, [*((repo.git_dir, repo.common_dir) for repo in repos), (remote, remote)], tracked - {""})
        for clone in clones:
            self._add_journal(clone)

    def has(self, deed: Deed) -> bool:
        """Whether some existing state includes the deed."""
        proof, record = deed.proof, deed.record
        if proof.value is not None:
            return proof.value in self._values
        counted = all(self._counts.get((record, proof.writer, name), 0) >= total for name, total in proof.counts)
        return counted and self._seen.get((record, proof.writer), 0) >= proof.n

    def counted(self, deed: Deed) -> set[str]:
        """The counters of some existing state that include the deed."""
        at = (deed.record, deed.proof.writer)
        return {name for name, total in deed.proof.counts if self._counts.get((*at, name), 0) >= total}

    def _add_journal(self, clone: Clone) -> None:
        if clone.role is Role.GIT_ONLY:
            return
        store = clone.reopened().context.store
        store.refresh()
        for entry in store.journal.since((store.journal.position[0], 0)):
            self._add(parse(entry.text.encode("utf-8", "surrogatepass"), entry.path))

    def _add_history(self, at: Path, places: Sequence[tuple[Path, Path]], tracked: Collection[str]) -> None:
        """Take in every version of every record, from all places with one look."""
        tips = {*tracked, *(tip for own, common in places for tip in _tips(own, common))}
        env = {**os.environ, "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(f"{common}/objects" for _, common in places)}
        listing = _git(at, env, "rev-list", "--objects", "--stdin", stdin="\n".join(tips)).decode(errors="replace")
        self.segments.update(path for _, path in _named(listing) if path.startswith("log/audit/") and path.endswith(".jsonl"))
        blobs = dict(_records(listing))
        for blob, data in _contents(_git(at, env, "cat-file", "--batch", stdin="\n".join(blobs))):
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
    writers = {writer for writer, n in after.seen.items() if n > seen.get(writer, 0) and not writer.startswith(DERIVED)}
    counted = [
        (writer, name, total)
        for name, by_writer in after.counts.items()
        for writer, total in by_writer.items()
        if total > counts.get(name, {}).get(writer, 0) and not writer.startswith(DERIVED)
    ]
    writers |= {writer for writer, _, _ in counted}
    if not writers:
        return None
    assert len(writers) == 1, f"{after.id}: one operation wrote as {sorted(writers)}"
    (writer,) = writers
    n = after.seen.get(writer, 0)
    # A use writes no value: it is there also where the write before it, a deletion that a reset has undone, is not.
    return Proof(writer, n if n > seen.get(writer, 0) else 0, tuple((name, total) for _, name, total in counted))


def _named(listing: str) -> Iterator[tuple[str, str]]:
    """The objects with their paths: files, and folders as well."""
    for line in listing.splitlines():
        name, _, path = line.partition(" ")
        yield name, path


def _records(listing: str) -> Iterator[tuple[str, str]]:
    for name, path in _named(listing):
        if path.startswith(("memory/", f"{FOLDER}/")) and path.endswith(".yaml"):
            yield name, path


def _states(state: State) -> Iterable[State]:
    """The record itself; of a list of collected records what is left of each."""
    return graves_in(state).values() if state.kind == KIND else [state]


def _tips(own: Path, common: Path) -> Iterator[str]:
    """What the branches of a clone stand at, what is checked out, and what is being merged."""
    for name, value in refs(common).items():
        if name.startswith(_REFS):
            yield value
    for name in _HEADS:
        if (own / name).exists():
            yield from (line for line in (own / name).read_text().split("\n") if line and not line.startswith("ref: "))


def _contents(out: bytes) -> Iterator[tuple[str, bytes]]:
    start = 0
    while start < len(out):
        end = out.index(b"\n", start)
        name, _, size = out[start:end].decode().split(" ")
        start = end + 1 + int(size) + 1
        yield name, out[end + 1 : start - 1]


def _git(path: Path, env: Mapping[str, str], *args: str, stdin: str) -> bytes:
    return subprocess.run(
        ["git", *args], cwd=path, env=env, input=stdin.encode(), capture_output=True, timeout=60, check=True
    ).stdout
