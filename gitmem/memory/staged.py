"""The check before a commit that git makes: nothing enters the history that a store may not hold, or that lost a side.

It looks at the index that git is about to commit. Records are parsed and validated, plaintext in a sealed store is refused,
hand edits of a plain store become writes of their own, what a merge without gitmem spoiled is merged again from the parents,
and the commit gets its signed audit segment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gitmem.core.auditing.audit import COLLECT
from gitmem.core.auditing.audit import Change as Logged
from gitmem.core.codec import emit, parse
from gitmem.core.collected import bury, grave_in, list_of
from gitmem.core.heal import settled
from gitmem.core.merge import merge_all
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import GitmemError, InvalidRecord, NoKey
from gitmem.git.repo import Change
from gitmem.git.underway import under_way
from gitmem.memory.auditing.chain import own_chain
from gitmem.memory.auditing.vouched import vouched_for
from gitmem.memory.backups import snapshots
from gitmem.memory.commit import segment_for
from gitmem.memory.context import Context, kind_of, kind_to_show
from gitmem.memory.gather import contents_at, digest, drop_leftovers, operation, parse_or_none
from gitmem.memory.moving import finish_move
from gitmem.memory.own_log import Again, committed_once
from gitmem.memory.plaintext import refuse_plaintext
from gitmem.memory.soundness import holds_record, is_newer, kept_of, not_genuine
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.kinds import check_pattern
from gitmem.store.layout import ATTRIBUTES, AUDIT, EVENTS, OWN_PREFIXES, is_record_path, parse_record_path
from gitmem.store.opened import open_state

_MAX_FILE = 64 << 20


@dataclass(slots=True)
class _Review:
    """What a check found: files to put into the index, entries for the log, and what must be mended first.

    `under_way`: git is in the middle of something, where `gitmem commit` refuses. `again` is what segments say that come back.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    graves: dict[str, State] = field(default_factory=dict)
    entries: list[Logged] = field(default_factory=list)
    problems: list[GitmemError] = field(default_factory=list)
    under_way: bool = False
    again: Again = field(default_factory=Again)


def check_staged(context: Context, merging: Iterable[str] = ()) -> list[str]:
    """Check, mend and complete what is staged; returns what was mended, in words.

    `merging` names the commits that git is about to merge where it has not written them down yet (MERGE_HEAD). A snapshot is
    made first. Raises InvalidRecord naming every file that must not be committed as it is.
    """
    store = context.store
    with store.lock:
        store.refresh()
        finish_move(context)
        head = store.repo.head()
        now = under_way(store.repo)
        parents = [*merging] or [*(now.merging if now else ())]
        picked = now.picked if now else None
        changed = drop_leftovers(context, [head, *parents])
        staged = _own_staged(context, head)
        if not staged and not parents:
            return []
        snapshots.before(context, "pre-commit")
        returning = _returning(context, [head, *parents], changed)
        review = _Review({path: data for path, data in returning.items() if path not in staged})
        review.under_way, review.again = now is not None, Again.of(returning)
        _review(context, review, [head, *parents], staged, picked)
        if review.problems:
            raise _refusal(review.problems)
        mended = dict(sorted(review.files.items()))
        if review.entries:
            _add_segment(context, review)
        _stage(context, review.files)
        return [f"{path} was {_mended(path, data)}" for path, data in mended.items()]


def _mended(path: str, data: bytes | None) -> str:
    if data is None:
        return "taken out: it was collected"
    return "merged or stamped" if holds_record(path) else "put back"


def _returning(context: Context, commits: Iterable[str | None], changed: Iterable[str]) -> dict[str, bytes]:
    """Log files that were committed once and that none of `commits` holds: they go into this commit."""
    logs = [path for path in changed if path.startswith("log/")]
    held = {path for commit in commits for path in contents_at(context, commit, logs)}
    return committed_once(context, [path for path in logs if path not in held])


def _own_staged(context: Context, head: str | None) -> dict[str, Change]:
    prefix = context.store.prefix
    own = tuple(f"{prefix}{name}/" for name in OWN_PREFIXES)
    changes = context.store.repo.staged(head)
    mine = (c for c in changes if c.path.startswith(own) or c.path == prefix + ATTRIBUTES)
    return {change.path.removeprefix(prefix): change for change in mine}


def _review(
    context: Context, review: _Review, commits: list[str | None], staged: dict[str, Change], picked: str | None
) -> None:
    head, *parents = commits
    paths = set(staged)
    for parent in parents:
        changed = context.store.repo.diff(head, parent, [context.store.prefix + name for name in OWN_PREFIXES])
        paths.update(change.path.removeprefix(context.store.prefix) for change in changed)
    brought = _brought(context, picked)
    ordered = sorted(paths | brought.keys())
    sides = [*(contents_at(context, side, ordered) for side in commits if side), *([brought] if brought else [])]
    index = _index_contents(context, ordered)
    review.graves = _graves(context, commits, ordered)
    for path in ordered:
        versions = [side.get(path) for side in sides] or [None]
        try:
            _review_path(context, review, path, index.get(path), versions)
        except GitmemError as error:
            review.problems.append(error)


def _brought(context: Context, picked: str | None) -> dict[str, bytes]:
    """The records that a commit which is being repeated (cherry-pick, rebase) has changed."""
    repo = context.store.repo
    if picked is None or repo.resolve(picked) is None:
        return {}
    changes = repo.diff(repo.resolve(f"{picked}^"), picked, [context.store.prefix + name for name in OWN_PREFIXES])
    names = [change.path.removeprefix(context.store.prefix) for change in changes if change.new]
    return contents_at(context, picked, [name for name in names if holds_record(name)])


def _graves(context: Context, commits: Iterable[str | None], paths: list[str]) -> dict[str, State]:
    """The graves of those of `paths` that the work tree or one of `commits` says were collected."""
    wanted = sorted({list_of(path) for path in paths if is_record_path(path)})
    found = {path: grave for path in paths if is_record_path(path) and (grave := context.store.graves.of(path))}
    for commit in commits:
        lists = contents_at(context, commit, wanted)
        for path in (path for path in paths if list_of(path) in lists):
            listing = parse_or_none(lists[list_of(path)], list_of(path))
            grave = None if listing is None else grave_in(listing, path)
            if grave is not None:
                found[path] = merge_all([grave, *([found[path]] if path in found else [])])
    return found


def _index_contents(context: Context, paths: list[str]) -> dict[str, bytes]:
    """What the index holds for `paths`; in a conflict, nothing."""
    repo, prefix = context.store.repo, context.store.prefix
    listed = repo.run("ls-files", "--stage", "-z", "--", *[f"{prefix}{name}" for name in (*OWN_PREFIXES, ATTRIBUTES)])
    wanted = set(paths)
    ids: dict[str, str] = {}
    for line in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        meta, _, path = line.partition("\t")
        mode, object_id, stage = meta.split(" ")
        path = path.removeprefix(prefix)
        if path in wanted and stage == "0":
            if not mode.startswith("100"):
                raise InvalidRecord(
                    f"{path} is no regular file",
                    f"{context.store.git_hint('rm --cached', path)}: a store holds no links and no modules",
                )
            ids[path] = object_id
    blobs = repo.read_blobs(ids.values(), _MAX_FILE)
    return dict(zip(ids, (data for _, data in blobs), strict=True))


def _review_path(context: Context, review: _Review, path: str, staged: bytes | None, versions: list[bytes | None]) -> None:
    before, data = versions[0], staged
    if holds_record(path):
        data = _reviewed_record(context, path, staged, versions, review.graves.get(path))
    elif path.startswith("log/"):
        return _check_log(context, review, path, staged, versions)
    elif path.startswith("memory/") and not kept_of(path):
        raise InvalidRecord(
            f"{path} is no place for a record",
            f"{context.store.git_hint('rm --cached', path)}; records are made with `gitmem learn`",
        )
    if data != staged and (data is not None or path in review.graves):
        review.files[path] = data
    if data == before or data in versions or _is_join(path, data, versions):
        return None
    entry = _entry(context, review, path, before, data)
    if not review.again.explains(path, entry.after, entry.detail):
        review.entries.append(entry)
        if entry.op == "hand" and is_record_path(path) and context.store.config.plain:
            _tell_of_secrets(context, path, data)
    return None


def _tell_of_secrets(context: Context, path: str, data: bytes | None) -> None:
    """Warn of what a hand edit puts into a plain store; what comes through gitmem was redacted."""
    if data is None:
        return
    from gitmem.memory.privacy.redaction import in_words, redacted

    state = parse(data, path)
    kind, opened = kind_to_show(context, state), open_state(context.store.vault, state)
    _, found = redacted(context, kind, kind.join(opened.fields, opened.sets))
    if found:
        context.warn(
            f"{path} was edited by hand and holds {in_words(found)} in the clear; `gitmem redact - <{path}` shows where"
        )


def _reviewed_record(
    context: Context, path: str, staged: bytes | None, versions: list[bytes | None], grave: State | None
) -> bytes | None:
    """What the record must be in the commit: what is staged, joined with every parent, so that none of them loses a write."""
    known = [version for version in versions if version is not None]
    if staged is not None and staged in known and is_newer(staged):
        return staged
    if staged is None and len(versions) == 1 and grave is None:
        raise InvalidRecord(
            f"{path} would be deleted, and what others write to it would come back without it",
            f"{context.store.git_hint('restore --staged --worktree', path)}, then `gitmem forget` it",
        )
    state = parse_or_none(staged, path)
    if state is None and staged is not None and len(versions) == 1:
        parse(staged, path)  # says why. In a merge one with conflict markers counts for nothing: the parents hold all
    if state is not None:
        _check_place(path, state)
        if len(versions) == 1 and (why := not_genuine(context, path, state)):
            raise InvalidRecord(why, context.store.git_hint("restore --staged --worktree", path))
    parts = _sound(path, known)
    if state is not None:
        parts = [settled(state, merge_all(parts))] if parts and len(versions) > 1 else [state, *parts]
    if grave is not None and (not parts or bury(merge_all(parts), grave) is None):
        return None
    result = merge_all([*parts, *([] if grave is None else [grave])])
    if is_record_path(path):
        refuse_plaintext(context, result, path)
    # What is left of a collected record need not be all that its kind asks for, nor what was counted of one that a reset took.
    if is_record_path(path) and grave is None and (result.fields or result.sets or result.life):
        _validate(context, result, path, is_new=not known)
    return emit(result)


def _sound(path: str, versions: Iterable[bytes | None]) -> list[State]:
    """The versions that can be read: one that is broken in a parent is what this commit may be about to mend."""
    return [state for version in versions if (state := parse_or_none(version, path))]


def _check_place(path: str, state: State) -> None:
    if is_record_path(path) and parse_record_path(path) != (state.scope, state.kind, state.id):
        raise InvalidRecord(
            f"{path} holds the record {state.id} of {state.scope}/{state.kind}", "a record stays in its own file"
        )


def _validate(context: Context, state: State, path: str, *, is_new: bool) -> None:
    """Hold a record to its schema. Without the key its values are not seen, and a newer schema or kind is not known here."""
    try:
        opened = open_state(context.store.vault, state)
    except NoKey:
        return
    kind = kind_of(context, state) if is_new else kind_to_show(context, state)
    if state.schema > kind.version or kind.name not in context.kinds.names():
        return
    values = kind.join(opened.fields, opened.sets)
    try:
        kind.validate(values)
        check_pattern(kind, values)
    except InvalidRecord as error:
        raise InvalidRecord(f"{path}: {error.message}", error.hint) from None


def _check_log(context: Context, review: _Review, path: str, staged: bytes | None, versions: list[bytes | None]) -> None:
    known = [version for version in versions if version is not None]
    if path.startswith(f"{EVENTS}/") and staged not in versions and _told(context, path, staged):
        return
    if staged is None and review.again.vouches(path, None):
        return
    if known and staged not in known:
        if len(versions) > 1 and len(set(known)) == 1:
            review.files[path] = known[0]  # one side had reverted the commit that brought it: the merge puts it back
            return
        if staged is None:
            mends = "sync" if review.under_way else "commit"
            raise InvalidRecord(f"{path} was deleted, and logs are only added to", f"`gitmem {mends}` puts back what is gone")
        raise InvalidRecord(
            f"{path} was changed, and logs are only added to", context.store.git_hint("restore --staged --worktree", path)
        )
    if staged is not None and not known and not path.startswith(AUDIT):
        raise InvalidRecord(f"{path} was not written by gitmem", context.store.git_hint("rm --cached", path))


def _told(context: Context, path: str, staged: bytes | None) -> bool:
    """Whether the log says that this came of a batch of events: a squash or a soft reset brings what no parent has."""
    return vouched_for(context.store.root, [path])[path].knows(digest(staged))


def _is_join(path: str, data: bytes | None, versions: Iterable[bytes | None]) -> bool:
    """Whether a merge commit explains itself: the record is the join of its parents'."""
    known = [version for version in versions if version is not None]
    if len(known) < 2 or data is None:
        return False
    states = _sound(path, known)
    return len(states) == len(known) and emit(merge_all(states)) == data


def _entry(context: Context, review: _Review, path: str, before: bytes | None, after: bytes | None) -> Logged:
    old, grave, again = parse_or_none(before, path), review.graves.get(path), review.again
    follows = again.follows(path, digest(before))
    if after is None or not holds_record(path):
        detail = again.detail(path, old, grave) if old and grave and after is None else {}
        return Logged(COLLECT if is_record_path(path) else "config", path, follows, digest(after), detail)
    new = parse(after, path)
    op = operation(again.stood(path, old, new), new) if path in context.store.pending else "hand"
    return Logged(op, path, follows, digest(after), again.detail(path, old, new))


def _add_segment(context: Context, review: _Review) -> None:
    path, data, _, done = segment_for(context, own_chain(context), review.entries, review.files)
    done()  # before git commits it: if that fails, or the branch is left, this place in the chain is never used again
    review.files[path] = data


def _stage(context: Context, files: dict[str, bytes | None]) -> None:
    """Put files into the index git is about to commit, and into the work tree where it held what was staged before."""
    store = context.store
    lines = []
    for path, data in files.items():
        if data is None:
            lines.append(f"0 {store.repo.zero_id()}\t{store.prefix}{path}\0")
            inside(store.root, path).unlink(missing_ok=True)
            continue
        object_id = store.repo.run("hash-object", "-w", "--stdin", input=data).decode().strip()
        lines.append(f"100644 {object_id}\t{store.prefix}{path}\0")
        if not is_record_path(path) or _is_stale(context, path):
            write_atomic(inside(store.root, path), data)
    if lines:
        store.repo.run("update-index", "--add", "-z", "--index-info", input="".join(lines).encode())


def _is_stale(context: Context, path: str) -> bool:
    """Whether the work tree's file adds nothing to what was staged, so that it may be brought up to date."""
    data = read_bounded(inside(context.store.root, path), MAX_BYTES)
    if data is None:
        return True
    try:
        parse(data, path)
    except InvalidRecord:
        return True
    return context.store.pending.get(path) is None


def _refusal(problems: list[GitmemError]) -> InvalidRecord:
    first, *others = problems
    more = f" (and {len(others)} more: {'; '.join(error.message for error in others[:5])})" if others else ""
    return InvalidRecord(f"{first.message}{more}", first.hint)
