"""Rebuilding a repository from backups: bundles are held against their hashes, opened, and unpacked by git object by object."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from gitmem.core.backups import Manifest
from gitmem.crypto.identity import Identity
from gitmem.errors import Tampered
from gitmem.git import bundles
from gitmem.git.repo import Repo
from gitmem.store.destination import Destination
from gitmem.store.scratch import scratch

Progress = Callable[[str, int, int], None]
_PIECE = 1 << 20
_HINT = "`gitmem backup verify` shows what else is wrong; `gitmem backup list` shows the others"


@contextmanager
def rebuilt(
    place: Destination, some: Sequence[Manifest], identities: Iterable[Identity], folder: Path, progress: Progress
) -> Iterator[Repo]:
    """A bare repository in a directory of its own below `folder`, while it is used, with what the last of some backups holds.

    They are a full one, then increments; it has the one branch that they say. Raises Tampered for what is missing or altered,
    NoKey where no identity opens it.
    """
    with scratch(folder) as work:
        repo = bundles.empty_repository(work / "store.git", some[-1].commit)
        try:
            for number, one in enumerate(some):
                progress("unpacking backups", number, len(some))
                unpack(place, one, repo, identities, work)
            repo.run("update-ref", some[-1].branch, some[-1].commit)
            repo.run("symbolic-ref", "HEAD", some[-1].branch)
            yield repo
        finally:
            repo.close()


def unpack(place: Destination, one: Manifest, repo: Repo, identities: Iterable[Identity], folder: Path) -> None:
    """Put the objects of one backup into a repository. Raises as `rebuilt`."""
    file = fetched(place, one, folder)
    try:
        what = f"{one.id} ({one.bundle})"
        with file.open("rb") as source, bundles.Unpacker(repo, one.commit, what) as unpacker:
            if one.sealed:
                from gitmem.crypto.envelope import unseal

                unseal(source, unpacker, identities, what)
            else:
                shutil.copyfileobj(source, unpacker, _PIECE)
    finally:
        if file.parent == folder:
            file.unlink()


def fetched(place: Destination, one: Manifest, folder: Path) -> Path:
    """The bundle of a backup as a file here (in `folder`, unless its destination is here), after a look at its hash.

    Raises Tampered where it is missing or altered.
    """
    file = place.fetch(one.bundle, folder)
    if file is None:
        raise Tampered(f"the bundle of {one.id} is not there: {place.shown}/{one.bundle}", _HINT)
    if problem := altered(file, one):
        raise Tampered(f"{place.shown}/{one.bundle}: {problem}", _HINT)
    return file


def altered(file: Path, one: Manifest) -> str | None:
    """Why a file is not the bundle that a manifest names; None where it is."""
    size = file.stat().st_size
    if size != one.bytes:
        return f"it has {size:,} bytes, not {one.bytes:,}"
    digest = sha256()
    with file.open("rb") as source:
        while data := source.read(_PIECE):
            digest.update(data)
    return None if digest.hexdigest() == one.sha256 else "it is not what its manifest names: it was altered"
