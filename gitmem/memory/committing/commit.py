"""Making commits: what the journal holds becomes files, a signed audit segment, and one commit.

Nothing is forgotten before the commit is durable: git syncs its objects, then the branch moves (compare and swap), then the
marks are written, and only then does the journal start anew. Killed at any point, the next run redoes the rest by merging.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitmem.core.auditing.audit import HEAL, Change, Head, build_segment
from gitmem.core.codec import parse
from gitmem.core.ids import pseudonym
from gitmem.core.membership.judging import ABOUT_MEMBERS
from gitmem.core.record import Json
from gitmem.errors import GitmemError
from gitmem.git.commits import Identity, refresh_index
from gitmem.git.commits import commit as git_commit
from gitmem.git.damage import last_stood
from gitmem.memory.auditing import acts, checkpoints
from gitmem.memory.auditing.chain import Chain, news, note_head, own_chain
from gitmem.memory.committing.batch import Batch, digest, summary
from gitmem.memory.committing.branch import require_branch
from gitmem.memory.committing.events import note_batch
from gitmem.memory.committing.gather import gather
from gitmem.memory.committing.held import contents_at
from gitmem.memory.committing.leftovers import drop_leftovers
from gitmem.memory.committing.moving import finish_move, moving
from gitmem.memory.committing.own_log import dropped
from gitmem.memory.context import Context
from gitmem.memory.members.roster import my_name
from gitmem.memory.soundness import holds_record
from gitmem.store.files import inside, write_atomic
from gitmem.store.layout import AUDIT, STORE_SCOPE, is_record_path

if TYPE_CHECKING:
    from gitmem.memory.reports import Committed


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that a use case adds to a commit by itself, such as a member's key, with the words for its audit entry.

    What a record's entry must vouch for is added to `detail`, unless it is `complete`; then the entry stands although the
    content may be what HEAD holds already, and `follows` is the content (SHA-256) that it came after.
    """

    path: str
    data: bytes | None
    op: str
    detail: dict[str, Json] = field(default_factory=dict)
    complete: bool = False
    follows: str | None = None


def commit(
    context: Context,
    message: str | None = None,
    extras: Iterable[Extra] = (),
    *,
    also: Iterable[str] = (),
) -> Committed | None:
    """Commit everything recorded so far, and `extras`. None when there was nothing to commit.

    `also` are paths of the store that are to be looked at although nothing in the work tree has changed.
    Raises GitmemError on a detached HEAD, in the middle of a merge and on an orphan branch, NoKey without the identity that
    signs.
    """
    store = context.store
    with store.lock:
        store.refresh()
        require_branch(context)
        finish_move(context)
        head = store.repo.head()
        if head is None:
            _require_no_past(context)
        lost = dropped(context)
        if lost.logs:
            context.warn(
                "a rebase, pick or revert left out what was committed here; it is in the history again: `gitmem forget` deletes"
            )
        extras = [*(Extra(path, data, HEAL) for path, data in lost.files.items()), *extras]
        dirty = [path for path in drop_leftovers(context, [head], {e.path for e in extras}) if path not in context.put_back]
        store.read_config()
        chain = own_chain(context)
        batch = gather(context, head, [*dirty, *also], lost.logs)
        _add_extras(context, batch, extras, head)
        if not batch.changes and not batch.files:
            return _nothing(context, batch)
        if store.config.pseudonyms and any(change.op in ABOUT_MEMBERS for change in batch.changes):
            message = None  # it says whom it is about
        return _write_commit(context, batch, chain, head, message or summary(batch))


def _require_no_past(context: Context) -> None:
    """A first commit founds a store. This clone must not have a log already, which an orphan branch would begin without."""
    store = context.store
    if has_past(context):
        lost = last_stood(store.repo) is not None
        why = "is gone" if lost else f"has no commit yet, and the log of {store.repo.root} begins on another"
        mend = "gitmem doctor --fix" if lost else f"{store.git_here} switch BRANCH"
        raise GitmemError(
            f"the branch {store.repo.branch()} {why}; what was recorded is safe in the journal",
            f"`{mend}`, then run this again",
        )


def has_past(context: Context) -> bool:
    """Whether this clone has a log of the store: one that it has written to, or one that lies in its work tree."""
    store = context.store
    return bool(store.marks.note("audit")) or any((store.root / AUDIT).glob("*/*/*.jsonl"))


def segment_for(
    context: Context, chain: Chain, changes: list[Change], files: Mapping[str, bytes | None]
) -> tuple[str, bytes, Head, Callable[[], None]]:
    """(path, content, end, what to call once it is committed) of the next audit segment, which continues `chain`.

    `files` are what it is committed with.
    """
    store = context.store
    mine, opening = chain
    key = store.vault.signing_key()
    seen, remember = news(context, files, everything=mine is None)
    checkpoint = checkpoints.due(context, mine)
    first = [checkpoint.change] if checkpoint else []
    segment = build_segment(
        store.id,
        store.replica.writer,
        mine,
        my_name(context),
        seen,
        context.now(),
        [*opening, *first, *changes],
        key.sign,
        key.public,
    )

    def done() -> None:
        note_head(context, segment.head)
        checkpoints.note(context, checkpoint)
        remember()

    return segment.path, segment.data, segment.head, done


def _write_commit(context: Context, batch: Batch, chain: Chain, head: str | None, message: str) -> Committed:
    store = context.store
    branch = require_branch(context)
    done, segment = _nothing_to_note, None
    if batch.changes:  # else files come back that were signed for
        path, data, segment, done = segment_for(context, chain, batch.changes, batch.files)
        batch.files[path] = data
    files = {store.prefix + name: content for name, content in batch.files.items()}
    note_batch(context, batch.events)
    with _told_if_interrupted(context, head, message), moving(context, head, segment=segment):
        made = git_commit(
            store.repo,
            files,
            message,
            parents=[head] if head else [],
            ref=f"refs/heads/{branch}",
            expected=head,
            fallback=author(context),
        )
        for name, content in batch.files.items():  # not before: a key or a removal that is in no commit is nobody's word
            _put(context, name, content)
        settle(context, done, batch)
        context.put_back.difference_update(batch.files)  # should they be taken once more, they are for that sync to see
        if batch.acts:
            acts.told(context)
        refresh_index(store.repo, store.repo.diff(head, made), force=True)
    return _committed(made, batch)


def _nothing_to_note() -> None:
    """What is to be done once a commit without a new segment was made."""


@contextmanager
def _told_if_interrupted(context: Context, head: str | None, message: str) -> Iterator[None]:
    """Where Ctrl-C came after the commit, say so, and have the files follow it: else it would seem that nothing happened."""
    try:
        yield
    except KeyboardInterrupt:
        if context.store.repo.head() != head:
            said = message.partition("\n")[0].removeprefix("gitmem: ")
            context.warn(f"this was committed before it was interrupted: {said}")
            finish_move(context)
        raise


def _committed(commit: str, batch: Batch) -> Committed:
    from gitmem.memory.reports import Committed  # the hooks, which take the rest of this module, report nothing

    return Committed(commit, batch.records, len(batch.changes), batch.skipped)


def author(context: Context, *, hidden: bool = False) -> Identity:
    """Who commits are by where git has not been told, and under a pseudonym (if `hidden` in any case) whatever it has been."""
    name, store = my_name(context), context.store
    hidden = hidden or store.config.pseudonyms
    shown = pseudonym(store.vault.id_key(STORE_SCOPE), name) if hidden else name
    return Identity(shown, f"{shown}@gitmem.invalid", only=hidden)


def settle(context: Context, done: Callable[[], None], batch: Batch) -> None:
    """What may be forgotten now that a commit holds it: first the marks, then the journal, but for what was left out."""
    store = context.store
    read = ((path, store.read(path)) for path in store.pending.paths() if path not in batch.left)
    states = [(path, state) for path, state in read if state is not None]
    others = ((path, data) for path, data in batch.files.items() if holds_record(path) and not is_record_path(path))
    states += [(path, parse(data, path)) for path, data in others if data is not None]
    store.put_marks(states)
    done()
    store.forget_committed(batch.left)


def _nothing(context: Context, batch: Batch) -> Committed | None:
    """Entries that changed nothing (replayed ones, reads of an unchanged state) are done with, too."""
    if len(context.store.pending) or context.store.pending.events:
        settle(context, _nothing_to_note, batch)
    head = context.store.repo.head()
    return _committed(head or "", Batch(skipped=batch.skipped)) if batch.skipped else None


def _add_extras(context: Context, batch: Batch, extras: list[Extra], head: str | None) -> None:
    before = contents_at(context, head, [extra.path for extra in extras])
    taken = {extra.path for extra in extras}
    batch.changes = [change for change in batch.changes if change.object not in taken]
    for extra in extras:
        old, detail = before.get(extra.path), extra.detail
        if extra.complete and extra.data == old:
            batch.changes.append(Change(extra.op, extra.path, extra.follows or digest(old), digest(old), detail))
        elif extra.data is not None and holds_record(extra.path) and not extra.complete:
            state = None if old is None else parse(old, extra.path)
            detail = detail | batch.again.detail(extra.path, state, parse(extra.data, extra.path))
        batch.put(extra.path, extra.data, old, extra.op, detail)


def _put(context: Context, path: str, content: bytes | None) -> None:
    file = inside(context.store.root, path)
    if content is None:
        file.unlink(missing_ok=True)
    elif not file.is_file() or file.read_bytes() != content:
        write_atomic(file, content)
