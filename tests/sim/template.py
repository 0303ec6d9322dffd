"""The stores that histories start from, made once per process and copied: a remote and five clones, sealed or plain."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gitmem.memory.founding.cloning import clone
from tests.support.environment import make_home
from tests.support.git import Git
from tests.support.served import Served
from tests.support.stores import found, join, open_memory, person, share

MEMBERS = ("ada", "bob", "cyd")
_NO_HOUSEKEEPING = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n"
CLONES = 5
STARTERS = 3


@dataclass(frozen=True)
class Template:
    """A folder with `remote.git`, the clones `c0` … `c4`, `keyless` and `gitonly`, and the homes of their owners beside it."""

    folder: Path
    homes: Path
    served: Served
    starters: list[str]

    def env(self, who: str) -> dict[str, str]:
        """The environment of one of the members, or of the `stranger` who has no key."""
        home = self.homes / who
        return {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), **self.served.env}

    def copy(self, name: str, folder: Path) -> Path:
        """A fresh copy of one of the repositories, in `folder`."""
        shutil.copytree(self.folder / name, folder / name, symlinks=True)
        return folder / name


def make_template(folder: Path, served: Served, *, plain: bool) -> Template:
    """Found a store of three members that holds three patterns, and clone it."""
    homes = folder / "homes"
    homes.mkdir(parents=True)
    start = folder / "start"
    start.mkdir()
    people = {name: person(homes / name) for name in MEMBERS}
    make_home(homes / "stranger")
    remote = start / "remote.git"
    Git(start)("init", "--quiet", "--bare", "--template=", remote)
    found(start / "c0", plain=plain, name="ada", who=people["ada"])
    share(start / "c0", remote, people["ada"])
    with open_memory(start / "c0", people["ada"]) as ada:
        for name in MEMBERS[1:]:
            join(ada, folder / f"joining-{name}", remote, name, people[name])
        starters = []
        for number in range(STARTERS):
            record = ada.learn("pattern", {"pattern": f"error {number}", "fix": f"fix {number}"}, tags=[f"tag{number}"])
            starters.append(record.id)
            ada.commit()
        ada.sync()
    for number in range(1, CLONES):
        clone(str(remote), str(start / f"c{number}"))
    clone(str(remote), str(start / "keyless"))
    Git(start)("clone", "--quiet", "--template=", remote, start / "gitonly")
    for each in start.iterdir():
        Git(each)("gc", "--quiet", "--prune=now")  # one pack and packed refs: fewer files to copy
        config = each / "config" if each == remote else each / ".git/config"
        config.write_text(config.read_text() + _NO_HOUSEKEEPING)
        if each != remote:
            _slim(each)
            served.take_over(each / ".git")
    return Template(start, homes, served, starters)


def _slim(path: Path) -> None:
    """Make a clone that may be copied: the remote by a relative path, no replica of its own, no sample hooks."""
    Git(path)("remote", "set-url", "origin", "../remote.git")
    shutil.rmtree(path / ".git/gitmem", ignore_errors=True)
    for sample in (path / ".git/hooks").glob("*.sample"):
        sample.unlink()
