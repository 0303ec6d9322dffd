"""A store as one replica holds it: the tree, the journal above it, the marks and the keys.

The state of a record is always the join of its file and what the journal still holds of it, so that a crash, a reset or a
branch switch between the two changes nothing that was acknowledged.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge, normalise
from gitmem.core.record import MAX_BYTES, Json, State
from gitmem.errors import GitmemError, InvalidRecord, Locked
from gitmem.git.own_files import attribute_files, is_pipe
from gitmem.git.places import chosen
from gitmem.git.repo import Repo
from gitmem.store.config import StoreConfig, load_config
from gitmem.store.files import disk_error, inside, not_regular, read_bounded, write_atomic
from gitmem.store.graves import Graves
from gitmem.store.journal import Entry, Journal
from gitmem.store.layout import CONFIG, parse_record_path
from gitmem.store.lock import Lock
from gitmem.store.marks import Mark, Marks, Owner, highest, is_behind, mark_of
from gitmem.store.pending import Pending
from gitmem.store.place import local_of
from gitmem.store.replica import (
    MARKS,
    Replica,
    begin_replica,
    load_replica,
    nobody,
    owner_of,
    rotated,
    save_replica,
    touch,
    version,
)
from gitmem.store.vault import Vault

if TYPE_CHECKING:
    from gitmem.crypto.identity import Identity


class Write(NamedTuple):
    """One write to be acknowledged: the record's path, its new state (or a fragment of counters) and what happened."""

    path: str
    state: State
    whole: bool = True
    events: Sequence[Json] = ()


class Store:
    """An open store. Reading needs no lock; `write` is called under `lock`, after `refresh`."""

    def __init__(self, root: Path, repo: Repo, identities: Iterable[Identity]) -> None:
        self.root = root
        self.repo = repo
        self.local = local_of(repo)
        _make_local(self.local)
        for file in attribute_files(repo.root, self.prefix):
            if is_pipe(file):  # git would wait there
                raise not_regular(file)
        self.config: StoreConfig = load_config(root)
        self.lock = Lock(self.local / "lock")
        self.journal = Journal(self.local / "journal")
        self.marks = Marks(self.local / MARKS)
        self.pending = Pending()
        self.graves = Graves(root, self.local)
        self.vault = Vault(root, self.config.store, self.config.plain, identities)
        self.replica = load_replica(self.local) or self._begin()
        self._replica_version = version(self.local)
        self._files: dict[str, tuple[tuple[int, int, int], State]] = {}

    def read_config(self) -> StoreConfig:
        """The configuration as it lies now; where a revert took it and nobody here can sign for its return, as last read."""
        if (self.root / CONFIG).exists():
            self.config = load_config(self.root)
        return self.config

    @property
    def id(self) -> str:
        """The store's id."""
        return self.config.store

    @property
    def prefix(self) -> str:
        """The store's root relative to the repository's, with a slash at the end; empty where they are the same."""
        relative = os.path.relpath(self.root, self.repo.root)
        return "" if relative == "." else f"{relative}/"

    @property
    def git_here(self) -> str:
        """How a person calls git for this store: the work tree of one beside code is not the one they are in."""
        return f"git -C {shlex.quote(str(self.root))}" if chosen(self.repo).branch else "git"

    def git_hint(self, command: str, path: str) -> str:
        """A git command about one of the store's files as a person may type it at the top of the repository."""
        return f"`{self.git_here} {command} {shlex.quote(self.prefix + path)}`"

    def close(self) -> None:
        """Close what is open."""
        self.journal.close()
        self.marks.close()
        self.lock.close()
        self.repo.close()

    def refresh(self) -> None:
        """Take in what other processes of this replica wrote since."""
        self.vault.look_again()
        current = version(self.local)
        if current != self._replica_version:
            self.replica, self._replica_version = load_replica(self.local) or self.replica, current
        restarted, entries = self.journal.refresh()
        if restarted:
            self.pending.clear()
        self.pending.take(entries)

    def read(self, path: str) -> State | None:
        """The state of the record at `path`, None if there is none. Raises InvalidRecord for a file that is none."""
        stored, pending = self.read_file(path), self.pending.get(path)
        return self.graves.bury(path, pending if stored is None else stored if pending is None else merge(stored, pending))

    def read_file(self, path: str) -> State | None:
        """The state in the work tree alone, hand edits turned into writes."""
        try:
            info = os.lstat(f"{self.root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        signature = (info.st_mtime_ns, info.st_size, info.st_ino)
        known = self._files.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        scope, kind, record_id = parse_record_path(path)
        data = read_bounded(inside(self.root, path), MAX_BYTES)
        if data is None:
            return None
        state = normalise(parse(data, path))
        if (state.scope, state.kind, state.id) != (scope, kind, record_id):
            raise InvalidRecord(
                f"{path} holds the record {state.scope}/{state.kind}/{state.id}, which does not belong there",
                "a file was copied or renamed: restore it with git, or `gitmem doctor`",
            )
        self._remember(path, signature, state)
        return state

    def writer_for(self, path: str, state: State | None) -> str:
        """The writer to use for the next write to a record, rotated first if the record has gone back behind our marks.

        Where the marks are not ours (lost, or copied or restored from another time), or the record holds more in our name than
        we wrote, somebody else may be writing under it: only a new name is safe.
        """
        self.leave_retired()
        mark = self.marks.get(path, self._owner())
        held = (0, {}) if state is None else mark_of(state, self.replica.writer)
        if mark is None or is_behind(self._told(path, mark), held):
            self.begin_anew()
        elif is_behind(held, mark):
            self.rotate()
        return self.replica.writer

    def confirm(self) -> None:
        """Take a new name if our marks are lost, or were brought back from another time. Called under the lock."""
        self.leave_retired()
        if self.marks.get("", self._owner()) is None:
            self.begin_anew()

    def begin_anew(self) -> None:
        """Write under a name that nobody has used."""
        self.replica = begin_replica(self.local)
        self._replica_version = version(self.local)

    def put_marks(self, states: Iterable[tuple[str, State]]) -> None:
        """Set the marks of records as they stand in a commit; the replica's file is touched, so that older ones show."""
        writer = self.replica.writer
        marks = [(path, mark_of(state, writer)) for path, state in states]
        touch(self.local)
        self._replica_version = version(self.local)
        # With the number of the next journal, which a commit begins: beside an older one the marks are not ours.
        self.marks.put(marks, self._owner()._replace(journal=self.journal.position[0] + 1))

    def leave_retired(self) -> None:
        """Take a new name if the team waits no more for the old one. Called under the lock, before anything is written."""
        if self.replica.name in self.config.retired:
            self.begin_anew()

    def rotate(self) -> None:
        """Write under a new name from here on: what was written under the old one is not all in the tree."""
        self.replica = rotated(self.replica)
        save_replica(self.local, self.replica)
        self._replica_version = version(self.local)
        self.marks.forget(self._owner())

    def write(self, writes: Iterable[Write], *, sync: bool = True) -> None:
        """Acknowledge writes: one append to the journal, on the disk before this returns; then the work tree follows.

        What fails after the append fails nobody: the state of a record is the join of file and journal, and a commit writes
        the file again.
        """
        writes = list(writes)
        texts = [(write, emit(write.state)) for write in writes]
        self.journal.append(
            (Entry(w.path, data.decode("utf-8"), w.whole, w.events) for w, data in texts),
            sync=sync,
        )
        for write, data in texts:
            self.pending.add(write.path, write.state, write.whole, write.events)
            if write.whole:
                with suppress(GitmemError):
                    self.put_file(write.path, data)

    def forget_committed(self, left: Collection[str] = ()) -> None:
        """Start the journal anew after a commit. Entries of the paths in `left` stay, without their events: it holds those."""
        entries = self.journal.since((self.journal.position[0], 0)) if left else []
        self.journal.clear(Entry(entry.path, entry.text, entry.whole) for entry in entries if entry.path in left)
        self.pending.clear()
        self.refresh()

    def expunge(self, states: Mapping[str, State]) -> None:
        """Drop what the journal holds of records, events included, and mark them as they stand in `states`."""
        kept = [entry for entry in self.journal.since((self.journal.position[0], 0)) if entry.path not in states]
        self.put_marks(states.items())
        self.journal.clear(kept)
        self.pending.clear()
        self.forget_files()
        self.refresh()

    def forget_files(self) -> None:
        """Read every record file again when it is next asked for, also one whose size and time say that it is as it was."""
        self._files.clear()

    def put_file(self, path: str, data: bytes) -> None:
        """Write a record into the work tree. Not durable by itself: the journal, then a commit, holds what it says."""
        write_atomic(inside(self.root, path), data)

    def sealing(self, state: State) -> Callable[[str, str, Json], Json]:
        """How values of `state` are stored."""
        return self.vault.sealing(state.scope, state.kind, state.id)

    def _begin(self) -> Replica:
        """Give this git directory a replica name, unless another process did meanwhile.

        A disk that takes no writes can be read without one; the first write tries again.
        """
        try:
            with self.lock:
                return load_replica(self.local) or begin_replica(self.local)
        except Locked:
            raise
        except GitmemError:
            return nobody()

    def _owner(self) -> Owner:
        """Whose the marks must be. `refresh` was called before."""
        return owner_of(self._replica_version, self.replica, self.journal.position[0])

    def _told(self, path: str, mark: Mark) -> Mark:
        """How far we have come on a record: what its mark says, and what waits in the journal."""
        pending = self.pending.get(path)
        return mark if pending is None else highest(mark, mark_of(pending, self.replica.writer))

    def _remember(self, path: str, signature: tuple[int, int, int], state: State) -> None:
        if len(self._files) > 1024:
            self._files.clear()
        self._files[path] = (signature, state)


def _make_local(local: Path) -> None:
    try:
        local.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidRecord(f"{local} is no directory", "`gitmem doctor --fix` moves it out of the way") from None
    except OSError as error:
        raise disk_error(error, "cannot make the store's local directory") from error
