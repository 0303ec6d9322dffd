"""What the journal holds that no commit holds yet, by record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gitmem.core.codec import parse
from gitmem.core.merge import merge
from gitmem.core.record import Json, State
from gitmem.store.journal import Entry

_VALUE: Final = re.compile(r": (?:\d+|\d{4}-\S+Z)$", re.MULTILINE)
_TIME: Final = re.compile(r": (\d{4}-\S+Z)$", re.MULTILINE)


class Pending:
    """The join of all journalled states and fragments per path, parsed only when asked for, and their events in order."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._states: dict[str, State] = {}
        self.events: list[Json] = []

    def __contains__(self, path: str) -> bool:
        return path in self._texts or path in self._states

    def __len__(self) -> int:
        return len(self._texts.keys() | self._states.keys())

    def paths(self) -> list[str]:
        """Every record with a pending write."""
        return sorted(self._texts.keys() | self._states.keys())

    def take(self, entries: Iterable[Entry]) -> None:
        """Add entries read from the journal."""
        for entry in entries:
            if entry.whole:
                self._states.pop(entry.path, None)
                self._texts[entry.path] = [entry.text]
            else:
                before = self._texts.get(entry.path, [])
                self._texts[entry.path] = [*(text for text in before if not _supersedes(entry.text, text)), entry.text]
            self.events.extend(entry.events)

    def add(self, path: str, state: State, whole: bool, events: Iterable[Json]) -> None:
        """Add a write of this process, whose state is at hand."""
        known = None if whole else self.get(path)
        self._texts.pop(path, None)
        self._states[path] = state if known is None else merge(known, state)
        self.events.extend(events)

    def get(self, path: str) -> State | None:
        """The join of what is pending for a record; None when nothing is."""
        for text in self._texts.pop(path, ()):
            state = parse(text.encode("utf-8", "surrogatepass"), f"journal:{path}")
            known = self._states.get(path)
            self._states[path] = state if known is None else merge(known, state)
        return self._states.get(path)

    def clear(self) -> None:
        """Forget everything: a commit holds it."""
        self._texts.clear()
        self._states.clear()
        self.events.clear()


def _supersedes(text: str, before: str) -> bool:
    """Whether a fragment says all that an earlier one says: the same writer's same counters, which only ever grow.

    Hundreds of matches between two commits would otherwise be parsed one by one at each cold start. What is a whole state, or
    was written by a clock that has gone back since, is kept.
    """
    return _VALUE.sub("", text) == _VALUE.sub("", before) and _TIME.findall(text) >= _TIME.findall(before)
