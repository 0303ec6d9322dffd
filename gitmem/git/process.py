"""How git is started: never through a shell, in a scrubbed environment, and with its failures put into words.

Only `gitmem.git` uses this module; everything else asks `gitmem.git.repo.Repo`.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.errors import GitmemError, Locked, NoRoom, NoStore

if TYPE_CHECKING:
    import subprocess

OLDEST_GIT: Final = (2, 39)

# What git exports to hooks and merge strategies describes the repository it runs in; in a child of ours it would point a
# command at the wrong repository or index (pre-commit's no_git_env). These say how to reach a remote, who the user is
# and how to configure git, and are kept.
_KEPT: Final = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_DEFAULT_HASH",
        "GIT_EXEC_PATH",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_TERMINAL_PROMPT",
    }
)
_KEPT_PREFIXES: Final = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_TRACE")

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOISE: Final = re.compile(r"^(?:hint|warning): ")
_BAD_CONFIG: Final = re.compile(r"bad config line (\d+) in file (.+)")
_FULL: Final = re.compile(r"no space left on device|out of diskspace|disk quota exceeded", re.IGNORECASE)
_LAST_LINES: Final = 3
FULL_HINT: Final = "free some space and run the command again; what was recorded is safe meanwhile"
_GRACE: Final = 2.0  # seconds git gets to tidy up when it is ended


class Done(NamedTuple):
    """How a git command ended."""

    code: int
    out: bytes
    err: str


class GitTimeout(GitmemError):
    """A git command did not end in the time it was given."""


def call(  # noqa: PLR0913 (by name, as subprocess.run)
    args: Sequence[str],
    cwd: Path,
    *,
    input: bytes | None = None,  # noqa: A002 (the name subprocess uses)
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    remote: bool = False,
) -> Done:
    """Run `git args…` in `cwd` to its end, whatever its exit code.

    `env` adds to the scrubbed environment; `timeout` is in seconds. A command that talks to a `remote` loses the
    controlling terminal unless a person sits there, so that neither git nor ssh can wait for an answer nobody gives.
    Raises NoStore when there is no usable git, GitTimeout when time is up.
    """
    import subprocess

    require_git()
    alone = remote and not _person_present()
    with start(args, cwd, env=env, session=alone, stdin=None if input is not None else subprocess.DEVNULL) as child:
        try:
            out, err = child.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            _kill(child, alone)
            raise GitTimeout(
                f"git {_subcommand(args)} did not end within {timeout:g} seconds",
                "check the network, then run the command again",
            ) from None
        except BaseException:
            _kill(child, alone)
            raise
    return Done(child.returncode, out, readable(err))


def start(  # noqa: PLR0913 (by name, as subprocess.Popen)
    args: Sequence[str],
    cwd: Path,
    *,
    env: Mapping[str, str] | None = None,
    session: bool = False,
    stdin: int | None = None,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `git args…` with a pipe on stdout, and on stdin and stderr unless given. Raises NoStore without git or `cwd`."""
    import subprocess  # 6 ms, which a command that starts no git does not pay

    try:
        return subprocess.Popen(
            ["git", *args],
            cwd=cwd,
            env=environment(env),
            stdin=subprocess.PIPE if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stderr is None else stderr,
            start_new_session=session,
        )
    except FileNotFoundError:
        if not cwd.is_dir():
            raise NoStore(f"there is no directory {cwd}", "check the path") from None
        raise NoStore("git is not installed, or not on PATH", _INSTALL) from None


_INSTALL: Final = f"install git {OLDEST_GIT[0]}.{OLDEST_GIT[1]} or newer: https://git-scm.com/downloads"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment a git command gets: scrubbed, untranslated, with paths taken literally, and without prompts.

    An identity that was given in the environment stays with us: what git starts for us asks for no key.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    env.pop("GITMEM_IDENTITY", None)
    env["LC_ALL"] = "C"
    env["GIT_LITERAL_PATHSPECS"] = "1"
    if not _person_present():
        env["GIT_TERMINAL_PROMPT"] = "0"
    return env | dict(extra or {})


def failure(args: Sequence[str], cwd: Path, done: Done) -> GitmemError:
    """The error to raise for a git command that ended badly."""
    said = done.err
    if unusable := _unusable(said, cwd):
        return unusable
    if ".lock': File exists" in said:
        return Locked(
            f"another git command is at work here: {reason(said)}", "wait for it to end; `gitmem doctor` finds stale locks"
        )
    if full(said):
        return NoRoom(f"git {_subcommand(args)} failed: no space is left on the disk", FULL_HINT)
    how = f"was ended by signal {-done.code}" if done.code < 0 else "failed"
    why = _last_lines(said) or f"exit code {done.code}"
    return GitmemError(f"git {_subcommand(args)} {how}: {why}", "`gitmem doctor` checks the store")


def _unusable(said: str, cwd: Path) -> GitmemError | None:
    """The error for a repository that git will not, or cannot, work in."""
    if "dubious ownership" in said:
        return NoStore(
            f"git does not trust {cwd}: it belongs to another user",
            f"if you do: git config --global --add safe.directory '{cwd}'",
        )
    if "not a git repository" in said:
        if (cwd / ".git").exists():
            return GitmemError(f"git takes {cwd} for no repository: its .git is damaged", "gitmem doctor --fix")
        return NoStore(f"{cwd} is not a git repository", "`git init` makes one, `gitmem init` a store")
    if bad := _BAD_CONFIG.search(said):
        return GitmemError(
            f"git cannot read its configuration: {bad[2]} is damaged in line {bad[1]}",
            "mend or delete that line in an editor; `gitmem doctor --fix` then sets what gitmem needs",
        )
    return None


def full(said: str) -> bool:
    """Whether what git said is that our disk took nothing more; what a remote says begins otherwise."""
    return any(_FULL.search(line) and not line.startswith("remote: ") for line in said.splitlines())


def reason(said: str) -> str:
    """What git gave as the reason: its last `fatal:` or `error:` line, else its last lines."""
    marked = [line for line in said.splitlines() if line.startswith(("fatal: ", "error: "))]
    return marked[-1].partition(": ")[2] if marked else _last_lines(said)


@cache
def require_git() -> None:
    """Make sure, once in a process, that there is a git that knows all we ask of it. Raises NoStore."""
    import subprocess

    with start(["version"], Path("/"), stdin=subprocess.DEVNULL) as child:
        out, _ = child.communicate()
    found = re.search(rb"(\d+)\.(\d+)[\d.]*", out)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        version = found[0].decode() if found else "of an unknown version"
        raise NoStore(f"git {version} is too old for gitmem", _INSTALL)


def readable(raw: bytes) -> str:
    """What git or a remote said, without the control characters it may hold (they could steer the terminal)."""
    return _CONTROL.sub("", raw.decode("utf-8", "replace"))


def _last_lines(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and not _NOISE.match(line)]
    return "; ".join(lines[-_LAST_LINES:])


def _subcommand(args: Sequence[str]) -> str:
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _person_present() -> bool:
    return os.isatty(0) and os.isatty(2)


def _kill(child: subprocess.Popen[bytes], alone: bool) -> None:
    """End git, and with it the ssh or helper it started where they have a session of their own.

    It is asked first: git then removes its lock files, here and in a remote on this disk, which would stop whoever comes next.
    Git itself ends before those it started have tidied up; they hold its output open until they have.
    """
    import subprocess

    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            if alone:
                os.killpg(child.pid, how)
            else:
                child.send_signal(how)
            child.communicate(timeout=_GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
