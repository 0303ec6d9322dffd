"""Commands that change much, interrupted by Ctrl-C or killed: what they say, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.cli.conftest import Seat
from tests.support.cli import GITMEM
from tests.support.git import Git

_SOON = 20  # tries to hit a moment
_WITHIN = 60  # seconds


def _env(ada: Seat) -> dict[str, str]:
    return os.environ | {"GITMEM_IDENTITY_FILE": str(ada.key)}


def _hook(store: Path, how: str) -> None:
    """Have git, once it has moved the branch, send the gitmem that started it a signal, as a terminal's Ctrl-C does."""
    branch = Git(store)("branch", "--show-current")
    hook = store / ".git/hooks/reference-transaction"
    moved = f'[ "$1" = committed ] && grep -q " refs/heads/{branch}$"'
    hook.write_text(f"#!/bin/sh\n{moved} && rm \"$0\" && kill -{how} $(cut -d ' ' -f 4 /proc/$PPID/stat)\nexit 0\n")
    hook.chmod(0o755)


def test_interrupted_after_the_commit(ada: Seat) -> None:
    """It says that it has happened, and it has: whoever reads next sees all of it."""
    record = ada.learn()
    ada("commit").ok()
    _hook(ada.path, "INT")
    done = subprocess.run(
        [GITMEM, "config", "set", "prune.unused_days", "30"], cwd=ada.path, env=_env(ada), capture_output=True, check=False
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (130, False)
    assert b"this was committed before it was interrupted: " in done.stderr
    assert done.stderr.endswith(b"error: interrupted\n")
    assert "= 30" in ada("config", "explain", "prune.unused_days").ok().out
    assert ada("show", record).ok()
    ada("doctor", "--fix").ok()
    ada("audit", "verify").ok()
    assert Git(ada.path)("status", "--porcelain") == ""


def _killed_restore(ada: Seat, target: Path) -> bool:
    """Kill a restore as soon as it has checked out a store somewhere; whether that came before it was done."""
    words = [GITMEM, "backup", "restore", "--from", str(ada.path.parent / "safe"), str(target)]
    with subprocess.Popen(
        words, cwd=ada.path.parent, env=_env(ada), start_new_session=True, stdout=subprocess.DEVNULL
    ) as child:
        until = time.monotonic() + _WITHIN
        while child.poll() is None and not list(target.parent.glob(".scratch.*/*/.gitmem/config.yaml")):
            assert time.monotonic() < until, "it never came to the checkout"
        os.killpg(child.pid, signal.SIGKILL)
    return not target.exists()


def test_a_restore_that_was_killed(ada: Seat) -> None:
    """Nothing lies where it was to go, however far it was; the next restore takes that place and removes what was left."""
    ada.learn()
    ada("backup", "create", "--to", ada.path.parent / "safe").ok()
    place = ada.path.parent / "restored"
    place.mkdir()
    targets = (place / f"try-{number}" for number in range(_SOON))
    target = next(target for target in targets if _killed_restore(ada, target))
    assert [path.name.startswith(".scratch.") for path in place.iterdir() if not path.name.startswith("try-")] == [True]
    ada("backup", "restore", "--from", ada.path.parent / "safe", target).ok()
    assert not list(place.glob(".scratch*"))
    assert ada("-C", target, "audit", "verify").ok()
    assert "upstream" in ada("-C", target, "list").ok().out


def test_restoring_into_an_empty_directory(ada: Seat) -> None:
    """Such as the current one, which stays the very same; what a killed restore has left in it is not in the way."""
    ada.learn()
    ada("backup", "create", "--to", ada.path.parent / "safe").ok()
    target = ada.path.parent / "here"
    (target / f".scratch.abc.{2**22 + 1}.tmp").mkdir(parents=True)
    before = target.stat().st_ino
    ada("backup", "restore", "--from", ada.path.parent / "safe", ".", cwd=target).ok()
    assert target.stat().st_ino == before
    assert not list(target.glob(".scratch*"))
    assert "upstream" in ada("list", cwd=target).ok().out


def test_a_rewriting_that_was_killed(ada: Seat) -> None:
    """What was erased lies in no file of ours, and the next `erase --history` shares what this one could not."""
    record = ada.learn()
    ada("sync").ok()
    ada("erase", record, "--yes").ok()
    ada("sync").ok()
    _hook(ada.path, "KILL")
    words = [GITMEM, "erase", "--history", "--yes"]
    assert subprocess.run(words, cwd=ada.path, env=_env(ada), capture_output=True, check=False).returncode == -signal.SIGKILL
    remote, path = Git(ada.path.parent / "remote.git"), f"memory/*{record}.yaml"
    assert remote("log", "--all", "--format=%H", "--", path) != ""
    assert "nothing of what was erased" in ada("erase", "--history", "--yes").ok().err
    local = ada.path / ".git/gitmem"
    assert [*local.glob(".scratch*"), *local.glob("before-*")] == []
    assert remote("log", "--all", "--format=%H", "--", path) == Git(ada.path)("log", "--format=%H", "--", path) == ""
    ada("audit", "verify").ok()
