"""The bytes of the files in a history, for `checks.py`: each blob is read and hashed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from gitmem.core.auditing.audit import MAX_SEGMENT, Problem, Segment
from gitmem.core.auditing.parse import parse_segment
from gitmem.errors import Tampered
from gitmem.git.repo import Repo
from gitmem.memory.auditing.history import History
from gitmem.store.layout import AUDIT


class Contents:
    """The bytes of the files in a history, each blob read and hashed once."""

    def __init__(self, repo: Repo, history: History) -> None:
        self.repo = repo
        self.tree = history.tree
        self.ids: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self._hash({blob for path, blobs in history.states.items() if not is_log(path) for blob in blobs})

    def _hash(self, blobs: set[str]) -> None:
        for blob, data in self.repo.read_blobs(sorted(blobs), MAX_SEGMENT):
            digest = sha256(data).hexdigest()
            self.digests[blob] = digest
            self.ids[digest] = blob

    def digest(self, blob: str) -> str:
        """The SHA-256 of a blob."""
        return self.digests.get(blob) or sha256(next(data for _, data in self.repo.read_blobs([blob], MAX_SEGMENT))).hexdigest()

    def load(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The bytes with these SHA-256."""
        blobs = self.repo.read_blobs(self.ids[digest] for digest in digests)
        return {self.digests[blob]: data for blob, data in blobs}

    def at_head(self, folder: str) -> dict[str, bytes]:
        """The files below a folder at HEAD."""
        return dict(self._files(folder))

    def _files(self, folder: str) -> Iterator[tuple[str, bytes]]:
        paths = {path: entry.id for path, entry in self.tree.items() if path.startswith(f"{folder}/")}
        yield from zip(paths, (data for _, data in self.repo.read_blobs(paths.values(), MAX_SEGMENT)), strict=True)

    def segments(self, problems: list[Problem]) -> list[Segment]:
        """The audit segments at HEAD; what is none becomes a problem."""
        segments = []
        for path, data in self._files(AUDIT):  # one by one: what is none may be huge, and many
            try:
                segments.append(parse_segment(data, path))
            except Tampered as error:
                where, _, why = error.message.partition(": ")
                problems.append(Problem("unreadable segment", where, why))
        return segments


def is_log(path: str) -> bool:
    """Whether a file belongs to the audit log."""
    return path.startswith(f"{AUDIT}/")
