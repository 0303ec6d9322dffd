"""What a clone's own git configuration must say, so that plain git commands treat the store well there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.git import attributes
from gitmem.git.places import MARK, PREFIX_KEY, chosen
from gitmem.git.repo import Repo

STRATEGY: Final = "gitmem"

_TWOHEAD: Final = "pull.twohead"
_STRATEGY_KEYS: Final = {
    _TWOHEAD: "records are merged by the driver, one process each",
    "pull.octopus": "several branches at once are refused where they changed the same record",
}
"""Where git looks up its strategy, and what becomes of records with another one."""

_WITH_DRIVERS: Final = ("ort", "recursive", "subtree")
_NO_DRIVER: Final = (
    "it calls no merge driver: what both sides changed is left to `gitmem sync`, or lost in the merge until then"
)


class Problem(NamedTuple):
    """Something in a clone's setup that is not as it should be, and the command that mends it."""

    name: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def configure(repo: Repo, prefix: str = "", file: Path | None = None) -> list[str]:
    """Set this clone up for the store at `prefix` (empty, or ending in a slash); what a person should know is returned.

    A merge strategy that the user has chosen is kept, and a strategy that git would not find is not set: git then refuses
    every merge, while without it the merge driver still merges records one by one. With `file` all goes there, a file that
    the clone's configuration includes for the store's own work tree; else the store's bytes are protected in this clone's own
    attributes as well.
    """
    before = repo.config()
    wanted = _wanted(prefix, alone=file is not None)
    found = _strategy_found()
    for key in _STRATEGY_KEYS:
        if found and before.get(key, STRATEGY) == STRATEGY:
            wanted[key] = STRATEGY
        elif before.get(key) == STRATEGY:
            repo.config_set(key, None, file)
            del before[key]
    notes = [problem.why for problem in _strategy_problems(before | wanted)]
    if not prefix and not {"pull.rebase", "pull.ff"} & before.keys():  # how code is pulled is for its people to say
        wanted["pull.rebase"] = "false"  # else a plain `git pull` of two sides that both moved stops and asks how
    for key, value in wanted.items():
        if before.get(key) != value:
            repo.config_set(key, value, file)
    if file is None:
        attributes.protect(repo, prefix)
    return notes


def check(repo: Repo) -> list[Problem]:
    """What is wrong with this clone's configuration."""
    config = repo.config()
    fix = "gitmem doctor --fix"
    wrong = [
        Problem(key, f"is {config[key]!r}, not {value!r}" if key in config else "is not set", fix)
        for key, value in _wanted(store_prefix(repo), alone=bool(chosen(repo).branch)).items()
        if config.get(key, "") != value
    ]
    return [*wrong, *_strategy_problems(config), *_attribute_problems(repo), *_lost_remotes(repo, config)]


def store_prefix(repo: Repo) -> str:
    """Where in this repository the store lies, as `configure` was told: empty at the root, else ending in a slash."""
    return repo.config_get(PREFIX_KEY) or ""


def program(name: str) -> str:
    """The shell command that starts a program of this very installation, since PATH may lack it or name another."""
    found = (str(folder / name) for folder in _own_folders() if (folder / name).is_file())
    return quoted(next(found, name))


def quoted(word: str) -> str:
    """`word` as one word for the shell."""
    return "'" + word.replace("'", "'\\''") + "'"


def _wanted(prefix: str, *, alone: bool) -> dict[str, str]:
    """Each key and its value; `alone`: for a work tree that holds nothing but the store."""
    driver = program("gitmem-merge-driver").replace("%", "%%")  # git expands %-sequences in it
    return {
        "merge.gitmem.name": "gitmem: merge two states of a record",
        "merge.gitmem.driver": f"{driver} %O %A %B %L %P",
        "diff.gitmem.textconv": program("gitmem-textconv"),
        # A cache of converted text would put what is secret, in the clear, into refs/notes.
        "diff.gitmem.cachetextconv": "false",
        # git's default syncs nothing that it writes; a power loss then breaks repositories.
        "core.fsync": "all",
        PREFIX_KEY: prefix,
        # Where others' files lie as well, this is for their owners to say, and the clone's own attributes protect ours.
        **({"core.autocrlf": "false"} if alone else {}),
    }


def _strategy_problems(config: dict[str, str]) -> Iterator[Problem]:
    set_here = [key for key in _STRATEGY_KEYS if config.get(key) == STRATEGY]
    if not _strategy_found():
        state = "every git merge fails" if set_here else "records are merged by the driver, one process each"
        yield Problem(_TWOHEAD, f"git-merge-{STRATEGY} is not on PATH: {state}", "put gitmem's programs on PATH")
        return
    for key, instead in _STRATEGY_KEYS.items():
        now = config.get(key)
        if now is None:
            yield Problem(key, "is not set", "gitmem doctor --fix")
        elif now != STRATEGY:
            effect = instead if key != _TWOHEAD or now in _WITH_DRIVERS else _NO_DRIVER
            yield Problem(key, f"is {now!r}, which you chose; {effect}", f"git config {key} {STRATEGY}")


def _attribute_problems(repo: Repo) -> Iterator[Problem]:
    """Whether git leaves the store's bytes alone, where there is a store checked out."""
    prefix = store_prefix(repo)
    if not (repo.root / prefix / MARK).exists():
        return
    wrong = "; ".join(attributes.misread(repo, prefix))
    place = attributes.own_file(repo)
    if wrong and attributes.overriding(repo, prefix):
        yield Problem("attributes", f"are overridden in {place}: {wrong}", f"take what concerns the store out of {place}")
    elif wrong:
        yield Problem("attributes", f"are not complete in .gitattributes: {wrong}", "gitmem doctor --fix")
    elif not chosen(repo).branch and attributes.unprotected(repo, prefix):
        yield Problem("attributes", f"of the store are not in {place} as well: a revert could take them", "gitmem doctor --fix")


def _lost_remotes(repo: Repo, config: dict[str, str]) -> Iterator[Problem]:
    """Where the configuration knows no remote, those that the branch here was on: a file that was made anew has lost them."""
    if not any(key.startswith("remote.") for key in config):
        for place in (repo.common_dir / "refs" / "remotes").glob(f"*/{repo.branch()}"):
            name = place.parent.name
            yield Problem(f"remote.{name}.url", "is lost, the branch was on it", f"git remote add {name} URL")


def _strategy_found() -> bool:
    places = [os.environ.get("GIT_EXEC_PATH", ""), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    return any(os.access(Path(place, f"git-merge-{STRATEGY}"), os.X_OK) for place in places if place)


def _own_folders() -> Iterator[Path]:
    import sysconfig

    yield Path(sys.executable).parent
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sys.argv[0]).absolute().parent
