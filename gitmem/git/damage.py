"""What lies damaged in git's store: objects that are empty, cut off or not what they should be, or a branch that names none."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError
from gitmem.git import process
from gitmem.git.objects import DURABLE
from gitmem.git.repo import Repo
from gitmem.git.underway import broken_heads

_PIECE: Final = 1 << 20
_LOOSE: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38}(?:[0-9a-f]{24})?")
_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# An object that is whole, and not as git would write it today, is history as it happened, and no damage.
_ABOUT_OBJECTS: Final = (0, 1)  # codes of git-fsck(1) that say no more than its lines do
_BESIDE: Final = ("bitmap", "rev", "mtimes")  # what git works out of a pack, or notes of it; older ones check none of it
_NO_INDEX: Final = "git's index is missing"
_WHOLE: Final = ("error in ", "warning in ", "warning: ", "dangling ", "notice: ", "hint: ")


def damage(repo: Repo) -> list[str]:
    """What is damaged or missing, in git's words; every object is read and hashed again."""
    ours = [*([_NO_INDEX] if is_index_gone(repo) else []), *(f"{file.name} is damaged" for file in _damaged_beside(repo))]
    done = repo.call("fsck", "--full", "--no-dangling", "--no-progress")
    if done.code == 0:
        return ours
    said = (done.err + "\n" + process.readable(done.out)).splitlines()
    told = {line.strip() for line in said if line.strip() and not line.startswith(_WHOLE)}
    if told == {f"missing tree {repo.empty_tree()}"}:  # git has it built in, and writes it nowhere (`pull --rebase=merges`)
        return ours
    # A part of it that crashed says nothing.
    return ours + (sorted(told) or ([] if done.code in _ABOUT_OBJECTS else [f"git fsck ends with {done.code}"]))


def is_index_gone(repo: Repo) -> bool:
    """Whether there is no index beside a commit; git takes every file for removed then."""
    with suppress(GitmemError):
        return not repo.index_file.exists() and repo.head() is not None
    return False


def set_damaged_aside(repo: Repo, folder: Path) -> None:
    """Move damaged objects and packs to `folder`, and put what can be read of such packs back as single objects.

    Called when git found damage. While a damaged object lies there, git takes no sound one in its place.
    """
    packs = repo.common_dir / "objects" / "pack"
    bad = [index.stem for index in sorted(packs.glob("*.idx")) if repo.call("verify-pack", str(index)).code]
    for path in _damaged_loose(repo):
        _move(path, folder / (path.parent.name + path.name))
    for name in bad:
        for path in sorted(packs.glob(f"{name}.*")):
            _move(path, folder / path.name)
        _unpack(repo, folder / f"{name}.pack")
    repo.close()  # what was read before may be open still


def set_caches_aside(repo: Repo, folder: Path) -> None:
    """Move to `folder` what is damaged of the files that git only works out of its objects, and would believe before them.

    git does without them, and makes them again when it keeps house; the index is read from HEAD here, without what was staged.
    """
    objects = repo.common_dir / "objects"
    if repo.call("commit-graph", "verify", "--no-progress").code:
        _move_all(objects / "info", "commit-graph*", folder)
    if repo.call("multi-pack-index", "verify", "--no-progress").code:
        _move_all(objects / "pack", "multi-pack-index*", folder)
    for file in _damaged_beside(repo):
        _move(file, folder / file.name)
    repo.close()
    whole = not repo.index_file.exists() or _is_whole(repo.index_file.read_bytes(), len(repo.zero_id()))
    if not whole or repo.call("ls-files").code:
        _move(repo.index_file, folder / "index")
    if is_index_gone(repo):
        repo.call("read-tree", "HEAD")


def _move_all(place: Path, pattern: str, folder: Path) -> None:
    for path in sorted(place.glob(pattern)):
        _move(path, folder / path.name)


def mend_ref(repo: Repo, folder: Path) -> None:
    """Set the branch to where it last stood, as git's own log of it tells, where its file is gone, empty or names no commit."""
    with suppress(GitmemError):
        head = repo.head()
        if head is not None and repo.resolve(head):
            return
    name, last = repo.current_ref(), last_stood(repo)
    if last is not None and name != "HEAD":
        if os.path.lexists(repo.common_dir / name):
            _move(repo.common_dir / name, folder / name.replace("/", "-"))
        repo.call(*DURABLE, "update-ref", name, last)


def last_stood(repo: Repo) -> str | None:
    """The commit that HEAD's branch last stood at, as git's log of it tells; git removes that log when it deletes a branch."""
    name = repo.current_ref()
    log = (repo.git_dir if name == "HEAD" else repo.common_dir) / "logs" / name
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    stood = (words[1] for line in reversed(lines) if len(words := line.split(" ", 2)) > 1)
    return next((commit for commit in stood if _ID.fullmatch(commit) and repo.resolve(commit)), None)


def set_heads_aside(repo: Repo, folder: Path) -> None:
    """Move what should name the commits of a merge, and names none, to `folder`: the merge has come to nothing then."""
    for file in broken_heads(repo):
        _move(file, folder / file.name)


def drop_lost_refs(repo: Repo, below: str) -> list[str]:
    """Remove the refs below `below` of whose commits something is gone that HEAD's history has not: git stops at them.

    Returns their names.
    """
    if (head := repo.head()) is None or repo.resolve(head) is None:
        return []
    folder, packed = repo.common_dir / below, repo.common_dir / "packed-refs"
    loose = [file.relative_to(repo.common_dir).as_posix() for file in folder.rglob("*") if file.is_file()]
    lines = packed.read_text("utf-8", "replace").splitlines() if packed.is_file() else []
    names = sorted({*loose, *(name for line in lines if (name := line.partition(" ")[2]).startswith(below))})
    lost = [name for name in names if repo.call("rev-list", "--objects", "--quiet", name, f"^{head}", "--").code]
    for name in lost:
        repo.call(*DURABLE, "update-ref", "--no-deref", "-d", name)
    return lost


def put_back_blobs(repo: Repo, files: Iterable[tuple[str, bytes]]) -> None:
    """Write contents that git should have as blobs: (id, content), each only if it is the content of that id."""
    for blob, data in files:
        if _hash(len(blob), [b"blob %d\0" % len(data), data]) == blob:
            repo.run(*DURABLE, "hash-object", "-w", "--stdin", input=data)


def _damaged_beside(repo: Repo) -> list[Path]:
    files = sorted((repo.common_dir / "objects" / "pack").glob("*.*"))
    digits = len(repo.zero_id())
    return [file for file in files if file.suffix[1:] in _BESIDE and not _is_whole(file.read_bytes(), digits)]


def _damaged_loose(repo: Repo) -> Iterator[Path]:
    objects = repo.common_dir / "objects"
    for path in sorted(objects.glob("[0-9a-f][0-9a-f]/*")):
        name = path.relative_to(objects).as_posix()
        if _LOOSE.fullmatch(name) and not _is_sound(path, name.replace("/", "")):
            yield path


def _is_sound(path: Path, name: str) -> bool:
    unpacker = zlib.decompressobj()
    try:
        with path.open("rb") as file:
            pieces = (unpacker.decompress(piece) for piece in iter(lambda: file.read(_PIECE), b""))
            return _hash(len(name), pieces) == name and unpacker.eof and not unpacker.unused_data
    except (OSError, zlib.error):
        return False


def _is_whole(file: bytes, digits: int) -> bool:
    """Whether a file of git's ends with the hash of what it holds, or with zeros where none was made (index.skipHash)."""
    content, told = file[: -digits // 2], file[-digits // 2 :]
    return not any(told) or _hash(digits, [content]) == told.hex()


def _hash(digits: int, pieces: Iterable[bytes]) -> str:
    """The id of an object, as hexadecimal of so many digits."""
    digest = hashlib.sha256() if digits == 64 else hashlib.sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _unpack(repo: Repo, pack: Path) -> None:
    """Put back each object of a damaged pack that can be read."""
    if pack.exists():
        with pack.open("rb") as file:
            words = (*DURABLE, "unpack-objects", "-r", "-q")
            with process.start(words, repo.root, stdin=file.fileno()) as child:
                child.communicate()


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.replace(target)
