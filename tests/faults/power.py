"""A modelled power loss: what nobody has asked the disk to keep is lost, or not, as the dice say.

What is written to a file is safe once the file is fsynced. The names that we make (journal, marks, backups) are safe once their
directory is; this is what POSIX promises. git syncs no directories and relies on a journalling file system: there the names of
git's files and the work tree's are kept or lost in the order in which they were made, and who syncs a file keeps all before it.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.faulting import Fault
from tests.faults.matrix import Ground, Trial
from tests.faults.scenes import SCENES
from tests.support.seccomp import Call

_WRITING: Final = {"write", "pwrite64", "writev", "ftruncate", "truncate", "copy_file_range", "sendfile"}
_OPENING: Final = {"open", "openat", "creat"}
_NAMING: Final = {"link", "linkat", "symlink", "symlinkat", "rename", "renameat", "renameat2"}


@dataclass(frozen=True)
class _Name:
    """A name that is not safe yet, and what was there before: a file's bytes, None for nothing."""

    path: Path
    before: bytes | None


@dataclass
class Disk:
    """What would be left of the files in `place`; `strict` are the directories where only a synced one keeps a name."""

    place: Path
    strict: tuple[Path, ...]
    unsafe: dict[Path, bytes] = field(default_factory=dict)
    names: list[_Name] = field(default_factory=list)

    def note(self, call: Call) -> None:
        """Take in a call before it is made."""
        paths = [Path(path) for path in call.paths if path]
        if not paths or not paths[0].is_relative_to(self.place):
            return
        if call.name in _WRITING:
            self._writes(paths[0])
        elif call.name in _OPENING:
            self._opens(paths[0])
        elif call.name in ("fsync", "fdatasync"):
            self._syncs(paths[0])
        elif call.name in _NAMING:
            self._names(call.name, paths)
        elif call.name in ("unlink", "unlinkat", "mkdir", "mkdirat") and not paths[0].is_dir():
            self.names.append(_Name(paths[0], _content(paths[0])))

    def lose(self, rng: random.Random) -> None:
        """Cut the power."""
        ordered = [name for name in self.names if not self._is_strict(name.path)]
        lost = {id(name) for name in ordered[rng.randint(0, len(ordered)) :]}
        lost |= {id(name) for name in self.names if self._is_strict(name.path) and rng.random() < 0.5}
        for path, safe in self.unsafe.items():
            if path.is_file() and rng.random() < 0.7:
                path.write_bytes(safe)
        for name in reversed(self.names):
            if id(name) in lost:
                _put(name.path, name.before)

    def _is_strict(self, path: Path) -> bool:
        return any(path.is_relative_to(place) for place in self.strict)

    def _writes(self, path: Path) -> None:
        if path not in self.unsafe and path.is_file():
            self.unsafe[path] = path.read_bytes()

    def _opens(self, path: Path) -> None:
        if not os.path.lexists(path):
            self.names.append(_Name(path, None))
            self.unsafe[path] = b""
        else:
            self._writes(path)  # it may be emptied

    def _syncs(self, path: Path) -> None:
        self.unsafe.pop(path, None)
        is_folder = path.is_dir()
        self.names = [
            name for name in self.names if self._is_strict(name.path) and not (is_folder and name.path.parent == path)
        ]

    def _names(self, call: str, paths: list[Path]) -> None:
        target, source = paths[-1], paths[0]
        if source.is_dir():
            return
        self.names.append(_Name(target, _content(target)))
        if call.startswith("rename"):
            self.names.append(_Name(source, _content(source)))
            moved = self.unsafe.pop(source, None)
        else:
            moved = self.unsafe.get(source)
        self.unsafe.pop(target, None)
        if moved is not None:
            self.unsafe[target] = moved


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _put(path: Path, before: bytes | None) -> None:
    if before is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(before)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def lose_power(ground: Ground, seed: int) -> list[str]:
    """Cut the power in or after a command of `seed`; what is wrong after that."""
    rng = random.Random(seed)
    scene, plain = list(SCENES.values())[seed % len(SCENES)], seed // len(SCENES) % 2 == 0
    calls = len(ground.calls(scene, plain=plain))
    with Trial(ground, scene, plain, []) as trial:
        folder = trial.stage.folder
        disk = Disk(folder / "ours", (folder / "ours/.git/gitmem",))
        moment = Fault("TREE", rng.choice([calls + 1000, rng.randint(1, calls)]))
        trial.attempt(moment, disk.note)
        disk.lose(rng)
        return [f"{trial}, power lost, {moment}: {each}" for each in trial.verdict()]
