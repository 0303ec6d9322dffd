"""What people do with git in a clone that gitmem is set up in: commits, pulls, side branches and everything that rewrites."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.sim.clone import Clone, Role
from tests.sim.switches import action
from tests.sim.template import MEMBERS
from tests.sim.world import Skip, World

_ANY = (Role.MEMBER, Role.KEYLESS, Role.GIT_ONLY)
_SET_UP = (Role.MEMBER, Role.KEYLESS)
_FAR = 3


def ready(clone: Clone, rng: Random, *, commit: bool = True) -> None:
    """Finish or abort what is under way, and (mostly) commit what is pending, so that git does not refuse out of hand."""
    settle(clone, rng)
    if commit and rng.random() < 0.8:
        clone.git("add", "--all")
        if clone.git("diff", "--cached", "--quiet").returncode:
            done = clone.git("commit", "--quiet", "-m", "by hand")
            if done.returncode:
                clone.git("reset", "--quiet")


def settle(clone: Clone, rng: Random) -> None:
    """Finish or abort the git operation that is under way."""
    for _ in range(6):
        what = clone.under_way()
        if what is None:
            return
        if rng.random() < 0.5:
            _go_on(clone, what)
        else:
            clone.git(what, "--abort")
    what = clone.under_way()
    assert what is None or clone.git(what, "--abort").returncode == 0, f"{clone.name}: {what} cannot be ended"


def _go_on(clone: Clone, what: str) -> None:
    """Take the files as they lie and continue; an empty commit is skipped."""
    if clone.ask("ls-files", "--unmerged"):
        return
    if what == "merge":
        clone.git("commit", "--quiet", "--no-edit")
    elif clone.git(what, "--continue").returncode and what != "am":
        clone.git(what, "--skip")


def maybe_settle(clone: Clone, rng: Random) -> None:
    """Mostly clear up at once after a command that stopped half-way; sometimes leave it for later."""
    if rng.random() < 0.8:
        settle(clone, rng)


def commits(clone: Clone, span: str = "HEAD", *more: str, limit: int = 20) -> list[str]:
    """Commits without merges, newest first."""
    return clone.ask("rev-list", "--no-merges", f"--max-count={limit}", span, *more).split()


def back(clone: Clone, far: int) -> str:
    """HEAD~far, or as far back as the store has all its members: before, nobody could have opened this clone."""
    for steps in range(far, 0, -1):
        if clone.git("cat-file", "-e", f"HEAD~{steps}:.gitmem/members/{MEMBERS[-1]}.yaml").returncode == 0:
            return f"HEAD~{steps}"
    return "HEAD"


def unpushed(clone: Clone) -> list[str]:
    """Commits of HEAD that the remote's branch, as this clone knows it, lacks."""
    return clone.ask("rev-list", "HEAD", "--not", "--remotes").split()


@action(4)
def git_commit(world: World, clone: Clone, rng: Random) -> None:
    """`git add`, `git commit`, with the hooks."""
    settle(clone, rng)
    clone.git("add", "--all")
    if clone.git("commit", "--quiet", "-m", f"by hand {world.step}").returncode:
        clone.git("reset", "--quiet")


@action(4, *_SET_UP)
def pull(world: World, clone: Clone, rng: Random) -> None:
    """`git pull`, with a merge or a rebase."""
    ready(clone, rng)
    how = rng.choice([[], ["--no-rebase"], ["--rebase"], ["--rebase=merges"], ["--no-rebase", "--no-ff"]])
    clone.git("pull", "--quiet", *how, "origin", "main")
    maybe_settle(clone, rng)


@action(3, *_ANY)
def push(world: World, clone: Clone, rng: Random) -> None:
    """`git push`, which is refused when somebody was faster."""
    ready(clone, rng)
    clone.git("push", "--quiet", "origin", "HEAD:main")


@action(2, *_SET_UP)
def pull_from_a_peer(world: World, clone: Clone, rng: Random) -> None:
    """Pull from somebody else's clone, which makes histories cross."""
    peer = rng.choice([one for one in world.configured if one is not clone] or [clone])
    ready(clone, rng)
    clone.git("pull", "--quiet", "--no-rebase", str(peer.path), peer.main)
    maybe_settle(clone, rng)


@action(4, *_SET_UP)
def side_branch(world: World, clone: Clone, rng: Random) -> None:
    """Begin a branch, or go to one that is there, or back to the main one."""
    ready(clone, rng)
    here = clone.branch()
    sides = [name for name in clone.branches() if name != here]
    if here != clone.main and rng.random() < 0.6:
        clone.git("switch", "--quiet", clone.main)
    elif sides and rng.random() < 0.5:
        clone.git("switch", "--quiet", rng.choice(sides))
    else:
        start = rng.choice(["HEAD", back(clone, rng.randint(1, 3)), "origin/main"])
        clone.git("switch", "--quiet", "-c", f"side-{clone.stem or clone.name}-{world.step}", start)


@action(4, *_SET_UP)
def merge(world: World, clone: Clone, rng: Random) -> None:
    """Merge a branch: with or without fast-forward, squashed, several at once."""
    ready(clone, rng)
    sides = [name for name in [clone.main, *clone.branches()] if name != clone.branch()]
    if not sides:
        raise Skip("no branch")
    chosen = rng.choice(sides)
    how = rng.choice([[], [], ["--no-ff"], ["--squash"], ["--no-commit"]])
    if len(sides) > 1 and rng.random() < 0.4:
        clone.git("merge", "--quiet", "-m", "octopus", *rng.sample(sides, min(len(sides), 3)))
    else:
        clone.git("merge", "--quiet", "--no-edit", *how, chosen)
        if how in (["--squash"], ["--no-commit"]):
            clone.git("commit", "--quiet", "-m", "squashed")
    maybe_settle(clone, rng)


@action(2, *_SET_UP)
def rebase(world: World, clone: Clone, rng: Random) -> None:
    """Rebase onto another branch, with either backend."""
    ready(clone, rng)
    onto = rng.choice([*(name for name in [clone.main, *clone.branches()] if name != clone.branch()), "origin/main"])
    clone.git("rebase", "--quiet", rng.choice(["--merge", "--apply", "--rebase-merges"]), onto)
    maybe_settle(clone, rng)


@action(2, *_SET_UP)
def cherry_pick(world: World, clone: Clone, rng: Random) -> None:
    """Pick one commit or a few from another branch."""
    ready(clone, rng)
    clone.git("fetch", "--quiet", "origin")
    others = [*(name for name in clone.branches() if name != clone.branch()), "origin/main"]
    found = commits(clone, f"HEAD..{rng.choice(others)}")
    if not found:
        raise Skip("nothing to pick")
    picked = rng.choice(found)
    chosen = found[-1:] and (list(reversed(found[:_FAR])) if rng.random() < 0.4 else [picked])
    clone.git("cherry-pick", *chosen)
    maybe_settle(clone, rng)


@action(2)
def amend(world: World, clone: Clone, rng: Random) -> None:
    """Amend a commit that nobody else has."""
    ready(clone, rng)
    if not unpushed(clone):
        raise Skip("all is pushed")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--amend", "--no-edit", "--allow-empty")


@action(3)
def stash(world: World, clone: Clone, rng: Random) -> None:
    """Stash pending edits, or bring them back."""
    settle(clone, rng)
    if clone.ask("stash", "list") and rng.random() < 0.7:
        if clone.git("stash", "pop", "--quiet").returncode:
            clone.git("reset", "--quiet", "--hard")
            clone.git("stash", "drop", "--quiet")
    else:
        clone.git("stash", "push", "--quiet", "--include-untracked")


@action(2)
def am(world: World, clone: Clone, rng: Random) -> None:
    """Mail patches from another clone and apply them with `am -3`."""
    peers = [one for one in world.members if one is not clone]
    if not peers:
        raise Skip("alone")
    peer = rng.choice(peers)
    ready(clone, rng)
    picked = commits(peer, limit=3)[:1] if rng.random() < 0.5 else unpushed(peer)[:2]
    if not picked:
        raise Skip("no patch")
    mails = peer.git("format-patch", "--stdout", "--binary", "--full-index", "-k", f"-{len(picked)}").stdout
    clone.git("fetch", "--quiet", str(peer.path), peer.main)
    clone.git("am", "--quiet", "-3", "-k", stdin=mails)
    maybe_settle(clone, rng)


def record_file(world: World, clone: Clone, rng: Random) -> Path:
    """Some record's file. Ids are random: the choice goes by the order in which the records were made."""
    files = {path.stem: path for path in clone.path.glob("memory/*/*/*/*.yaml")}
    known = [files[record] for record in world.ids if record in files]
    if not known:
        raise Skip("no file")
    return rng.choice(known)
