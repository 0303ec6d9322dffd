"""The writer's name rotates wherever the past comes back, so that no dot and no count is ever used twice.

The oracle knows nothing of rotation: it joins every version of a record that any commit of any copy ever held. If a name had
been used for two writes, the join would count one use too few, or find two values under one dot.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gitmem.core.dots import dot_of
from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.memory.memory import Memory
from tests.support.backups import TOOLS, anew
from tests.support.disk import MEMORY_DISK
from tests.support.environment import make_home
from tests.support.git import Git
from tests.support.stores import EFFORT, found, joined, open_memory, person, versions

RECORDS = 2
CLONES = st.integers(0, 2)
PAST = [
    ("reset", "--hard", "HEAD~{far}"),
    ("checkout", "--force", "HEAD~{far}", "--", "memory"),
    ("checkout", "--force", "-B", "left", "HEAD~{far}"),
    ("checkout", "--force", "-B", "right", "HEAD~{far}"),
    ("checkout", "--force", "main"),
    ("checkout", "--force", "left"),
    ("stash", "--include-untracked"),
    ("stash", "pop"),
    ("reset", "--soft", "HEAD~{far}"),
    ("reset", "--mixed", "HEAD~{far}"),
    ("restore", "--source=HEAD~{far}", "--staged", "--worktree", "memory"),
    ("restore", "--source=HEAD~{far}", "--worktree", "memory"),
    ("bisect", "start", "HEAD", "HEAD~{far}"),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A plain store with one commit."""
    found(tmp_path / "store", plain=True)
    return tmp_path / "store"


def _note(memory: Memory, text: str = "a note") -> str:
    return memory.learn("note", {"type": "semantic", "text": text}).id


def _path(memory: Memory, record: str) -> str:
    from gitmem.memory.locate import locate

    return locate(memory.context, record)


def _writer(memory: Memory) -> str:
    return memory.context.store.replica.writer


def _fixed(store: Path, record_path: str) -> int:
    return joined(versions(store, record_path)).total("fixed")


@pytest.mark.parametrize(
    "back",
    [
        ("reset", "--hard", "HEAD~1"),
        ("checkout", "--force", "HEAD~1", "--", "memory"),
        ("checkout", "--force", "-B", "other", "HEAD~1"),
    ],
    ids=["reset", "checkout of files", "another branch"],
)
def test_uses_after_the_past_came_back_are_counted_apart(store: Path, back: tuple[str, ...]) -> None:
    """Two uses, one of them taken back by git, and one more: joined again, there are three."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.used(note, fixed=True)
        memory.commit()
        memory.used(note, fixed=True)
        memory.commit()
        before = _writer(memory)
        Git(store)(*back)
        memory.used(note, fixed=True)
        assert _writer(memory) != before
        memory.commit()
        path = _path(memory, note)
    assert _fixed(store, path) == 3


def test_a_stash_takes_nothing_back(store: Path) -> None:
    """What is not committed yet is in the journal; stashing the file changes nothing, not even the writer."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.commit()
        memory.edit(note, {"text": "edited"})
        memory.used(note, fixed=True)
        before = _writer(memory)
        Git(store)("stash")
        assert memory.get(note).fields["text"] == "edited"
        memory.used(note, fixed=True)
        assert _writer(memory) == before
        memory.commit()
        assert memory.get(note).usage.fixed == 2


def test_a_restored_backup_of_the_work_tree_rotates(store: Path) -> None:
    """Files copied back from yesterday are as old as a branch from yesterday."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.used(note, fixed=True)
        memory.commit()
        shutil.copytree(store / "memory", store.parent / "backup")
        memory.used(note, fixed=True)
        memory.commit()
        before = _writer(memory)
        shutil.copytree(store.parent / "backup", store / "memory", dirs_exist_ok=True)
        memory.used(note, fixed=True)
        assert _writer(memory) != before
        path = _path(memory, note)
        memory.commit()
    assert _fixed(store, path) == 3


@pytest.mark.parametrize("lost", ["marks", "replica.yaml"])
def test_lost_local_state_means_a_new_name(store: Path, lost: str) -> None:
    """Without its marks a replica cannot tell what it wrote, and writes under another name."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.used(note, fixed=True)
        memory.commit()
        before = memory.context.store.replica.name
    (store / ".git/gitmem" / lost).unlink()
    with open_memory(store) as memory:
        memory.used(note, fixed=True)
        assert memory.context.store.replica.name != before
        memory.commit()
        assert memory.get(note).usage.fixed == 2
        assert memory.verify().ok


def test_a_name_that_another_process_gave_up_is_given_up_here(store: Path) -> None:
    """Two open processes: one meets the past and rotates; the other, which has not looked, must not go on as before."""
    with open_memory(store) as one, open_memory(store) as two:
        first, second = _note(one, "first"), _note(one, "second")
        one.used(second, fixed=True)
        two.used(second, fixed=True)
        one.commit()
        one.used(second, fixed=True)
        two.commit()
        Git(store)("reset", "--hard", "HEAD~1")
        one.used(second, fixed=True)
        assert _writer(one).endswith("-2")
        one.used(first, fixed=True)
        two.used(second, fixed=True)
        assert _writer(two) == _writer(one)
        path = _path(one, second)
        two.commit()
    assert _fixed(store, path) == 5


def test_a_copied_clone_is_a_replica_of_its_own(store: Path) -> None:
    """`cp -r` of the whole clone: both go on counting, and pull from one another without losing a use."""
    with open_memory(store) as memory:
        note = _note(memory)
        memory.commit()
        memory.used(note, fixed=True)  # in the journal when the copy is made
    copy = store.parent / "copy"
    shutil.copytree(store, copy, symlinks=True)
    for path in (store, copy):
        with open_memory(path) as memory:
            memory.used(note, fixed=True)
            memory.commit()
    Git(store)("pull", "--no-rebase", "--no-edit", copy, "main")
    with open_memory(store) as memory:
        assert memory.get(note).usage.fixed == 3
        assert memory.verify().problems == []


def test_own_branches_merge_with_their_logs(store: Path) -> None:
    """Two branches of one clone, written under two names: merged by plain git, counts, events and logs of both are there."""
    git = Git(store)
    with open_memory(store) as memory:
        note = _note(memory)
        memory.commit()
        memory.used(note, fixed=True)
        memory.commit()
        git("checkout", "--quiet", "-b", "left", "HEAD~1")
        memory.used(note, fixed=True)
        memory.commit()
        assert _writer(memory).endswith("-2")
        for name in ("main", "left"):
            git("checkout", "--quiet", name)
            git("merge", "--quiet", "--no-edit", "left" if name == "main" else "main")
            assert memory.get(note).usage.fixed == 2
            assert memory.verify().problems == []
            assert git("status", "--porcelain") == ""
        memory.used(note, fixed=True)
        memory.commit()
        assert memory.get(note).usage.fixed == 3
        assert memory.verify().problems == []
    assert len(list((store / "log/events").rglob("*.yaml"))) == 4


class Clones(RuleBasedStateMachine):
    """One clone and its copies, with everything git can do to their past."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK))
        self.environ = dict(os.environ)
        make_home(self.folder / "home")
        os.environ.update(HOME=str(self.folder / "home"), XDG_CONFIG_HOME=str(self.folder / "home/.config"))
        self.clones: list[Path] = []
        self.backups: dict[Path, Path] = {}
        self.graves: list[Path] = []
        self.memories: list[Memory] = []
        self.records: list[str] = []
        self.paths: list[str] = []
        self.uses: Counter[str] = Counter()
        self.edits = 0

    @initialize()
    def begin(self) -> None:
        """A store with two records in a commit."""
        found(self.folder / "0", plain=True, who=person())
        self._open(self.folder / "0")
        self.records = [_note(self.memories[0], f"note {number}") for number in range(RECORDS)]
        self.paths = [_path(self.memories[0], record) for record in self.records]
        self.memories[0].commit()

    def _open(self, path: Path) -> None:
        self.clones.append(path)
        self.memories.append(open_memory(path))

    def _memory(self, which: int) -> Memory:
        return self.memories[which % len(self.memories)]

    @rule(which=CLONES, record=st.integers(0, RECORDS - 1), times=st.integers(1, 2), then_commit=st.booleans())
    def used(self, which: int, record: int, times: int, then_commit: bool) -> None:
        """Somebody tries a record."""
        for _ in range(times):
            with _gone_is_fine():
                self._memory(which).used(self.records[record], fixed=True)
                self.uses[self.records[record]] += 1
        if then_commit:
            self._memory(which).commit()

    @rule(which=CLONES, record=st.integers(0, RECORDS - 1), then_commit=st.booleans())
    def edited(self, which: int, record: int, then_commit: bool) -> None:
        """Somebody writes something nobody wrote before."""
        self.edits += 1
        with _gone_is_fine():
            self._memory(which).edit(self.records[record], {"text": f"edit {self.edits}"})
        if then_commit:
            self._memory(which).commit()

    @rule(which=CLONES, words=st.sampled_from(PAST), far=st.integers(1, 2), record=st.integers(0, RECORDS - 1))
    def the_past_comes_back(self, which: int, words: tuple[str, ...], far: int, record: int) -> None:
        """Git takes branch or files back, and somebody tries a record there."""
        self._memory(which).commit()
        git = Git(self.clones[which % len(self.clones)])
        git(*(word.format(far=far) for word in words), check=False)
        self.used(which, record, 1, False)
        if git("symbolic-ref", "--quiet", "HEAD", check=False) == "":
            with pytest.raises(GitmemError, match="detached"):
                self._memory(which).commit()
            git("bisect", "reset")
        self._memory(which).commit()

    @rule(which=CLONES, record=st.integers(0, RECORDS - 1))
    def forgotten(self, which: int, record: int) -> None:
        """Somebody deletes a record, if it stands there."""
        with _gone_is_fine():
            self._memory(which).forget(self.records[record])

    @rule(which=CLONES, name=st.sampled_from(["marks", "replica.yaml", "index.db"]))
    def lost(self, which: int, name: str) -> None:
        """A file beside the store is lost while it is open."""
        (self.clones[which % len(self.clones)] / ".git/gitmem" / name).unlink(missing_ok=True)

    @rule(which=CLONES)
    def backed_up(self, which: int) -> None:
        """A backup is made of the clone, with whatever waits in its journal."""
        place = self.clones[which % len(self.clones)]
        self.backups[place] = self.folder / f"backup{len(self.backups)}{len(self.graves)}"
        anew(place, self.backups[place])

    @rule(which=CLONES, tool=st.sampled_from(sorted(TOOLS)), whole=st.booleans(), is_open=st.booleans())
    def put_back(self, which: int, tool: str, whole: bool, is_open: bool) -> None:
        """The last backup takes the clone's place, or that of what gitmem keeps beside it; a process may have it open."""
        which %= len(self.clones)
        place = self.clones[which]
        if place in self.backups:
            self.memories[which].commit()
            self.graves.append(self.folder / f"grave{len(self.graves)}")
            anew(place, self.graves[-1])  # what was committed before may have been shared
            if not is_open:
                self.memories[which].close()
            part = Path() if whole else Path(".git/gitmem")
            TOOLS[tool](self.backups[place] / part, place / part)
            if not is_open:
                self.memories[which] = open_memory(place)

    @rule(which=CLONES)
    def journal_lost(self, which: int) -> None:
        """The journal is removed when a commit holds what it held."""
        which %= len(self.clones)
        self.memories[which].commit()
        shutil.rmtree(self.clones[which] / ".git/gitmem/journal", ignore_errors=True)

    @rule(which=CLONES, copy=st.booleans())
    def reopened_or_copied(self, which: int, copy: bool) -> None:
        """The process ends, another begins; or the clone is copied with all that lies beside it."""
        which %= len(self.memories)
        if copy and len(self.clones) < 3:
            target = self.folder / str(len(self.clones))
            shutil.copytree(self.clones[which], target, symlinks=True)
            self._open(target)
        else:
            self.memories[which].close()
            self.memories[which] = open_memory(self.clones[which])

    def teardown(self) -> None:
        """Hold everything that was ever written against the oracle."""
        try:
            for memory in self.memories:
                memory.commit()
                assert memory.verify().problems == []
                memory.close()
            for record, path in zip(self.records, self.paths, strict=True):
                every = [state for clone in [*self.clones, *self.graves] for state in versions(clone, path)]
                assert joined(every).total("fixed") == self.uses[record]
                _one_value_a_dot(every)
        finally:
            os.environ.clear()
            os.environ.update(self.environ)
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Git may have taken the record back to before it was learned, and it may be forgotten."""
    try:
        yield
    except GitmemError as error:
        assert re.search("forgotten already|is gone|no record", error.message)  # noqa: PT017


def _one_value_a_dot(states: list[State]) -> None:
    values: dict[Any, str] = {}
    for state in states:
        for path, register in [*state.registers(), ("life", state.life)]:
            for key, value in register.items():
                assert values.setdefault((path, dot_of(key)), str(value)) == str(value), (path, key)


TestClones = Clones.TestCase
TestClones.settings = settings(
    max_examples=8 * EFFORT,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a second: shrinking one takes minutes
)
