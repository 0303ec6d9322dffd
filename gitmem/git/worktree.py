"""Bringing the work tree from one commit to the next, without losing what a person did there meanwhile.

A work tree's content comes from a repository that others write to: a directory in it may be a link to anywhere. Directories
are therefore opened one by one and never through a link, and files are made inside the opened directory.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError, Locked, NoRoom
from gitmem.git import process
from gitmem.git.commits import refresh_index
from gitmem.git.objects import check_path
from gitmem.git.repo import Change, Repo

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_IN_THE_WAY: Final = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR)  # a link, or a file where a directory belongs


def checkout(repo: Repo, old: str | None, new: str, *, try_only: bool = False) -> None:
    """Bring index and work tree from tree-ish `old` to `new`, all paths or none, as `git checkout` does.

    What is staged or edited on other paths stays. Raises GitmemError, with nothing changed, if it stands in the way, Locked if
    another git command is at work, NoRoom if the disk is full.
    With `try_only` nothing is changed in any case. What a killed checkout had written already is not in its own way: the index
    is told of such files first.
    """
    # What is checked out in submodules is its owner's, as in git's own merges, whatever submodule.recurse says of read-tree.
    args = ("read-tree", "-m", "-u", "--no-recurse-submodules", *(["-n"] if try_only else []), old or repo.empty_tree(), new)
    done = repo.call(*args)
    if done.code:  # perhaps only because the index does not know yet that a file is as it was; git's own commands refresh it
        repo.call("update-index", "-q", "--refresh")
        _take_over(repo, old, new)
        done = repo.call(*args)
    if done.code:
        failed = process.failure(args, repo.root, done)
        if isinstance(failed, Locked | NoRoom):  # nothing is in the way of the files themselves
            raise failed
        raise GitmemError(
            f"changes in the work tree are in the way: {process.reason(done.err)}",
            "commit them or `git stash` them, then run the command again",
        )


def _take_over(repo: Repo, old: str | None, new: str) -> None:
    """Have the index know the files that hold what is to come."""
    there = [change for change in repo.diff(old, new) if change.new and holds(repo, change.path, change.new)]
    refresh_index(repo, there)


def write_worktree(repo: Repo, changes: Iterable[Change]) -> list[str]:
    """Write the new content of the changed paths into the work tree; the paths that were left alone are returned.

    Left alone is a file that holds neither the old nor the new content nor the beginning of that (somebody edited it), and
    one that lies behind a symbolic link. Each file is replaced in one step; the commit, not the file, is what survives a
    power loss.
    """
    todo = list(changes)
    contents = repo.read_blobs(change.new for change in todo if change.new)
    left = []
    for change in todo:
        data = next(contents)[1] if change.new else None
        check_path(change.path)
        if not _bring(repo.root, change, data):
            left.append(change.path)
    return left


def left_out(repo: Repo, folders: Iterable[str]) -> list[str]:
    """The files below `folders` that a sparse checkout keeps out of the work tree."""
    if not (repo.git_dir / "info" / "sparse-checkout").exists():  # where there never was one no process is started
        return []
    listed = os.fsdecode(repo.run("ls-files", "-t", "-z", "--", *folders)).split("\0")[:-1]
    return [path for mark, path in (line.split(" ", 1) for line in listed) if mark == "S" and not (repo.root / path).exists()]


def holds(repo: Repo, path: str, blob: str | None) -> bool:
    """Whether the file at `path` of the work tree has the content of `blob` (None: whether there is no such file)."""
    try:
        with _parent(repo.root, path, create=False) as folder:
            found = None if folder is None else _blob_at(folder, path.rpartition("/")[2], blob or "")
    except OSError:
        return False  # something else is in the way
    return found == blob


def _bring(root: Path, change: Change, data: bytes | None) -> bool:
    try:
        with _parent(root, change.path, create=data is not None) as folder:
            if folder is not None and not _replace_known(folder, change, data):
                return False
        if data is None:
            _remove_empty(root, change.path)
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            return False
        raise GitmemError(
            f"cannot write {change.path!r} into the work tree: {os.strerror(error.errno or 0).lower()}",
            "the commit is made; free some space, then `gitmem doctor --fix` completes the files",
        ) from None
    return True


def _replace_known(folder: int, change: Change, data: bytes | None) -> bool:
    """Put the new content in place of the old; False, and nothing done, if something else is there."""
    name = change.path.rpartition("/")[2]
    found = _blob_at(folder, name, change.old or change.new or "")
    if found == change.new:
        return True
    if data is not None and not change.new_mode.startswith("100"):
        return False
    if found not in (None, change.old) and not (data and _is_cut_off(folder, name, data)):
        return False
    if data is None:
        os.unlink(name, dir_fd=folder)
        return True
    temporary = f".{name[:100]}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, _NEW_FILE, 0o777 if change.new_mode == "100755" else 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    return True


@contextmanager
def _parent(root: Path, path: str, *, create: bool) -> Iterator[int | None]:
    """The opened directory that holds `path`; None if it is not there and is not to be made."""
    current = os.open(root, _FOLDER)
    try:
        for part in path.split("/")[:-1]:
            inner = _step(current, part, create)
            os.close(current)
            current = -1
            if inner is None:
                yield None
                return
            current = inner
        yield current
    finally:
        if current >= 0:
            os.close(current)


def _step(folder: int, part: str, create: bool) -> int | None:
    try:
        return os.open(part, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            return None
    with suppress(FileExistsError):  # made by another process just now
        os.mkdir(part, dir_fd=folder)
    return os.open(part, _FOLDER, dir_fd=folder)


def _blob_at(folder: int, name: str, like: str) -> str | None:
    """The id of the file's content as a blob, hashed as `like` was; None if there is none, "" if it is no file."""
    import hashlib

    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            return ""
        digest = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
        digest.update(b"blob %d\0" % info.st_size)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _is_cut_off(folder: int, name: str, data: bytes) -> bool:
    """Whether a regular file holds no more than the beginning of `data`: git writes in place, and was killed or had no room."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and data.startswith(file.read(len(data) + 1))


def _remove_empty(root: Path, path: str) -> None:
    """Remove the directories that the removal of `path` has emptied, as git does."""
    folder = path.rpartition("/")[0]
    while folder:
        with _parent(root, folder, create=False) as above:
            if above is None:
                return
            try:
                os.rmdir(folder.rpartition("/")[2], dir_fd=above)
            except OSError:  # not empty, or gone already
                return
        folder = folder.rpartition("/")[0]
