"""Installing the hooks: with care for those that are there already, known by an ID line, undone without a trace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gitmem.errors import GitmemError
from gitmem.git.places import chosen
from gitmem.git.repo import Repo
from gitmem.git.setup import Problem, program, quoted, store_prefix

NAMES: Final = ("pre-commit", "pre-merge-commit")
_ID: Final = b"# ID: gitmem-hook-7c1f0e52"
# Not `.legacy`: the pre-commit framework runs what it finds under that name itself, and refuses to be found there.
_BEFORE: Final = ".before-gitmem"
_FRAMEWORK: Final = ".legacy"
_FIX: Final = "gitmem hooks install"


def install_hooks(repo: Repo, prefix: str = "") -> list[str]:
    """Install our hooks for the store at `prefix`; what a person should know is returned (empty: all is well).

    A hook that is there already is kept beside ours and run first. Where `core.hooksPath` sends git to hooks of somebody
    else, nothing is touched and the note says how to call ours from there.
    """
    if foreign := _foreign_folder(repo):
        return [foreign.why]
    folder = _folder(repo)
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        _install(folder, name, _text(name, prefix))
    return []


def uninstall_hooks(repo: Repo) -> list[str]:
    """Remove our hooks and bring back those that were there before; the names of the hooks that were removed."""
    folder = _folder(repo)
    removed = []
    for name in NAMES:
        place = _place(folder, name)
        if not _is_ours(place):
            continue
        before = folder / f"{name}{_BEFORE}"
        if before.exists():
            before.replace(place)
        else:
            place.unlink()
        removed.append(name)
    return removed


def check(repo: Repo) -> list[Problem]:
    """What is wrong with the hooks."""
    if foreign := _foreign_folder(repo):
        return [foreign]
    folder, prefix = _folder(repo), store_prefix(repo)
    problems = []
    for name in NAMES:
        place = _place(folder, name)
        if not _is_ours(place):
            problems.append(Problem(name, "the hook is not installed", _FIX))
        elif place.read_bytes() != _text(name, prefix) or not os.access(place, os.X_OK):
            problems.append(Problem(name, "the hook is of another installation, was edited, or cannot be run", _FIX))
    return problems


def _install(folder: Path, name: str, text: bytes) -> None:
    place = _place(folder, name)
    if os.path.lexists(place) and not _is_ours(place):
        before = folder / f"{name}{_BEFORE}"
        if os.path.lexists(before):
            why = f"both {place} and {before.name} are hooks that gitmem did not write"
            raise GitmemError(why, "merge them into one file, then try again")
        place.replace(before)
    temporary = folder / f"{name}.{os.getpid()}.tmp"
    temporary.write_bytes(text)
    temporary.chmod(0o755)
    temporary.replace(place)


def _place(folder: Path, name: str) -> Path:
    """Where our hook is, or belongs. The pre-commit framework, installed after us, has moved it and calls it from its own."""
    moved = folder / f"{name}{_FRAMEWORK}"
    return moved if _is_ours(moved) else folder / name


def _is_ours(path: Path) -> bool:
    try:
        return _ID in path.read_bytes()[:1000]
    except OSError:
        return False


def _text(name: str, prefix: str) -> bytes:
    text = (_source() / name).read_text()
    return text.replace("@GITMEM@", program("gitmem")).replace("@PREFIX@", quoted(prefix)).encode("utf-8", "surrogateescape")


def _source() -> Path:
    """The shipped hooks: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "hooks"
    return installed if installed.is_dir() else package.parent / "hooks"


def _folder(repo: Repo) -> Path:
    """Where git looks for hooks; all worktrees of a repository share it, but for that of a store on a branch of its own."""
    return own_folder(repo) if chosen(repo).branch else repo.common_dir / "hooks"


def own_folder(repo: Repo) -> Path:
    """The hooks of a store on a branch of its own: the code's hooks are not for it, nor its hooks for the code."""
    return repo.common_dir / "gitmem" / "hooks"


def _foreign_folder(repo: Repo) -> Problem | None:
    configured = repo.config_get("core.hooksPath")
    if configured is None or (repo.root / Path(configured).expanduser()).resolve() == _folder(repo).resolve():
        return None
    if chosen(repo).branch:
        return Problem("core.hooksPath", f"is {configured!r}, which is not the folder of the store's own hooks", _FIX)
    calls = " and ".join(f"`{program('gitmem')} hooks run {name}`" for name in NAMES)
    why = f"git runs the hooks in {configured!r} (core.hooksPath), which gitmem leaves alone; have them call {calls}"
    return Problem("core.hooksPath", why, "git config --unset core.hooksPath, then gitmem hooks install")
