"""What a file may be in a commit that git makes, by what is staged of it and what the commit's parents hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gitmem.core.auditing.audit import COLLECT
from gitmem.core.auditing.audit import Change as Logged
from gitmem.core.codec import emit, parse
from gitmem.core.collected import bury
from gitmem.core.heal import settled
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, NoKey
from gitmem.memory.auditing.vouched import vouched_for
from gitmem.memory.committing.batch import digest, operation
from gitmem.memory.committing.held import parse_or_none
from gitmem.memory.committing.own_log import Again
from gitmem.memory.context import Context, kind_of, kind_to_show
from gitmem.memory.plaintext import refuse_plaintext
from gitmem.memory.soundness import holds_record, is_newer, kept_of, not_genuine
from gitmem.store.kinds import check_pattern
from gitmem.store.layout import AUDIT, EVENTS, is_record_path, parse_record_path
from gitmem.store.opened import open_state


@dataclass(slots=True)
class Review:
    """What a check found: files to put into the index, entries for the log, and what must be mended first.

    `under_way`: git is in the middle of something, where `gitmem commit` refuses. `again` is what segments say that come back.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    graves: dict[str, State] = field(default_factory=dict)
    entries: list[Logged] = field(default_factory=list)
    problems: list[GitmemError] = field(default_factory=list)
    under_way: bool = False
    again: Again = field(default_factory=Again)


def review_path(context: Context, review: Review, path: str, staged: bytes | None, versions: list[bytes | None]) -> None:
    """Judge one path, and note in `review` what is to be done about it.

    `staged` is its content in git's index, `versions` those of HEAD and of the commits that are being merged or repeated, in
    this order; None where there is no such file. Raises GitmemError for what must not be committed as it is.
    """
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


def _check_log(context: Context, review: Review, path: str, staged: bytes | None, versions: list[bytes | None]) -> None:
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


def _entry(context: Context, review: Review, path: str, before: bytes | None, after: bytes | None) -> Logged:
    old, grave, again = parse_or_none(before, path), review.graves.get(path), review.again
    follows = again.follows(path, digest(before))
    if after is None or not holds_record(path):
        detail = again.detail(path, old, grave) if old and grave and after is None else {}
        return Logged(COLLECT if is_record_path(path) else "config", path, follows, digest(after), detail)
    new = parse(after, path)
    op = operation(again.stood(path, old, new), new) if path in context.store.pending else "hand"
    return Logged(op, path, follows, digest(after), again.detail(path, old, new))


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
