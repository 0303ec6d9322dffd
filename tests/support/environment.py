"""The environment every test runs in: nothing of the machine's user, nothing of an outer git, one clock, one locale."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

AUTHOR = "Ada Tester"
EMAIL = "ada@example.org"
DATE = "2026-11-20T10:00:00+00:00"

# What a machine may need to start programs and to reach the package index; everything else is dropped.
_KEPT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "CI", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_KEPT_PREFIXES = ("COV", "HYPOTHESIS", "PIP_", "PYTEST", "PYTHON", "SSL_CERT", "UV_")
_KEPT_SUFFIXES = ("_PROXY",)
# What is installed has been compiled: else each child process compiles gitmem anew, which is 0.1 s.
_DROPPED = ("PYTHONDONTWRITEBYTECODE",)
# HOME does not move the keychain of macOS. Elsewhere there is none without a session bus, and asking costs 60 ms a process.
_NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"} if sys.platform == "darwin" else {}

_GITCONFIG = f"""\
[user]
\tname = {AUTHOR}
\temail = {EMAIL}
[init]
\tdefaultBranch = main
"""


def inherited(environ: dict[str, str]) -> dict[str, str]:
    """The few variables of `environ` that a test may see."""
    return {
        name: value
        for name, value in environ.items()
        if (name in _KEPT or name.startswith(_KEPT_PREFIXES) or name.upper().endswith(_KEPT_SUFFIXES)) and name not in _DROPPED
    }


def hermetic(base: dict[str, str], home: Path) -> dict[str, str]:
    """The whole environment of a test whose home is `home`, from what `inherited` left of the machine's."""
    here = str(Path(sys.executable).parent)  # the virtual environment: git finds `git-merge-gitmem` there
    return base | {
        "PATH": os.pathsep.join([here, base.get("PATH", os.defpath)]),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_RUNTIME_DIR": str(home / ".run"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_AUTHOR_NAME": AUTHOR,
        "GIT_AUTHOR_EMAIL": EMAIL,
        "GIT_AUTHOR_DATE": DATE,
        "GIT_COMMITTER_NAME": AUTHOR,
        "GIT_COMMITTER_EMAIL": EMAIL,
        "GIT_COMMITTER_DATE": DATE,
        **_NO_KEYCHAIN,
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


def make_home(home: Path) -> None:
    """An empty home with the least git needs: a name, an address, a default branch."""
    home.mkdir(mode=0o700, parents=True)
    (home / ".run").mkdir(mode=0o700)
    (home / ".gitconfig").write_text(_GITCONFIG)


def become(name: str) -> None:
    """Make this process's environment one that a test has, with a home of its own, which goes when the process ends."""
    place = Path(tempfile.mkdtemp(prefix=f"gitmem-{name}-home-"))
    make_home(place / "home")
    wanted = hermetic(inherited(dict(os.environ)), place / "home")
    os.environ.clear()
    os.environ.update(wanted)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
