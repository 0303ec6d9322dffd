"""Taking what was erased out of git's history as well, and leading the other clones over to what is left of it.

What goes is what signed entries of the log say was erased, and no more: in every earlier version of a record the values that an
entry names, and the whole file where nothing is left. No segment of the log changes, for they hold hashes; no file at HEAD
changes, for there it is gone already. So the new history has the same tree at its end, and `audit verify` finds it explained.

The notice is an element of the store's configuration, signed for by an administrator under the operation `rewrite`: the old and
the new last commit, the first commits that were rewritten, and a digest of what became of each. See `rewritten` for what
every sync makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from gitmem.core.erasure import Rule
from gitmem.core.record import MAX_BYTES
from gitmem.errors import GitmemError
from gitmem.git import rewriting
from gitmem.git.commits import move_ref
from gitmem.git.repo import Repo
from gitmem.memory.auditing.history import read_history
from gitmem.memory.committing.branch import require_branch
from gitmem.memory.committing.commit import commit
from gitmem.memory.context import Context
from gitmem.memory.privacy.erasures import left_of, rules
from gitmem.memory.privacy.remains import Remaining, remains
from gitmem.memory.privacy.rewritten import Notice, begin, finish_rewriting, has_walked, require_admin, tidy_up
from gitmem.memory.reports import SyncReport
from gitmem.memory.soundness import kept_of
from gitmem.memory.syncing.sync import sync
from gitmem.store.scratch import clear_abandoned, scratch

Changes = dict[str, dict[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """What `erase --history` did, or would do: records and versions of them, commits that got new names, and what remains.

    `backup` is a bundle of the history as it was, which holds what was erased; None when it was removed.
    """

    dry_run: bool
    records: int
    versions: int
    commits: int
    old: str | None = None
    new: str | None = None
    backup: str | None = None
    remains: list[Remaining] = field(default_factory=list)
    sync: SyncReport | None = None
    problems: list[str] = field(default_factory=list)


def erase_history(context: Context, *, dry_run: bool = False, keep_backup: bool = False) -> HistoryReport:
    """Rewrite the history of the store's branch without what was erased, sign for it, and share that by a sync.

    Raises UsageError for who is no administrator, GitmemError where the clone is shallow, its objects are named by
    SHA-256, or a merge is under way, RemoteError
    if the remote cannot be reached: then nothing was changed.
    """
    store = context.store
    require_admin(context)
    _require_rewritable(store.repo)
    if not dry_run:
        clear_abandoned(store.local)
        sync(context)  # so that nobody's commits are left on the old history
    with store.lock:
        store.refresh()
        branch = f"refs/heads/{require_branch(context)}"
        erased = rules(context)
        changes = _changes(context, erased)
        versions = sum(map(len, changes.values()))
        if dry_run or not versions:
            report = HistoryReport(dry_run, len(changes), versions, _reach(context, changes), store.repo.head())
            return _with_remains(context, report, erased)
        with scratch(store.local) as folder:  # where it goes with us, should we be killed: it holds what was erased
            saved = folder / f"before-{context.clock():%Y%m%dT%H%M%SZ}.bundle"
            rewriting.backup(store.repo, saved, branch)
            if keep_backup:
                saved = saved.replace(store.local / saved.name)
            done = _rewrite(context, branch, changes)
            shared = sync(context)
    problems = [*shared.problems, *(tidy_up(context) if has_walked(context) else [])]
    report = HistoryReport(
        dry_run=False,
        records=len(changes),
        versions=versions,
        commits=done.commits,
        old=done.old,
        new=store.repo.head(),
        backup=str(saved) if keep_backup else None,
        sync=shared,
        problems=problems,
    )
    return _with_remains(context, report, erased)


def _require_rewritable(repo: Repo) -> None:
    if (repo.common_dir / "shallow").exists():
        raise GitmemError("this clone is shallow, and what it lacks cannot be rewritten", "`git fetch --unshallow`")
    if len(repo.zero_id()) == 64:
        raise GitmemError(
            "this repository names its objects by SHA-256, which git-filter-repo does not know",
            "what was erased stays in git's history here; docs/erasing.md says what is left to do",
        )


def _with_remains(context: Context, report: HistoryReport, erased: Mapping[str, Rule]) -> HistoryReport:
    return replace(report, remains=remains(context, erased.keys(), tidied=report.new is not None))


def _changes(context: Context, erased: Mapping[str, Rule]) -> Changes:
    """Each blob of the history that holds what was erased, by its path in the repository, with what becomes of it."""
    store = context.store
    history = read_history(store.repo, store.prefix)
    found: Changes = {}
    for path, blobs in history.states.items():
        rule = erased.get(kept_of(path) or path)
        for blob, data in store.repo.read_blobs(blobs, MAX_BYTES) if rule else ():
            left = left_of(kept_of(path) or path, data, rule) if rule else data
            if left != data:
                found.setdefault(store.prefix + path, {})[blob] = left
    return found


def _reach(context: Context, changes: Changes) -> int:
    """How many commits get new names: all from the first that brought one of these files."""
    repo = context.store.repo
    if not changes:
        return 0
    first = repo.run("rev-list", "--reverse", "HEAD", "--", *sorted(changes)).decode().split()[:1]
    return int(repo.run("rev-list", "--count", "--ancestry-path", "HEAD", *(f"^{one}" for one in first))) + 1 if first else 0


def _rewrite(context: Context, branch: str, changes: Changes) -> Notice:
    """Rewrite, move the branch to the new history, which ends in the same tree, and commit the signed notice upon it."""
    store, repo = context.store, context.store.repo
    commit(context)
    old = repo.head() or ""
    made = rewriting.rewrite(repo, store.local, branch, changes)
    if repo.trees([old]) != repo.trees([made.commit]):
        raise GitmemError(
            "the last commit itself holds what was erased", "`gitmem sync`, then run this again; nothing was changed"
        )
    digest = sha256("".join(f"{one} {new}\n" for one, new in sorted(made.renamed.items())).encode()).hexdigest()
    notice = Notice(old, made.commit, tuple(made.first), digest, len(made.renamed))
    begin(context, notice)
    move_ref(repo, branch, made.commit, old, "gitmem: history rewritten")
    finish_rewriting(context)
    return notice
