"""What the log says was erased, as far as who signed it had the right to."""

from __future__ import annotations

from gitmem.core.auditing.audit import ERASE, Segment
from gitmem.core.codec import emit
from gitmem.core.erasure import Rule
from gitmem.core.membership.fold import fold
from gitmem.errors import InvalidRecord
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.context import Context
from gitmem.memory.members.folded import genuine, segments_here
from gitmem.memory.soundness import sound_state
from gitmem.store.layout import AUDIT, is_record_path

_NOTE = "purged"
_OP = f'"op":"{ERASE}"'.encode()  # as a canonical line spells it


def rules(context: Context) -> dict[str, Rule]:
    """What may stand of the earlier versions of records from which something was erased, by path."""
    return _rules(segments_here(context))


def news(context: Context) -> dict[str, Rule]:
    """The same for the records that other clones have erased something from since `looked`, by whatever way it came."""
    mine, since = f"{AUDIT}/{context.store.replica.name}-", context.store.marks.note(_NOTE)
    told = {path: data for path, data in _since(context, since).items() if _OP in data and not path.startswith(mine)}
    if not told:
        return {}
    segments = segments_here(context)
    about = {entry.object for one in segments if one.path in told for entry in one.entries if entry.op == ERASE}
    return {path: rule for path, rule in _rules(segments).items() if path in about}


def has_looked(context: Context) -> bool:
    """Whether HEAD is what it was when this clone was last purged of all that its log says was erased."""
    return context.store.marks.note(_NOTE) == (context.store.repo.head() or "")


def looked(context: Context) -> None:
    """Note, durably, that this clone was purged of all that HEAD's log says was erased."""
    context.store.marks.set_note(_NOTE, context.store.repo.head() or "")


def left_of(path: str, data: bytes, rule: Rule) -> bytes | None:
    """What is left of a version of a record; nothing of one that cannot be read, for it may hold anything."""
    try:
        state = rule.cleaned(sound_state(path, data))
    except InvalidRecord:
        return None
    left = None if state is None else emit(state)
    return data if left is not None and state == sound_state(path, data) else left


def _since(context: Context, commit: str) -> dict[str, bytes]:
    """The segments that came since a commit; all of them where it is gone."""
    store = context.store
    if not commit or store.repo.resolve(commit) is None:
        return {path: file.read_bytes() for path, file in segment_files(store.root)}
    changes = store.repo.diff(commit, store.repo.head(), [store.prefix + AUDIT])
    ids = {change.path.removeprefix(store.prefix): change.new for change in changes if change.new}
    return dict(zip(ids, (data for _, data in store.repo.read_blobs(ids.values())), strict=True))


def _rules(segments: list[Segment]) -> dict[str, Rule]:
    members, _ = fold(genuine(segments))
    found: dict[str, Rule] = {}
    for segment in segments:
        for line, entry in enumerate(segment.entries, 1):
            if entry.op == ERASE and is_record_path(entry.object) and members.counts(segment.path, line):
                rule = found.get(entry.object, Rule())
                if rule.add(entry.detail):
                    found[entry.object] = rule
    return found
