"""Where the demo plays: a temporary directory with a bare remote and a home for each member, cut off from the user's setup."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# What programs need of the machine; everything else (GIT_*, GITMEM_*, SSH agents, a keychain) would help or hinder.
_KEPT: Final = ("PATH", "TMPDIR", "TERM", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
# Stands in for a person in front of an editor: replaces fields, or adds them, in the YAML that is put before it.
_EDITOR: Final = """\
import json, pathlib, sys, yaml
file = pathlib.Path(sys.argv[2])
text = yaml.safe_load(file.read_text()) | json.loads(pathlib.Path(sys.argv[1]).read_text())
file.write_text(yaml.safe_dump(text, allow_unicode=True, sort_keys=False))
"""
_SECONDS: Final = 60  # no command of the demo takes a tenth of it


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended: its exit code, both streams, and how long it took."""

    code: int
    out: str
    err: str
    ms: int

    @property
    def text(self) -> str:
        """What a terminal would have shown."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Member:
    """One of the two: a home of their own, a directory to work in and, later, a clone of the store."""

    name: str
    home: Path
    env: dict[str, str] = field(repr=False)

    @property
    def clone(self) -> Path:
        """Their clone of the store."""
        return self.home / "memory"

    def run(self, *words: str, cwd: Path | None = None, given: str = "", env: dict[str, str] | None = None) -> Ran:
        """Run a program in their environment, with `given` on its standard input."""
        began = time.monotonic()
        try:
            done = subprocess.run(
                words,
                cwd=cwd or self.home,
                env={**self.env, **(env or {})},
                input=given,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            return Ran(127, "", f"{words[0]}: not found", 0)
        except subprocess.TimeoutExpired:
            return Ran(124, "", f"{words[0]}: no end within {_SECONDS} s", _SECONDS * 1000)
        return Ran(done.returncode, done.stdout, done.stderr, round((time.monotonic() - began) * 1000))

    def shell(self, line: str, cwd: Path) -> Ran:
        """Run a command line as they would type it."""
        return self.run("sh", "-c", line, cwd=cwd)

    def gitmem(self, *words: str, given: str = "", cwd: Path | None = None, env: dict[str, str] | None = None) -> Ran:
        """Run the real `gitmem`, in their clone unless another directory is named."""
        return self.run(*gitmem_words(), *words, given=given, cwd=cwd or self.clone, env=env)

    def edit(self, record: str, fields: dict[str, str]) -> Ran:
        """Run `gitmem edit` with an editor that puts `fields` in, as its user would by hand."""
        script, wanted = self.home / "editor.py", self.home / "wanted.json"
        script.write_text(_EDITOR)
        wanted.write_text(json.dumps(fields))
        return self.gitmem("edit", record, env={"EDITOR": f"{sys.executable} {script} {wanted}", "VISUAL": ""})


@dataclass(frozen=True, slots=True)
class Stage:
    """The directory, the remote that both share, and the two members."""

    root: Path
    remote: Path
    ada: Member
    grace: Member

    @property
    def members(self) -> tuple[Member, Member]:
        """Both of them."""
        return self.ada, self.grace


def build(root: Path) -> Stage:
    """Make the stage in the empty directory `root`."""
    remote = root / "memory.git"
    ada, grace = (_member(root, name) for name in ("ada", "grace"))
    ada.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote), cwd=root)
    return Stage(root, remote, ada, grace)


def gitmem_words() -> list[str]:
    """How this installation's `gitmem` is started: the script beside the interpreter, or the package itself."""
    script = Path(sys.executable).parent / "gitmem"
    return [str(script)] if script.exists() else [sys.executable, "-m", "gitmem"]


def _member(root: Path, name: str) -> Member:
    home = root / name
    home.mkdir(mode=0o700)
    (home / ".gitconfig").write_text(
        f"[user]\n\tname = {name.title()}\n\temail = {name}@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    return Member(name, home, _environment(home))


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    here = str(Path(sys.executable).parent)  # git finds git-merge-gitmem there, and the demo's own commands `gitmem`
    return kept | {
        "PATH": os.pathsep.join([here, kept.get("PATH", os.defpath)]),
        "HOME": str(home),
        "USER": home.name,
        "LOGNAME": home.name,
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",  # the user's keychain is not for a demo's keys
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
