"""Histories that were rewritten with a signed notice, and how a clone leaves the old one behind.

A notice names the first commits that got new names. Whoever descends from one of them has the old history. Where old and new
meet, in whichever direction, their contents are joined as in any merge, and the commit that is made descends from the new one
alone: an old history is never taken in again, by nobody, whether it comes from a clone that was away, a side ref, or a remote
that was set back. What only the old one held (work not shared yet) is carried over with that one commit.

A notice counts if an administrator signed it in the log of the side that brings it, and if nothing of ours is missing there:
no segment of the log, and no record that was not collected or erased. Without a notice that counts, a rewritten history is
taken for one that somebody forced upon the remote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from gitmem.core.auditing.audit import REWRITE, Segment
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import emit, parse
from gitmem.core.collected import grave_in, is_list_path, list_of
from gitmem.core.dots import json_line
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import element_key
from gitmem.core.membership.fold import fold
from gitmem.core.membership.members import Members, Rank
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, Tampered, UsageError
from gitmem.git import rewriting
from gitmem.memory.catchup import drop_index
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.members.folded import segments_here
from gitmem.store.layout import AUDIT, CONFIG, OWN_PREFIXES, STORE_SCOPE, is_record_path

NOTICES: Final = "rewritten"
_NOTE: Final = "tidy"
_BEGUN: Final = "rewriting"
_HEALED: Final = "healed"
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Notice:
    """One rewriting: the last commit before and after, the first commits (old names) that changed, a digest of all names."""

    old: str
    new: str
    first: tuple[str, ...]
    map: str
    commits: int

    @property
    def text(self) -> str:
        """How it stands in the configuration and in the log."""
        return json_line(asdict(self) | {"first": [*self.first]})


class Crossing(NamedTuple):
    """Where old and new history meet: the commit to go on from, and what both sides come from."""

    onto: str
    bases: list[str]


def begin(context: Context, notice: Notice) -> None:
    """Note, durably, that the branch is about to move to a rewritten history: the next sync signs if we are killed."""
    context.store.marks.set_note(_BEGUN, notice.text)


def finish_rewriting(context: Context) -> None:
    """Commit the notice of a rewriting whose history HEAD has; what a killed one left is removed. Under the store's lock."""
    store = context.store
    notice = _read(store.marks.note(_BEGUN) or None)
    if notice is not None and store.repo.head() == notice.new:
        store.marks.set_note(_HEALED, notice.new)
        commit(context, "gitmem: erased from history", [_extra(context, notice)])
        leave(context)
    if notice is not None:
        store.marks.set_note(_BEGUN, "")
        rewriting.remove_leftovers(store.local)


def _extra(context: Context, notice: Notice) -> Extra:
    """The configuration with a notice in it."""
    store = context.store
    state = store.read_config().state
    pen = Pen(state, store.writer_for(CONFIG, state))
    key = element_key(store.vault.id_key(STORE_SCOPE), f"{state.id}/{NOTICES}", notice.text)
    pen.add(NOTICES, key, unsealed(notice.text))
    pen.live()
    return Extra(CONFIG, emit(pen.state), REWRITE, {REWRITE: notice.text})


def crossing(context: Context, ours: str | None, theirs: str) -> Crossing | None:
    """How to take in a commit when one of both has the old history and the other the new; None where neither is the case."""
    here = _told(context.store.read_config().state)
    there = _told(_config_at(context, theirs))
    if ours is None or not here | there:
        return None
    mine, other = (_valid(context, side, told) for side, told in ((ours, here), (theirs, there)))
    notices = {*mine, *other}
    ours_old, theirs_old = (_gone(context, side, notices) for side in (ours, theirs))
    if bool(ours_old) == bool(theirs_old):
        return None
    notice = (ours_old or theirs_old)[0]
    onto, left = (theirs, ours) if ours_old else (ours, theirs)
    bases = _bases(context, notice, onto, left)
    if ours_old and (why := _missing(context, bases, theirs)):
        raise Tampered(
            f"the history was rewritten, and {why} is not in the new one", "ask whoever signed the notice: `gitmem audit log`"
        )
    leave(context)
    if ours_old:
        context.store.marks.set_note(_HEALED, notice.new)
    return Crossing(onto, bases)


def explained(context: Context, before: str, after: str) -> bool:
    """Whether a notice says that the history of `before` became that of `after`."""
    return bool(_gone(context, before, _valid(context, after, _told(_config_at(context, after)))))


def overrun(context: Context, theirs: str | None) -> str | None:
    """`theirs`, the remote's commit, if it has an old history and we the new one: then it is to be replaced."""
    notices = _told(context.store.read_config().state)
    head = context.store.repo.head()
    if not notices or theirs is None or head is None or not _gone(context, theirs, notices) or _gone(context, head, notices):
        return None
    return theirs if _gone(context, theirs, _valid(context, head, notices)) else None


def tidy_up(context: Context) -> list[str]:
    """Forget the old history in this clone, if it has just been left; what still refers to it, in words."""
    store = context.store
    notices = _told(store.read_config().state)
    if not notices:
        return []
    with store.lock:
        store.refresh()
        drop_index(context)
        olds = [first for notice in notices for first in notice.first]
        rewriting.tidy(store.repo, [store.repo.current_ref()], olds)
        store.marks.set_note(_NOTE, "")
        kept = rewriting.holders(store.repo, olds)
    return [f"{ref} in this clone still reaches what was erased: delete it, then `git gc --prune=now`" for ref in kept]


def left_behind(context: Context) -> list[str]:
    """The first commits of all histories that were rewritten."""
    return [first for notice in _told(context.store.read_config().state) for first in notice.first]


def leave(context: Context) -> None:
    """Note that this clone has objects of an old history to forget."""
    context.store.marks.set_note(_NOTE, "left")


def has_walked(context: Context) -> bool:
    """Whether this clone has left an old history, or met one, and not tidied up since."""
    return context.store.marks.note(_NOTE) != ""


def require_admin(context: Context) -> None:
    """Raise UsageError unless whoever signs here is an administrator by the log."""
    members, _ = fold(segments_here(context))
    name = members.holder(context.store.vault.signing_key().public)
    if name is None or not _is_admin(members, name):
        raise UsageError(f"{name or 'who signs here'} is no administrator of this store", "`gitmem member list` shows who is")


def _is_admin(members: Members, name: str) -> bool:
    """Whether somebody says who is a member, or did until they left."""
    member = members.by_name.get(name) or members.removed.get(name)
    return member is not None and member.rank >= Rank.ADMIN


def _told(config: State | None) -> set[Notice]:
    registers = {} if config is None else config.sets.get(NOTICES, {})
    values = [value for register in registers.values() for value in register.values()][:_MOST]
    return {notice for value in values if (notice := _read(value))}


def _read(value: object) -> Notice | None:
    """A notice, read with distrust."""
    try:
        told = json.loads(value) if isinstance(value, str) else {}
        notice = Notice(told["old"], told["new"], tuple(told["first"]), told["map"], told["commits"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    names = (notice.old, notice.new, *notice.first)
    named = all(isinstance(n, str) and n.isalnum() and len(n) in (40, 64) for n in names)
    return notice if named and isinstance(notice.map, str) and isinstance(notice.commits, int) else None


def _config_at(context: Context, commit: str) -> State | None:
    data = contents_at(context, commit, [CONFIG]).get(CONFIG)
    try:
        return None if data is None else parse(data, CONFIG)
    except InvalidRecord:
        return None  # told of by whoever takes it in


def _gone(context: Context, commit: str, notices: Iterable[Notice]) -> list[Notice]:
    """The notices that say of a commit's history that it is an old one."""
    found = (notice for notice in notices if rewriting.reaches(context.store.repo, commit, notice.first))
    return sorted(found, key=lambda notice: notice.commits)


def _valid(context: Context, commit: str, notices: set[Notice]) -> set[Notice]:
    """Those of the notices that an administrator signed, by the log that a commit holds, which must begin as ours does."""
    if not notices:
        return set()
    segments = list(_segments_at(context, commit))
    members, _ = fold(segments)
    own, _ = fold(segments_here(context))
    if (own.genesis, own.store) != (members.genesis, members.store):
        return set()
    signed = {text for segment in segments if _by_admin(members, segment) for text in _notices_in(members, segment)}
    return {notice for notice in notices if notice.text in signed}


def _by_admin(members: Members, segment: Segment) -> bool:
    from gitmem.crypto.signing import verify

    name = members.holder(segment.key)
    if name is None or not _is_admin(members, name) or not _notices_in(members, segment):
        return False
    try:
        verify(segment.key, segment.body, segment.signature)
    except GitmemError:
        return False
    return True


def _notices_in(members: Members, segment: Segment) -> list[str]:
    lines = ((n, entry) for n, entry in enumerate(segment.entries, 1) if entry.op == REWRITE)
    return [str(entry.detail.get(REWRITE)) for n, entry in lines if members.counts(segment.path, n)]


def _segments_at(context: Context, commit: str) -> Iterable[Segment]:
    store = context.store
    files = store.repo.ls_tree(commit, [store.prefix + AUDIT])
    for path, (_, data) in zip(files, store.repo.read_blobs(entry.id for entry in files.values()), strict=True):
        try:
            yield parse_segment(data, path.removeprefix(store.prefix))
        except Tampered:
            continue  # `audit verify` tells of it


def _bases(context: Context, notice: Notice, onto: str, left: str) -> list[str]:
    repo = context.store.repo
    known = repo.call("cat-file", "-e", f"{notice.old}^{{commit}}").code == 0
    return repo.merge_bases(notice.old if known else onto, left)


def _missing(context: Context, bases: list[str], theirs: str) -> str | None:
    """A file of ours that the new history lacks although nobody said that it goes; None if there is none."""
    store = context.store
    for base in bases:
        for change in store.repo.diff(base, theirs, [store.prefix + name for name in OWN_PREFIXES]):
            path = change.path.removeprefix(store.prefix)
            if path.startswith(f"{AUDIT}/") and change.old is not None:
                return path
            if is_record_path(path) and change.new is None and not _is_buried(context, path, theirs):
                return path
    return None


def _is_buried(context: Context, path: str, commit: str) -> bool:
    listing = contents_at(context, commit, [list_of(path)]).get(list_of(path))
    try:
        return listing is not None and is_list_path(list_of(path)) and grave_in(parse(listing, path), path) is not None
    except InvalidRecord:
        return False
