"""A branch of its own for a store, beside the code: made without touching any other branch, index or work tree.

The branch is checked out in a linked work tree inside the git directory. What git must know to treat the store well stands in
a file that the repository's configuration includes for that work tree alone (`includeIf`, git-config(1)): the code keeps its
merge strategy, its hooks and its speed.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError, UsageError
from gitmem.git.hooks import own_folder
from gitmem.git.places import BRANCH_KEY, HOME, chosen, own_tree, rejoin
from gitmem.git.remote import Upstream, fetch
from gitmem.git.repo import Repo

_SETTINGS: Final = "gitmem/branch.config"
_QUIET: Final = ("-c", "core.hooksPath=/dev/null")  # the code's post-checkout hook is not for this
_WHO: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "gitmem"), ("EMAIL", "gitmem@localhost"))
}


def own_settings(repo: Repo) -> Path:
    """The file that holds git's settings for the store's own work tree."""
    return repo.common_dir / _SETTINGS


def check_branch_name(repo: Repo, branch: str) -> None:
    """Raise UsageError for what cannot be a branch's name."""
    if branch.startswith("-") or repo.call("check-ref-format", f"refs/heads/{branch}").code:
        raise UsageError(f"{branch[:60]!r} cannot be a branch's name", "for example: gitmem init --branch gitmem")


def known_branch(repo: Repo, branch: str) -> str | None:
    """The commit of the branch: the one here, else the one on the remote, which is asked, and then is made here, too.

    Raises RemoteError if the remote cannot be asked: the team's store may be there.
    """
    here = repo.ref(f"refs/heads/{branch}")
    remote = _remote(repo)
    if here is not None or remote is None:
        return here
    source = Upstream(remote, f"refs/heads/{branch}", f"refs/remotes/{remote}/{branch}")
    there = fetch(repo, source).commit
    if there is not None:
        repo.run("update-ref", "-m", "gitmem: from the remote", source.ref, there, repo.zero_id())
    return there


def share_with(repo: Repo, branch: str) -> None:
    """Note where the branch is shared: with the code's own remote."""
    remote = _remote(repo)
    if remote is not None and repo.config_get(f"branch.{branch}.remote") is None:
        repo.config_set(f"branch.{branch}.remote", remote)
        repo.config_set(f"branch.{branch}.merge", f"refs/heads/{branch}")


def add_worktree(repo: Repo, branch: str, place: Path | None) -> Repo:
    """A work tree for the branch at `place` (by default in the git directory); an unborn branch becomes an orphan.

    Raises GitmemError if something is at `place`. What is left of an earlier work tree at the default place is set aside.
    """
    if place is None and (joined := rejoin(repo, branch)):
        return joined
    if place is None and (begun := own_tree(repo)):
        return _begun(repo, begun, branch)
    top = place or repo.common_dir / HOME
    if place is None:
        _set_aside(top)
    elif os.path.lexists(top) and not (top.is_dir() and not any(top.iterdir())):
        raise GitmemError(f"{top} is there already and not empty", "name another directory, or none: gitmem init --branch NAME")
    born = repo.ref(f"refs/heads/{branch}") is not None
    what = [str(top), branch] if born else ["--detach", "--no-checkout", str(top), _nothing(repo)]
    repo.run(*_QUIET, "worktree", "add", "--quiet", "--force", *what)
    tree = Repo.find(top)
    if not born:
        tree.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    if repo.config_get("core.sparseCheckout") == "true":
        tree.run("sparse-checkout", "disable")
    _hide(repo, top)
    return tree


def _begun(repo: Repo, tree: Repo, branch: str) -> Repo:
    """The work tree at the store's own place, if it was being made for `branch` when that was cut short."""
    head = tree.head()
    empty = tree.branch() is None and head is not None and tree.trees([head]) == [tree.empty_tree()]
    if not empty or repo.ref(f"refs/heads/{branch}") is not None:
        raise GitmemError(
            f"{tree.root} is not on the branch {branch}",
            f"git -C {shlex.quote(str(tree.root))} switch {shlex.quote(branch)}",
        )
    tree.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return tree


def remove_worktree(repo: Repo, tree: Repo) -> None:
    """Take back `add_worktree` for a branch that was never born, and `settle_on`."""
    repo.run("worktree", "remove", "--force", str(tree.root))
    repo.config_set(BRANCH_KEY, None)


def settle_on(repo: Repo, branch: str, tree: Repo) -> None:
    """Have every gitmem command in this clone find the store on `branch`, and git apply the store's settings there."""
    said = chosen(repo).branch
    repo.config_set(BRANCH_KEY, branch)
    if said and said != branch:
        repo.config_set(f"includeIf.onbranch:{said}.path", None)
    conditions = [f"onbranch:{branch}"]  # for a work tree of another name; it does not hold while HEAD is detached
    if tree.git_dir != tree.common_dir:
        conditions.append(f"gitdir:./worktrees/{tree.git_dir.name}")
    for condition in conditions:
        repo.config_set(f"includeIf.{condition}.path", _SETTINGS)
    own_settings(repo).parent.mkdir(mode=0o700, exist_ok=True)
    inside = tree.root.is_relative_to(repo.common_dir)
    hooks = os.path.relpath(own_folder(repo), tree.root) if inside else str(own_folder(repo))
    repo.config_set("core.hooksPath", hooks, own_settings(repo))


def _remote(repo: Repo) -> str | None:
    """The code's remote: `origin`, else the one that its branch is shared with, else the only one."""
    config = repo.config()
    names = sorted({match[1] for key in config if (match := re.fullmatch(r"remote\.(.+)\.url", key))})
    own = config.get(f"branch.{repo.branch()}.remote")
    return next((name for name in ("origin", own) if name in names), names[0] if len(names) == 1 else None)


def _nothing(repo: Repo) -> str:
    """A commit of the empty tree: git makes a work tree only at a commit. Nothing refers to it afterwards."""
    tree = repo.run("hash-object", "-t", "tree", "-w", "--stdin", input=b"").decode().strip()
    return repo.run("commit-tree", "-m", "nothing", tree, env=_WHO).decode().strip()


def _set_aside(top: Path) -> None:
    """Move away what is left of a work tree that git has forgotten: it may hold edits that nobody committed."""
    if top.is_dir() and any(top.iterdir()):
        number = next(n for n in range(1, 1000) if not top.with_name(f"{top.name}.old-{n}").exists())
        top.rename(top.with_name(f"{top.name}.old-{number}"))


def _hide(repo: Repo, top: Path) -> None:
    """Keep a work tree inside the code's out of `git status` there."""
    try:
        inside = top.resolve().relative_to(repo.root).as_posix()
    except ValueError:
        return
    if inside.split("/")[0] == ".git":
        return
    file = repo.common_dir / "info" / "exclude"
    line = "/" + re.sub(r"([\\*?\[])", r"\\\1", inside) + "/"
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
    if line not in text.splitlines():
        file.parent.mkdir(exist_ok=True)
        start = text if not text or text.endswith("\n") else f"{text}\n"
        file.write_text(f"{start}{line}\n", "utf-8", "surrogateescape")
