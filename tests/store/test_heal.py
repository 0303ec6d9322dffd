"""What git did to a store without gitmem is found after it was committed and pushed, and healed by the next sync of anybody."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.record import State
from gitmem.memory.auditing.log import log
from gitmem.memory.memory import Memory
from gitmem.memory.syncing.heal import heal, unhealed
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT, files, found, join, open_memory, person, share

BASE = {"pattern": "no route to host", "fix": "plug it in"}


@dataclass
class Team:
    """Ada and Bob with gitmem, and a plain git clone of the same remote whose owner has never heard of it."""

    folder: Path
    ada: Memory
    bob: Memory
    plain: Git

    def sync(self) -> None:
        """Both at once, then again until both have everything."""
        for memory in (self.ada, self.bob, self.ada, self.bob):
            memory.sync()

    def healed(self) -> None:
        """Both sync, hold the same bytes, and the log explains all of it."""
        self.sync()
        assert files(self.folder / "ada") == files(self.folder / "bob")
        for memory in (self.ada, self.bob):
            git = Git(memory.context.store.root)
            assert git("status", "--porcelain") == ""
            assert [(p.what, p.where, p.why) for p in memory.verify().problems] == []
        tip = Git(self.folder / "ada")("rev-parse", "HEAD")
        self.sync()
        assert Git(self.folder / "ada")("rev-parse", "HEAD") == tip, "what is healed is not healed again"


@contextmanager
def _team(*, plain: bool) -> Iterator[Team]:
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name:
        folder = Path(name)
        remote = folder / "remote.git"
        Git(folder)("init", "--quiet", "--bare", remote)
        ada, bob = person(folder / "home-ada"), person(folder / "home-bob")
        found(folder / "ada", plain=plain, name="ada", who=ada)
        share(folder / "ada", remote, ada)
        with open_memory(folder / "ada", ada) as first:
            join(first, folder / "bob", remote, "bob", bob)
            with open_memory(folder / "bob", bob) as second:
                yield Team(folder, first, second, Git(remote).clone(folder / "plain"))


@pytest.fixture
def team(request: pytest.FixtureRequest) -> Iterator[Team]:
    """Two members and a bystander; stores of both kinds in turn, each kind for each test when thorough."""
    with _team(plain=getattr(request, "param", False)) as made:
        yield made


def parted(team: Team) -> str:
    """A record that Ada and Bob have changed at once: the branches `ada` and `bob` of the bystander, who is on the first."""
    record = team.ada.learn("pattern", BASE, tags=["net"]).id
    team.sync()
    team.ada.edit(record, {"fix": "ada's"})
    team.ada.used(record, fixed=True)
    team.ada.commit()
    team.bob.learn("pattern", BASE | {"fix": "bob's"}, tags=["cable"])
    team.bob.used(record, fixed=True)
    team.bob.used(record, fixed=True)
    team.bob.commit()
    for name in ("ada", "bob"):
        team.plain("fetch", "--quiet", team.folder / name, f"HEAD:{name}")
    team.plain("checkout", "--quiet", "ada")
    return record


def push(team: Team) -> None:
    """The bystander publishes what was made of it."""
    team.plain("push", "--quiet", "origin", "HEAD:main")


def both(team: Team, record: str) -> None:
    """Every concurrent value stands, and every use is counted, for both."""
    team.healed()
    for memory in (team.ada, team.bob):
        shown = memory.get(record)
        assert sorted(str(sibling.value) for sibling in shown.conflicts["fix"]) == ["ada's", "bob's"]
        assert sorted(map(str, shown.sets["tags"])) == ["cable", "net"]
        assert shown.usage.fixed == 3


def path_of(team: Team, record: str) -> str:
    """The record's file."""
    return team.plain("ls-files", f"memory/*{record}.yaml")


def version(team: Team, revision: str, path: str) -> State:
    """The record in a commit."""
    return parse(team.plain.raw("show", f"{revision}:{path}"), path)


def _prefer_ours(team: Team, _path: str) -> None:
    team.plain("merge", "--quiet", "--no-edit", "-X", "ours", "bob")


def _ignore_theirs(team: Team, _path: str) -> None:
    team.plain("merge", "--quiet", "--no-edit", "-s", "ours", "bob")


def _checkout_ours(team: Team, path: str) -> None:
    team.plain("merge", "--quiet", "bob", check=False)
    team.plain("checkout", "--ours", "--", path)
    team.plain("add", path)
    team.plain("commit", "--quiet", "--no-edit")


def _markers(team: Team, _path: str) -> None:
    team.plain("merge", "--quiet", "bob", check=False)
    assert "<<<<" in (team.plain.path / _path).read_text()
    team.plain("commit", "--quiet", "--all", "--no-edit")


def _hunks(team: Team, path: str) -> None:
    """Everything of both sides, but for the one line that a person had to choose."""
    team.plain("merge", "--quiet", "bob", check=False)
    mine, other = version(team, "ada", path), version(team, "bob", path)
    mixed = mine.copy()
    mixed.seen |= other.seen
    mixed.counts = {name: mine.counts.get(name, {}) | other.counts.get(name, {}) for name in mine.counts | other.counts}
    mixed.life |= other.life
    (team.plain.path / path).write_bytes(emit(mixed))
    team.plain("commit", "--quiet", "--all", "--no-edit")


def _host(team: Team, path: str) -> None:
    """As the merge button of a host that knows no driver: text, and the union where that fails."""
    base = team.plain("merge-base", "ada", "bob")
    names: list[Path] = []
    for revision in ("ada", base, "bob"):
        file = team.folder / f"side-{len(names)}"
        file.write_bytes(team.plain.raw("show", f"{revision}:{path}"))
        names.append(file)
    done = subprocess.run(["git", "merge-file", "-p", "--union", *names], capture_output=True, check=False)
    team.plain("merge", "--quiet", "bob", check=False)
    (team.plain.path / path).write_bytes(done.stdout)
    team.plain("commit", "--quiet", "--all", "--no-edit")


def _dropped(team: Team, path: str) -> None:
    team.plain("merge", "--quiet", "bob", check=False)
    team.plain("rm", "--quiet", "--force", path)
    team.plain("commit", "--quiet", "--no-edit")


def _rebased(team: Team, path: str) -> None:
    """Rebased, and the conflict settled by hand for the one value with the `seen` of both."""
    team.plain("rebase", "--quiet", "bob", check=False)
    mine, other = version(team, "ada", path), version(team, "bob", path)
    mixed = mine.copy()
    mixed.seen |= other.seen
    (team.plain.path / path).write_bytes(emit(mixed))
    team.plain("add", path)
    team.plain("-c", "core.editor=true", "rebase", "--continue")


SPOILED: list[Callable[[Team, str], None]] = [
    _prefer_ours, _ignore_theirs, _checkout_ours, _markers, _hunks, _host, _dropped, _rebased,
]  # fmt: skip


KINDS = [(spoil, plain) for n, spoil in enumerate(SPOILED) for plain in (False, True) if EFFORT > 1 or plain == bool(n % 2)]


@pytest.mark.parametrize(("spoil", "team"), KINDS, indirect=["team"], ids=lambda one: getattr(one, "__name__", one))
def test_a_spoiled_merge_that_was_pushed_is_healed(team: Team, spoil: Callable[[Team, str], None]) -> None:
    """Whatever a clone without gitmem made of a conflict: the next syncs bring back both values and all counts."""
    record = parted(team)
    spoil(team, path_of(team, record))
    push(team)
    both(team, record)


def test_two_who_heal_at_once_converge(team: Team) -> None:
    """Ada and Bob meet the same loss and write the value again without having heard of each other."""
    record = parted(team)
    _hunks(team, path_of(team, record))
    tip = team.plain("rev-parse", "HEAD")
    for memory in (team.ada, team.bob):
        Git(memory.context.store.root)("pull", "--quiet", "--no-rebase", "--no-edit", team.plain.path, tip)
    team.plain("push", "--quiet", "origin", f"{tip}:main")
    assert all(heal(memory.context).notes for memory in (team.ada, team.bob))
    both(team, record)


def test_a_reverted_edit_stands_again(team: Team) -> None:
    """`git revert` of an edit takes the file and the log back; memory is taken back by `forget` alone."""
    record = team.ada.learn("pattern", BASE).id
    team.sync()
    team.ada.edit(record, {"fix": "better"})
    team.ada.sync()
    team.plain("pull", "--quiet")
    team.plain("revert", "--no-edit", "HEAD")
    push(team)
    team.healed()
    assert [memory.get(record).fields["fix"] for memory in (team.ada, team.bob)] == ["better", "better"]


def test_a_reverted_record_stands_again(team: Team) -> None:
    """The same for the commit that made the record: file, log and events come back."""
    record = team.ada.learn("pattern", BASE).id
    team.ada.used(record, fixed=True)
    team.ada.sync()
    team.plain("pull", "--quiet")
    team.plain("revert", "--no-edit", "HEAD")
    push(team)
    team.healed()
    assert [memory.get(record).usage.fixed for memory in (team.ada, team.bob)] == [1, 1]


@pytest.mark.parametrize("team", [True], indirect=True)
def test_a_hand_edit_of_what_was_healed_once_is_no_loss(team: Team) -> None:
    """Doctor looks at all of history, a sync at what is new in it: they agree on whether anything is missing."""
    record = team.ada.learn("pattern", BASE).id
    team.ada.sync()
    team.ada.edit(record, {"meaning": "no cable"})
    team.ada.sync()
    team.plain("pull", "--quiet")
    team.plain("revert", "--no-edit", "HEAD")
    push(team)
    team.healed()
    team.plain("pull", "--quiet")
    file = team.plain.path / path_of(team, record)
    file.write_text(file.read_text().replace(BASE["fix"], "by hand"))
    team.plain("commit", "--quiet", "--all", "-m", "by hand")
    push(team)
    team.sync()
    assert team.ada.get(record).fields["fix"] == "by hand"
    assert unhealed(team.ada.context) == []


def test_what_was_replaced_stays_replaced(team: Team) -> None:
    """Edits, forgetting, rebases and merges made with gitmem are nothing to be healed."""
    record = team.ada.learn("pattern", BASE, tags=["a", "b"]).id
    team.sync()
    team.ada.edit(record, {"fix": "second", "meaning": "x"})
    team.ada.commit()
    team.ada.edit(record, {"fix": "third", "meaning": None})
    team.ada.commit()
    team.bob.edit(record, {"fix": "bob's"})
    team.bob.commit()
    Git(team.folder / "bob")("pull", "--quiet", "--rebase", team.folder / "ada", "main")
    team.healed()
    assert log(team.folder / "ada", op="heal") == []
    assert sorted(str(sibling.value) for sibling in team.ada.get(record).conflicts["fix"]) == ["bob's", "third"]
