"""Finding what git's history took from the store: see `core.heal` for what that is.

Every commit not examined yet is held against each of its parents. What gitmem itself committed needs no second look: the
commit's own segment names the content before and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from gitmem.core.dots import dot_of
from gitmem.core.heal import Loss, examine, registers
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import InvalidRecord
from gitmem.git.lineage import Step, walk
from gitmem.git.repo import Entry
from gitmem.memory.auditing.vouched import entries_in
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, is_newer, kept_of, not_genuine, path_problem, sound_state
from gitmem.memory.syncing.quarantine import oddity
from gitmem.store.layout import ATTRIBUTES, AUDIT, EVENTS, KEYS, MEMORY, OWN_PREFIXES, epoch_at

_AT_ONCE = 2000  # steps whose contents are held in memory together


@dataclass(slots=True)
class Wound:
    """What one file lost: states to be joined in again, values to be written again, and contents that somebody must answer for.

    `original` is the blob that a file which is no record had at first, `blobs` are those it had instead (None: it went).
    `broken` says why contents (SHA-256) were not sound.
    """

    joins: list[State] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    answers: set[str | None] = field(default_factory=set)
    original: str | None = None
    blobs: set[str | None] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """All of a range: wounds by path, whether it holds what is no plain file, and what is left alone, with the reason."""

    wounds: dict[str, Wound] = field(default_factory=dict)
    odd: bool = False
    left: dict[str, str] = field(default_factory=dict)

    def wound(self, path: str) -> Wound:
        """The wound of a path, a new one if there is none yet."""
        return self.wounds.setdefault(path, Wound())


def find(context: Context, head: str, since: str | None) -> Found:
    """Examine the commits that `head` reaches and `since` does not (None: all)."""
    store, found = context.store, Found()
    paths = [store.prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    steps = list(walk(store.repo, head, since, paths))
    look = _Look(context, found)
    look.learn_of(step.new.id for step in steps if step.new and step.path.startswith(f"{store.prefix}{AUDIT}/"))
    records = [step for step in steps if look.sort(step)]  # first the keys that went: records may be sealed with them
    for start in range(0, len(records), _AT_ONCE):
        context.progress("history", start, len(records))
        look.take(records[start : start + _AT_ONCE])
    return found


class _Look:
    """One examination: the changes that segments in the range sign for, and the contents at hand."""

    def __init__(self, context: Context, found: Found) -> None:
        self.context = context
        self.found = found
        self.prefix = context.store.prefix
        self.signed: set[tuple[str, str | None, str | None]] = set()
        self.contents: dict[str, bytes] = {}
        self.lost: set[tuple[str, str]] = set()
        self.states: dict[tuple[str, str], State | str] = {}

    def learn_of(self, segments: Iterable[str]) -> None:
        """Read the segments that the range brought."""
        for _, data in self.context.store.repo.read_blobs(segments):
            for entry in entries_in(data):
                self.signed.add((entry.object, entry.before, entry.after))

    def take(self, steps: Iterable[Step]) -> None:
        """Examine steps of records, their contents read at once."""
        records = [*steps]
        lost = (epoch_at(path) for path in self.found.wounds if path.startswith(f"{KEYS}/"))
        self.lost = {epoch for epoch in lost if epoch}
        wanted = {entry.id for step in records for entry in {step.new, *step.olds} if entry and _plain(entry)}
        self.contents = dict(self.context.store.repo.read_blobs(sorted(wanted), MAX_BYTES))
        self.states = {}
        for step in records:
            self._record(step, step.path.removeprefix(self.prefix))

    def sort(self, step: Step) -> bool:
        """Deal with what is no record; True for a record."""
        path = step.path.removeprefix(self.prefix)
        if step.new and oddity(path, step.new):
            self.found.odd = True
        if path_problem(path):
            return False
        if holds_record(path) or (path.startswith(f"{MEMORY}/") and (path.endswith(".yaml") or kept_of(path))):
            return True
        if path.startswith(f"{MEMORY}/"):
            if step.new:
                self.found.left[path] = "it is no record"
            return False
        self._other(step, path)
        return False

    def _other(self, step: Step, path: str) -> None:
        """Logs are only added to; of keys, schemas and the like only a removal shows that nobody meant it, or a link there."""
        kept = path.startswith((f"{AUDIT}/", f"{EVENTS}/"))
        for old in step.olds:
            if old and _plain(old) and old != step.new and (kept or not _plain(step.new)):
                wound = self.found.wound(path)
                wound.original = wound.original or old.id
                wound.blobs.add(step.new.id if step.new and _plain(step.new) else None)

    def _record(self, step: Step, path: str) -> None:
        new = step.new if _plain(step.new) else None
        state = self._state(path, new) if new else None
        if kept_of(path) and not isinstance(state, str):
            if new:
                self.found.left[path] = "it was kept by a merge that could not join it"
            return
        if isinstance(state, str) and new:
            if is_newer(self.contents[new.id]):
                self.found.left[path] = state
                return
            self._break(path, new, state)
        olds = {old for old in step.olds if old is not None and _plain(old)}
        signed = self._is_signed(step, path)
        parents = [found for old in sorted(olds) if isinstance(found := self._state(path, old), State)]
        if isinstance(state, State) and not self._authenticate(path, new, state, parents):
            state = None
        if not olds - {new} or (signed and (new is None or isinstance(state, State))):
            return
        self._compare(step, path, state if isinstance(state, State) else None, parents)

    def _compare(self, step: Step, path: str, child: State | None, parents: list[State]) -> None:
        try:
            finding = examine(child, parents)
            if finding.join or finding.losses:  # a parent may hold what was taken out of another branch as not genuine
                parents = [parent for parent in parents if not self._why_not(path, parent)]
                finding = examine(child, parents)
        except InvalidRecord:
            return  # a list, a member or the configuration of another name took this one's place
        if finding.join or finding.losses:
            wound = self.found.wound(path)
            wound.joins += parents
            wound.losses += finding.losses
            wound.answers.add(self._digest(step.new) if _plain(step.new) else None)

    def _authenticate(self, path: str, new: Entry | None, state: State, parents: list[State]) -> bool:
        """Whether the values that no parent had are genuine. A signature says who wrote them, not that they are well."""
        if not _adds(state, parents):
            return True
        why = self._why_not(path, state)
        if why and new:
            self.states[path, new.id] = why
            self._break(path, new, why)
        return why is None

    def _why_not(self, path: str, state: State) -> str | None:
        return not_genuine(self.context, path, state, self.lost)

    def _break(self, path: str, new: Entry, why: str) -> None:
        wound, digest = self.found.wound(path), self._hash(new)
        wound.broken[digest] = why
        wound.answers.add(digest)

    def _is_signed(self, step: Step, path: str) -> bool:
        """Whether the one who made the commit signed for just this change."""
        if len(step.olds) != 1 or not all(map(_plain, (step.new, *step.olds))):
            return False
        return (path, self._digest(step.olds[0]), self._digest(step.new)) in self.signed

    def _digest(self, entry: Entry | None) -> str | None:
        return None if entry is None else self._hash(entry)

    def _hash(self, entry: Entry) -> str:
        """The SHA-256 of all that a blob holds; of what is too large for a record only the beginning is at hand."""
        data = self.contents[entry.id]
        whole = data if len(data) <= MAX_BYTES else next(one for _, one in self.context.store.repo.read_blobs([entry.id]))
        return sha256(whole).hexdigest()

    def _state(self, path: str, entry: Entry) -> State | str:
        """The record in a blob, or why it is none."""
        known = self.states.get((path, entry.id))
        if known is None:
            try:
                known = sound_state(kept_of(path) or path, self.contents[entry.id])
            except InvalidRecord as error:
                known = error.message
            self.states[path, entry.id] = known
        return known


def _plain(entry: Entry | None) -> bool:
    return entry is not None and entry.mode.startswith("100")


def _adds(state: State, parents: list[State]) -> bool:
    """Whether a state holds a value that none of the parents holds."""
    known = {(path, dot_of(key)) for parent in parents for path, register in registers(parent) for key in register}
    values = {(path, str(value)) for parent in parents for path, register in registers(parent) for value in register.values()}
    return any(
        (path, dot_of(key)) not in known or (path, str(value)) not in values
        for path, register in state.registers()
        for key, value in register.items()
    )
