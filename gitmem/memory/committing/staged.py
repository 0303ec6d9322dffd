"""The check before a commit that git makes: nothing enters the history that a store may not hold, or that lost a side.

It looks at the index that git is about to commit. Records are parsed and validated, plaintext in a sealed store is refused,
hand edits of a plain store become writes of their own, what a merge without gitmem spoiled is merged again from the parents,
and the commit gets its signed audit segment.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.core.codec import parse
from gitmem.core.collected import grave_in, list_of
from gitmem.core.merge import merge_all
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git.repo import Change
from gitmem.git.underway import under_way
from gitmem.memory.auditing.chain import own_chain
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import segment_for
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.committing.leftovers import drop_leftovers
from gitmem.memory.committing.moving import finish_move
from gitmem.memory.committing.own_log import Again, committed_once
from gitmem.memory.committing.reviewing import Review, review_path
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import ATTRIBUTES, MAX_FILE, OWN_PREFIXES, is_record_path


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
        review = Review({path: data for path, data in returning.items() if path not in staged})
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


def _review(context: Context, review: Review, commits: list[str | None], staged: dict[str, Change], picked: str | None) -> None:
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
            review_path(context, review, path, index.get(path), versions)
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
    blobs = repo.read_blobs(ids.values(), MAX_FILE)
    return dict(zip(ids, (data for _, data in blobs), strict=True))


def _add_segment(context: Context, review: Review) -> None:
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
