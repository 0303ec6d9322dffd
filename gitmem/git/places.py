"""Where in a repository its store is: what the clone's own configuration says, and the work tree of the store's branch.

The configuration of a clone belongs to whoever works there; nothing that is fetched or checked out can write it. It is read
here in Python, because a cold `gitmem match` does nothing else with git.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git.own_files import read_text
from gitmem.git.repo import Repo

PREFIX_KEY: Final = "gitmem.prefix"
BRANCH_KEY: Final = "gitmem.branch"
HOME: Final = "gitmem-store"
"""The name of a store's own work tree, in the git directory: there neither `git status` nor `git clean` meets it."""

MARK: Final = ".gitmem/config.yaml"
"""The file that makes a directory a store."""

_SECTION: Final = "[gitmem]"
_ODD: Final = frozenset('"\\#;')  # what makes a value mean something else than its letters, see git-config(1)
_AT_WORK: Final = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""Files that name the branch while HEAD is detached from it for a time."""


class Chosen(NamedTuple):
    """What a clone was told about its store: the directory (empty, or ending in a slash), the branch; None: nothing."""

    prefix: str | None = None
    branch: str | None = None


def chosen(repo: Repo) -> Chosen:
    """What this clone's configuration says about its store. As a rule starts no process."""
    file = repo.common_dir / "config"
    text = _text(file) or ""
    if _SECTION not in text.lower():
        return Chosen()
    found, plain = _settings(text)
    found = found if plain else _as_git_reads(repo, file)
    return Chosen(found.get("prefix"), found.get("branch"))


def branch_at_work(repo: Repo) -> str | None:
    """The branch this work tree is on; in the middle of a rebase or a bisection, the one it will come back to."""
    branch = repo.branch()
    for name in _AT_WORK:
        if branch is not None:
            break
        with_ref = _text(repo.git_dir / name)
        branch = with_ref.removeprefix("refs/heads/") if with_ref else None
    return branch


def worktree_of(repo: Repo, branch: str) -> Repo | None:
    """The work tree of this repository that is on `branch`; None where none is, or where it is not in its place any more."""
    return next((tree for tree in worktrees(repo) if branch_at_work(tree) == branch), None)


def worktrees(repo: Repo) -> Iterator[Repo]:
    """All work trees of the repository that are in their places."""
    common = repo.common_dir
    if repo.git_dir == common:
        yield repo
    elif common.name == ".git":
        yield Repo(common.parent, common, common)
    for admin in admins(repo):
        if top := _top_of(admin):
            yield Repo(top, admin, common)


def own_tree(repo: Repo) -> Repo | None:
    """The work tree at the store's own place, whatever branch it is on; None if there is none that works."""
    return next((tree for tree in worktrees(repo) if tree.root == repo.common_dir / HOME), None)


def absolute_urls(repo: Repo, remote: str) -> list[str]:
    """The options that have git read a remote's relative path from the main work tree, as it does there.

    git itself reads it from wherever it runs, so that `../team.git` leads nowhere from a linked work tree.
    """
    if repo.git_dir == repo.common_dir or repo.common_dir.name != ".git":
        return []
    pattern = rf"^remote\.{re.escape(remote)}\.(push)?url$"
    listed = os.fsdecode(repo.run("config", "--null", "--get-regexp", pattern, ok=(0, 1))).split("\0")[:-1]
    urls = {item.partition("\n")[2] for item in listed}
    paths = [url for url in sorted(urls) if url and not url.startswith("/") and ":" not in url]
    return [word for path in paths for word in ("-c", f"url.{(repo.common_dir.parent / path).resolve()}.insteadOf={path}")]


def admins(repo: Repo) -> list[Path]:
    """The directories in which git keeps what belongs to one linked work tree each, sorted."""
    try:
        return sorted(entry for entry in (repo.common_dir / "worktrees").iterdir() if (entry / "HEAD").exists())
    except OSError:
        return []


def rejoin(repo: Repo, branch: str) -> Repo | None:
    """Join the store's own work tree to this repository again after both were moved, or copied, to another place.

    git notes absolute paths: in a copy they lead to the original, which is not ours to touch. None if that is not the case.
    """
    top = repo.common_dir / HOME
    admin = repo.common_dir / "worktrees" / Path(_text(top / ".git") or "-").name
    links = any(map(os.path.islink, (top, top / ".git", admin, admin / "gitdir")))  # they could lead our writes anywhere
    if links or not (admin / "HEAD").exists() or branch_at_work(Repo(top, admin, repo.common_dir)) != branch:
        return None
    try:
        (top / ".git").write_text(f"gitdir: {admin}\n", "utf-8", "surrogateescape")
        (admin / "gitdir").write_text(f"{top / '.git'}\n", "utf-8", "surrogateescape")
    except OSError as error:
        raise GitmemError(f"cannot join {top} to its repository: {error.strerror}", "check who owns it") from error
    return Repo(top, admin, repo.common_dir)


def stores_below(repo: Repo, revision: str | None = None) -> list[str]:
    """The directories (empty, or ending in a slash) that hold a store in `revision`, or in the index without one."""
    if revision is not None:
        listed = repo.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", revision)
    else:
        globs = {"GIT_LITERAL_PATHSPECS": "0", "GIT_GLOB_PATHSPECS": "1"}
        listed = repo.run("ls-files", "-z", "--cached", "--", f"**/{MARK}", env=globs)
    names = {name for name in os.fsdecode(listed).split("\0") if name == MARK or name.endswith(f"/{MARK}")}
    return sorted(name.removesuffix(MARK) for name in names)


def branches_with_store(repo: Repo, refs: str = "refs/remotes") -> list[str]:
    """The short names of the remote's branches (or of those below `refs`) that hold a store at their top."""
    depth = refs.count("/") + 1 + (refs == "refs/remotes")
    listed = repo.run("for-each-ref", f"--format=%(objectname):{MARK} %(refname:lstrip={depth})", refs).decode()
    lines = [line for line in listed.splitlines() if not line.endswith("/HEAD")]
    found = repo.run("cat-file", "--batch-check=%(objecttype) %(rest)", input="\n".join([*lines, ""]).encode())
    return sorted({line.partition(" ")[2] for line in found.decode().splitlines() if line.startswith("blob ")} - {"HEAD"})


def _settings(text: str) -> tuple[dict[str, str], bool]:
    """(our section of a configuration file, whether it is written plainly enough to be read so)."""
    found: dict[str, str] = {}
    ours, plain = False, True
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            ours = line.lower().startswith(_SECTION)
            plain &= not ours or len(line) == len(_SECTION)
        elif ours:
            name, _, value = line.partition("=")
            found[name.strip().lower()] = value.strip()
            plain &= _ODD.isdisjoint(value)
    return found, plain


def _as_git_reads(repo: Repo, file: Path) -> dict[str, str]:
    """The same, for a file that somebody wrote in a way that git does not."""
    listed = os.fsdecode(repo.run("config", "--file", str(file), "--null", "--get-regexp", r"^gitmem\.", ok=(0, 1)))
    pairs = (item.partition("\n") for item in listed.split("\0")[:-1])
    return {key.partition(".")[2]: value for key, _, value in pairs}


def _top_of(admin: Path) -> Path | None:
    """The top of the linked work tree that belongs to `admin`, if each of the two names the other."""
    link = admin / (_text(admin / "gitdir") or "-")
    back = (_text(link) or "").removeprefix("gitdir: ")
    try:
        return link.parent.resolve() if back and (link.parent / back).resolve() == admin.resolve() else None
    except OSError:
        return None


def _text(file: Path) -> str | None:
    with suppress(OSError):
        return read_text(file)
    return None
