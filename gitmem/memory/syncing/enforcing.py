"""Access enforced where a clone meets what others signed: what somebody had no right to sign has no effect on the tree.

A segment that does not count (its signer was no member there, or had not the rank) stays in the history. Whoever meets it first
takes back what it changed and answers for it in the log, so that the log is whole again and all clones agree. The same look
holds member files and key files against what was signed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any

from gitmem.core.auditing.audit import ANSWERS, CLOSE, ERASE, HEAL, QUARANTINE, Entry, Segment
from gitmem.core.auditing.delta import record_detail
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import emit
from gitmem.core.collected import FOLDER as LISTS
from gitmem.core.collected import is_list_path
from gitmem.core.membership.fold import fold
from gitmem.core.membership.judging import ABOUT_MEMBERS
from gitmem.core.membership.members import Member, Members, Rank, disagreement
from gitmem.core.membership.rights import scope_of
from gitmem.core.nearest import counted
from gitmem.core.record import MAX_BYTES, Json
from gitmem.errors import NoKey, Tampered
from gitmem.memory.auditing.burials import refuse_burials
from gitmem.memory.auditing.history import read_history
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.context import Context
from gitmem.memory.members.enrolment import picture
from gitmem.memory.members.folded import genuine, segments_here
from gitmem.memory.members.roster import my_name
from gitmem.memory.syncing.heal import heal
from gitmem.memory.syncing.quarantine import set_aside
from gitmem.memory.syncing.takeback import Past, Touched, taken_back
from gitmem.store.layout import AUDIT, KEYS, MEMBERS, member_path

_NOTE = "entitled"
_FREE = ("memory/", "log/")


def enforce(context: Context) -> list[str]:
    """Set aside what came in since the last time and was signed without the right to it; in words what that was.

    Who is no member only tells of it: their entry would not count.
    """
    store = context.store
    with store.lock:
        store.refresh()
        head = store.repo.head()
        if head is None or not _suspicious(context, head):
            return []
        segments, members, bad = _judged(context)
        me = members.by_name.get(my_name(context))
        if me is None or me.rank < Rank.SERVICE or not _signs(context):
            return [f"{segment.path}: {_why(members, segment)}" for segment in bad]
        if bad:
            commit(context)  # so that HEAD has all that we wrote ourselves
        past = Past(context, store.repo.head() or head)
        said = _put_back(context, past, segments, bad)
        if said:
            segments, members, bad = _judged(context)
            past = Past(context, store.repo.head() or head)
        said += _set_aside(context, past, members, segments, bad)
        past = Past(context, store.repo.head() or head)
        said += _set_right(context, past, members, segments)
        _remember(context, members)
        return said


def _judged(context: Context) -> tuple[list[Segment], Members, list[Segment]]:
    """The segments here whose signatures hold, the members by them, and those of them that nobody has answered for yet."""
    segments = list(genuine(segments_here(context)))
    members, _ = fold(segments)
    refuse_burials(members, segments, *_lists(context))
    return segments, members, [one for one in segments if one.path in members.refused.keys() - members.answered]


def _lists(context: Context) -> tuple[dict[str, bytes], dict[str, list[bytes]]]:
    """The lists of collected records as HEAD has them, and as they came since the last look: a sync leaves out of them."""
    store, told, head = context.store, _noted(context), context.store.repo.head()
    paths = [] if head is None else store.repo.ls_tree(head, [f"{store.prefix}{LISTS}/"])
    now = contents_at(context, head, [path.removeprefix(store.prefix) for path in paths])
    came = read_history(store.repo, store.prefix, since=told["head"], paths=[LISTS]).states if told else {}
    contents = dict(store.repo.read_blobs({blob for blobs in came.values() for blob in blobs}, MAX_BYTES))
    return now, {path: [contents[blob] for blob in blobs] for path, blobs in came.items()}


def _put_back(context: Context, past: Past, segments: list[Segment], bad: list[Segment]) -> list[str]:
    """Put segments back that stood, signed by right, where now others do: what they tell of was done, and is not taken back."""
    extras, said = list[Extra](), list[str]()
    past.look_up(segment.path for segment in bad)
    for segment in bad:
        others = [one for one in segments if one is not segment]
        for earlier in _versions(past, segment):
            if earlier.path not in fold([*others, earlier])[0].refused:
                answers: list[Json] = [sha256(segment.data).hexdigest()]
                extras.append(Extra(segment.path, earlier.data, HEAL, {ANSWERS: answers}, complete=True))
                said.append(set_aside(context, segment.path, segment.data, "it stood in the place of what a member signed"))
                break
    if extras:
        commit(context, f"gitmem: {len(extras)} put back", extras)
    return said


def _versions(past: Past, segment: Segment) -> Iterator[Segment]:
    """What else stood in a segment's place, signed by the key that it names."""
    for data in past.contents(segment.path).values():
        with suppress(Tampered):
            yield from genuine([parse_segment(data, segment.path)] if data != segment.data else [])


def _suspicious(context: Context, head: str) -> bool:
    """Whether what came since the last look calls for a look at all members: anything but records of known members does."""
    store, told = context.store, _noted(context)
    if not told:
        return True
    if told["head"] == head:
        return False
    names = [f"{store.prefix}{name}" for name in (AUDIT, MEMBERS, KEYS)]
    changes = store.repo.diff(told["head"], head, names)
    if any(not change.path.startswith(f"{store.prefix}{AUDIT}/") for change in changes):
        return True
    paths = [change.path.removeprefix(store.prefix) for change in changes if change.new]
    plain = all(_is_plain(path, data, told) for path, data in contents_at(context, head, paths).items())
    if plain:
        store.marks.set_note(_NOTE, json.dumps(told | {"head": head}))
    return not plain


def _noted(context: Context) -> dict[str, Any]:
    """What was noted at the last look; nothing where there was none, or its commit is gone."""
    told = json.loads(context.store.marks.note(_NOTE, "null"))
    known = isinstance(told, dict) and "inside" in told and context.store.repo.resolve(str(told.get("head"))) is not None
    return told if known else {}


def _is_plain(path: str, data: bytes, told: dict[str, Any]) -> bool:
    """Whether a segment is a known writer's, and speaks of nothing but events and records that are theirs to write."""
    try:
        segment = parse_segment(data, path)
    except Tampered:
        return True  # it counts for nothing, and `audit verify` names it
    judged = ABOUT_MEMBERS | {ERASE}
    spoken = all(e.op == CLOSE or (e.object.startswith(_FREE) and e.op not in judged) for e in segment.entries)
    closed = {scope for scope, keys in told["inside"].items() if segment.key not in keys}
    outside = closed and any(scope_of(e.object) in closed and "adds" in e.detail for e in segment.entries)
    return spoken and not outside and segment.key in told["keys"] and any(genuine([segment]))


def _remember(context: Context, members: Members) -> None:
    inside = {scope: _keys(members.readers(scope)) for scope in members.scopes}
    keys = _keys(member for member in members.by_name.values() if member.rank >= Rank.SERVICE)
    told = {"head": context.store.repo.head(), "keys": keys, "inside": inside}
    context.store.marks.set_note(_NOTE, json.dumps(told))


def _keys(some: Iterable[Member]) -> list[str]:
    return sorted(key for member in some for key in member.keys)


def _signs(context: Context) -> bool:
    with suppress(NoKey):
        context.store.vault.signing_key()
        return True
    return False


def _why(members: Members, segment: Segment) -> str:
    return "; ".join(sorted(set(members.refused[segment.path].values())))[:300]


def _set_aside(context: Context, past: Past, members: Members, segments: list[Segment], bad: list[Segment]) -> list[str]:
    """Take back what refused segments changed, and answer for them."""
    touched: dict[str, Touched] = {}
    for segment in bad:
        lines = [e for n, e in enumerate(segment.entries, 1) if not members.counts(segment.path, n)]
        for entry in lines:
            shown = entry.op in ABOUT_MEMBERS and entry.object.startswith(f"{MEMBERS}/")  # `_set_right` draws it anew
            if entry.op != CLOSE and not shown and not entry.object.startswith(f"{AUDIT}/"):
                touched.setdefault(entry.object, Touched(segment.path)).entries.append(entry)
    counted = _counted(members, segments)
    extras, said = list[Extra](), list[str]()
    past.look_up([*touched, *(segment.path for segment in bad)])
    for path, what in touched.items():
        try:
            extra = taken_back(context, past, path, what, counted.get(path, []))
        except NoKey as error:
            said.append(f"{path}: only who can read it takes back what {what.entries[0].subject} did ({error.message})")
            return said  # the segment waits for somebody who can: what it changed is not half taken back
        if extra is not None:
            extras.append(extra)
    for segment in bad:
        digest = sha256(segment.data).hexdigest()
        why = _why(members, segment)
        detail: dict[str, Json] = {"refused": why, ANSWERS: [digest]}
        extras.append(Extra(segment.path, segment.data, QUARANTINE, detail, complete=True))
        said.append(set_aside(context, segment.path, segment.data, f"signed by {_signer(members, segment)}: {why}"))
    if extras:
        commit(context, f"gitmem: {len(bad)} set aside", extras)
    if any(map(is_list_path, touched)):
        said += heal(context, whole=True).problems  # a plain `git pull` may have buried what has no grave any more
    return said


def _signer(members: Members, segment: Segment) -> str:
    return members.holder(segment.key) or "a stranger"


def _counted(members: Members, segments: list[Segment]) -> dict[str, list[Entry]]:
    """The entries that count, by file."""
    found: dict[str, list[Entry]] = {}
    for segment in segments:
        for line, entry in enumerate(segment.entries, 1):
            if members.counts(segment.path, line):
                found.setdefault(entry.object, []).append(entry)
    return found


def _set_right(context: Context, past: Past, members: Members, segments: list[Segment]) -> list[str]:
    """Bring member files to what was signed, and take out key files that nobody signed for."""
    standing, said = _counted(members, segments), list[str]()
    extras = [*_member_files(past, context, members, said), *_key_files(past, context, standing, said)]
    if extras:
        commit(context, f"gitmem: {counted(len(extras), 'file')} put back as signed", extras)
    return said


def _member_files(past: Past, context: Context, members: Members, said: list[str]) -> Iterator[Extra]:
    shown = past.below(MEMBERS)
    for path in sorted(shown.keys() | {member_path(name) for name in members.by_name}):
        name, data = path.removeprefix(f"{MEMBERS}/").removesuffix(".yaml"), shown.get(path)
        state = None if data is None else parse_or_none(data, path)
        why = disagreement(members, name, state)
        if why is None:
            continue
        right = picture(context, name, members.by_name.get(name), state)
        said.append(f"{path} was set right: {why}")
        answers: list[Json] = [*sorted(past.contents(path))]
        if right is None:
            yield Extra(path, None, QUARANTINE, {ANSWERS: answers}, complete=True)
        else:
            detail = record_detail(None, right, outside=True) | {ANSWERS: answers}
            yield Extra(path, emit(right), QUARANTINE, detail, complete=True)


def _key_files(past: Past, context: Context, counted: dict[str, list[Entry]], said: list[str]) -> Iterator[Extra]:
    for path, data in past.below(KEYS).items():
        signed = {entry.after for entry in counted.get(path, [])}
        digest = sha256(data).hexdigest()
        if digest not in signed:
            right = next((old for content, old in past.contents(path).items() if content in signed), None)
            said.append(set_aside(context, path, data, "nobody with the right to it signed for this key file"))
            yield Extra(path, right, QUARANTINE, {ANSWERS: [digest]}, complete=True)
