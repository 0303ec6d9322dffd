"""Taking in a commit of somebody else's: the branch moves to a commit that holds ours and theirs, the work tree follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.errors import ConflictsLeft, GitmemError, InvalidRecord, RemoteError
from gitmem.git import process
from gitmem.git.commits import commit as git_commit
from gitmem.git.commits import move_ref
from gitmem.git.repo import BlobRef, Repo
from gitmem.git.setup import STRATEGY
from gitmem.git.trees import TreeMerge, merge_many, merge_trees
from gitmem.git.underway import under_way
from gitmem.git.worktree import checkout
from gitmem.memory.auditing.chain import beware
from gitmem.memory.committing.commit import author
from gitmem.memory.committing.held import contents_at
from gitmem.memory.committing.moving import finish_move, moving
from gitmem.memory.context import Context
from gitmem.memory.privacy.rewritten import Crossing, crossing
from gitmem.memory.soundness import is_newer, sound_or_none
from gitmem.memory.syncing.deletions import unburied
from gitmem.memory.syncing.quarantine import about, screened
from gitmem.memory.syncing.unnamed import names_nobody, unnamed
from gitmem.store.files import inside
from gitmem.store.layout import AUDIT, CONFIG, MEMORY


@dataclass(slots=True)
class Tally:
    """What one sync has done so far: commits and merged files, pushes tried, and what a person should know.

    `no_side` says that the remote takes no side refs.
    """

    pulled: int = 0
    merged: int = 0
    attempts: int = 0
    folded: int = 0
    no_side: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    brought: set[str] = field(default_factory=set)
    revived: dict[str, State] = field(default_factory=dict)  # collected records that somebody wrote to, as they were before


class ForeignClash(ConflictsLeft):
    """Files that are not the store's conflict; nothing was changed."""

    def __init__(self, clashes: list[str]) -> None:
        super().__init__(
            f"files that are not gitmem's conflict: {', '.join(clashes[:5])}",
            "settle them, `git commit`, then `gitmem sync` again; the store's own files are merged already",
        )


def take_in(context: Context, tally: Tally, branch: str, *theirs: str) -> None:
    """Bring the branch to one commit that holds ours and all of `theirs`. Nothing is done where it holds them already.

    Raises RemoteError if one of them is no commit of this store, ForeignClash, and GitmemError if a file of the user's is in
    the way. Nothing is changed then. Of several it is not told which are in conflict: for that take in one after the other.
    """
    store = context.store
    repo = store.repo
    with store.lock:
        store.refresh()
        finish_move(context)
        theirs = tuple(commit for commit in theirs if not _crossed(context, tally, branch, commit))
        ours = repo.head()
        bases = {commit: repo.merge_bases(ours, commit) if ours else [] for commit in theirs if commit != ours}
        fresh = [commit for commit in bases if commit not in bases[commit]]
        if not fresh:
            return
        for commit in fresh:
            check_same_store(context, commit)
            if warning := beware(context, ours, commit):
                tally.notes.append(warning)
        pulled = count(context, *fresh, *([f"^{ours}"] if ours else []))
        heads, aside = _screened(context, ours, fresh)
        brought = {change.path for head in heads for change in repo.diff(ours, head, [f"{store.prefix}{MEMORY}"])}
        hold_ours = ours is None or any(ours in bases[commit] for commit in fresh)
        if len(heads) == 1 and hold_ours:
            _fast_forward(context, tally, ours, heads[0])
        else:
            _merge(context, tally, branch, ours, heads if ours is None or hold_ours else [ours, *heads])
        tally.problems += aside
        tally.pulled += pulled
        tally.brought |= brought


def _screened(context: Context, ours: str | None, theirs: list[str]) -> tuple[list[str], list[str]]:
    """`theirs` without what cannot be checked out, and what was left out, in words."""
    heads, aside = [], []
    for commit in theirs:
        head, left_out = screened(context, ours, commit)
        heads.append(head)
        aside += left_out
    return heads, aside


def check_same_store(context: Context, theirs: str) -> None:
    """Raise RemoteError if the other side is another store (or none): merging two stores would mix what must stay apart."""
    data = contents_at(context, theirs, [CONFIG]).get(CONFIG)
    lost = data is None or (sound_or_none(CONFIG, data) is None and not is_newer(data))  # reverted, or spoiled
    if lost and (_has_our_roots(context, theirs) or _holds_our_log(context, theirs)):
        return
    if data is None:
        raise RemoteError(
            "the remote branch holds no gitmem store", "`gitmem sync` needs a branch of its own: `git switch -c memory`"
        )
    try:
        other = parse(data, CONFIG).id
    except InvalidRecord as error:
        hint = "upgrade gitmem-store" if is_newer(data) else "ask who pushed it"
        raise RemoteError(f"the remote's {error.message}", f"{hint}; nothing was merged") from error
    if other != context.store.id:
        raise RemoteError(f"the remote holds another store ({other})", "`gitmem clone URL` makes a clone of that one")


def _has_our_roots(context: Context, theirs: str) -> bool:
    """Whether the other side is code that has gone on from before the store was founded in it, or had it and reverted it."""
    head = context.store.repo.head()
    return head is not None and bool(context.store.repo.merge_bases(head, theirs))


def _holds_our_log(context: Context, theirs: str) -> bool:
    """Whether a segment of our log stands there: a history begun anew from where the founding had been reverted."""
    repo, log = context.store.repo, f"{context.store.prefix}{AUDIT}"
    head = repo.head()
    return head is not None and not repo.ls_tree(head, [log]).items().isdisjoint(repo.ls_tree(theirs, [log]).items())


def leave_to_user(context: Context, theirs: str) -> None:
    """Let git make the conflict in the work tree, where people know how to settle it. Raises GitmemError if git cannot."""
    repo = context.store.repo
    done = repo.call(*_as_such(repo), "merge", "--no-edit", "--no-verify", "--quiet", "-m", "gitmem: merge", theirs)
    if done.code and under_way(repo) is None:
        raise GitmemError(
            f"files that are not gitmem's conflict, and git cannot merge them now: {process.reason(done.err)}",
            "commit your changes or `git stash` them, then run the command again",
        )


def _as_such(repo: Repo) -> list[str]:
    """What has git merge whatever the user made of `git merge`: fast-forwards alone, a squash, a strategy that drops a side."""
    strategy = STRATEGY if repo.config_get("pull.twohead") == STRATEGY else "ort"
    said = (
        f"pull.twohead={strategy}",
        f"branch.{repo.branch()}.mergeOptions=",
        "merge.ff=true",
        "merge.verifySignatures=false",
    )
    return [word for one in said for word in ("-c", one)]


def count(context: Context, *span: str) -> int:
    """How many commits `span` (as in git-rev-list(1)) holds."""
    return int(context.store.repo.run("rev-list", "--count", *span, "--"))


def _fast_forward(context: Context, tally: Tally, ours: str | None, theirs: str) -> None:
    """Move the branch to a commit that holds all of ours; git refuses where a file of the user's is in the way."""
    store = context.store
    waiting = _set_aside(context, ours)
    _make_way(context, theirs)
    try:
        with moving(context, ours, theirs):
            store.repo.run(*_as_such(store.repo), "merge", "--ff-only", "--quiet", theirs)
    finally:
        _put_back(context, tally, waiting)


def _make_way(context: Context, theirs: str) -> None:
    """Take out the files that were only put back so that the store could be opened, where `theirs` brings them."""
    for path in contents_at(context, theirs, sorted(context.put_back)):
        inside(context.store.root, path).unlink(missing_ok=True)
        context.put_back.discard(path)


def _merge(context: Context, tally: Tally, branch: str, ours: str | None, sides: list[str]) -> None:
    """Merge commits whole, as one merge commit on top of `ours`: the store's files by their algebra, all others by git."""
    repo, prefix = context.store.repo, context.store.prefix
    first, *others = sides
    if len(others) == 1:
        merged = merge_trees(repo, repo.merge_bases(first, others[0]), first, others[0], prefix)
    else:
        merged = merge_many(repo, first, others, prefix)
    tree = _settled(merged)
    waiting = _set_aside(context, ours)
    try:
        checkout(repo, ours, tree, try_only=True)
        with moving(context, ours, tree):
            checkout(repo, ours, _commit_merge(context, branch, ours, sides, tree))
    finally:
        _put_back(context, tally, waiting)
    revived = [path.removeprefix(prefix) for path in merged.store.revived]
    tally.revived |= unburied(context, revived, sides)
    tally.merged += len(merged.store.merged)
    tally.problems += _kept(context, merged)


def _crossed(context: Context, tally: Tally, branch: str, theirs: str) -> bool:
    """Take in a commit of an old history from the new one, or the other way round, or one that is to be gone on from without
    ours, which name somebody; False where none of it is the case."""
    repo, ours = context.store.repo, context.store.repo.head()
    way = crossing(context, ours, theirs) if theirs != ours else None
    if way is None and ours is not None and theirs != ours and (way := unnamed(context, ours, theirs)):
        tally.notes.append(
            "what was committed here under a name, and shared by nobody yet, was committed anew under a pseudonym"
        )
    if way is None or ours is None:
        return False
    check_same_store(context, theirs)
    if warning := beware(context, ours, theirs):
        tally.notes.append(warning)
    head, aside = screened(context, ours, theirs)
    brought = {change.path for change in repo.diff(ours, head, [f"{context.store.prefix}{MEMORY}"])}
    if _cross(context, tally, branch, (ours, head), way if way.onto == ours else way._replace(onto=head)):
        tally.pulled += count(context, f"{ours}..{head}")
        tally.brought |= brought
        tally.problems += aside
    return True


def _cross(context: Context, tally: Tally, branch: str, sides: tuple[str, str], way: Crossing) -> bool:
    """Go on from the side with the new history, with what the other alone holds; whether anything is changed by that."""
    repo, (ours, theirs) = context.store.repo, sides
    merged = merge_trees(repo, way.bases, ours, theirs, context.store.prefix)
    tree = _settled(merged)
    if way.onto == ours and [tree] == repo.trees([ours]):
        return False
    waiting = _set_aside(context, ours)
    try:
        checkout(repo, ours, tree, try_only=True)
        with moving(context, ours, tree):
            if [tree] == repo.trees([way.onto]):
                move_ref(repo, f"refs/heads/{branch}", way.onto, ours, "gitmem: history rewritten")
                made = way.onto
            else:
                made = _commit_merge(context, branch, ours, [way.onto], tree)
            checkout(repo, ours, made)
    finally:
        _put_back(context, tally, waiting)
    tally.merged += len(merged.store.merged)
    tally.problems += _kept(context, merged)
    return True


def _kept(context: Context, merged: TreeMerge) -> list[str]:
    """What could not be joined, in words."""
    return [f"{path}: {about(path.removeprefix(context.store.prefix), why)}" for path, why in merged.store.kept]


def _settled(merged: TreeMerge) -> str:
    if merged.tree is None:
        raise ForeignClash(merged.clashes)
    return merged.tree


def _commit_merge(context: Context, branch: str, ours: str | None, parents: list[str], tree: str) -> str:
    repo = context.store.repo
    return git_commit(
        repo,
        {c.path: BlobRef(c.new, c.new_mode) if c.new else None for c in repo.diff(parents[0], tree)},
        "gitmem: merge",
        parents=parents,
        ref=f"refs/heads/{branch}",
        expected=ours,
        fallback=author(context, hidden=names_nobody(context, tree)),
    )


def _set_aside(context: Context, commit: str | None) -> dict[str, State]:
    """Bring the files of records with pending writes to what a commit holds, so that they may be moved on from there."""
    store = context.store
    states = {path: state for path in store.pending.paths() if (state := store.read(path)) is not None}
    held = contents_at(context, commit, list(states))
    for path in states:
        if path in held:
            store.put_file(path, held[path])
        else:
            inside(store.root, path).unlink(missing_ok=True)
    return states


def _put_back(context: Context, tally: Tally, states: dict[str, State]) -> None:
    store = context.store
    for path, state in states.items():
        moved_on = store.read_file(path)
        joined = state if moved_on is None else merge(moved_on, state)
        left = store.graves.bury(path, joined)
        if left is None:
            inside(store.root, path).unlink(missing_ok=True)
            continue
        store.put_file(path, emit(left))
        if left.alive and left != joined:
            tally.revived[path] = joined
