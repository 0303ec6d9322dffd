"""Two members, two clones, one remote: both end with the same bytes, nothing lost, every disagreement kept for a person."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gitmem.errors import GitmemError, NoKey
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT, files, found, join, open_memory, person, share


@dataclass
class Pair:
    """Ada's and Bob's clones."""

    folder: Path
    ada: Memory
    bob: Memory

    def sync(self) -> None:
        """Until both have everything."""
        for memory in (self.ada, self.bob, self.ada):
            assert memory.sync().problems == []

    def agree(self) -> None:
        """Both clones hold the same bytes, in the work tree and in git, and the log explains them."""
        assert files(self.folder / "ada") == files(self.folder / "bob")
        assert Git(self.folder / "ada")("rev-parse", "HEAD") == Git(self.folder / "bob")("rev-parse", "HEAD")
        for memory in (self.ada, self.bob):
            assert Git(memory.context.store.root)("status", "--porcelain") == ""
            assert memory.verify().problems == []

    def both(self, record: str) -> Iterator[Memory]:
        """Each of them, having seen that the other shows the same record."""
        ada, bob = self.ada.get(record), self.bob.get(record)
        assert (ada.fields, ada.sets, ada.usage, ada.alive) == (bob.fields, bob.sets, bob.usage, bob.alive)
        assert ada.conflicts == bob.conflicts
        yield from (self.ada, self.bob)


@contextmanager
def _pair(folder: Path, *, plain: bool) -> Iterator[Pair]:
    remote = folder / "remote.git"
    Git(folder)("init", "--quiet", "--bare", remote)
    ada, bob = person(folder / "home-ada"), person(folder / "home-bob")
    found(folder / "ada", plain=plain, name="ada", who=ada)
    share(folder / "ada", remote, ada)
    with open_memory(folder / "ada", ada) as first:
        join(first, folder / "bob", remote, "bob", bob)
        with open_memory(folder / "bob", bob) as second:
            yield Pair(folder, first, second)


@pytest.fixture(params=[False, True], ids=["sealed", "plain"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Two clones of one store, of each kind."""
    with _pair(tmp_path, plain=request.param) as made:
        yield made


def _learn(memory: Memory, **fields: object) -> str:
    return memory.learn("pattern", {"pattern": "no route to host", "fix": "plug it in", **fields}).id


def test_the_same_error_learned_twice_is_one_record(pair: Pair) -> None:
    """Both learn it before they met: one record, whose equal values collapse and whose tags add up."""
    record = pair.ada.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}, tags=["net", "ada"]).id
    assert pair.bob.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}, tags=["net", "bob"]).id == record
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        assert memory.get(record).conflicts == {}
        assert memory.get(record).sets["tags"] == ["ada", "bob", "net"]


def test_counters_are_exact(pair: Pair) -> None:
    """Uses on both sides, with syncs in between and without, add up, averages included."""
    record = _learn(pair.ada)
    pair.sync()
    for times in (3, 2):
        for turn in range(times):
            pair.ada.used(record, fixed=True, ms=100)
            pair.bob.used(record, fixed=turn % 2 == 0, ms=200)
        pair.bob.match("ping: no route to host")
        pair.sync()
    pair.agree()
    for memory in pair.both(record):
        usage = memory.get(record).usage
        assert (usage.matched, usage.fixed, usage.failed, usage.avg_fix_ms) == (2, 8, 2, 150)


def test_edits_of_different_fields_both_stand(pair: Pair) -> None:
    """Nobody is asked where nobody disagrees."""
    record = _learn(pair.ada)
    pair.sync()
    pair.ada.edit(record, {"meaning": "the cable"})
    pair.bob.edit(record, {"fix": "plug the cable in"})
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        fields = memory.get(record).fields
        assert (fields["meaning"], fields["fix"]) == ("the cable", "plug the cable in")
        assert memory.conflicts() == []


def test_edits_of_one_field_wait_for_a_person(pair: Pair) -> None:
    """Both values are kept with who wrote them; picking one settles it everywhere."""
    record = _learn(pair.ada)
    pair.sync()
    pair.ada.edit(record, {"fix": "ada's fix"})
    pair.bob.edit(record, {"fix": "bob's fix"})
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        (conflicted,) = memory.conflicts()
        values = conflicted.conflicts["fix"]
        assert {(value.value, value.by) for value in values} == {("ada's fix", "ada"), ("bob's fix", "bob")}
    assert pair.ada.status().conflicts == pair.bob.status().conflicts == 1
    chosen = next(value.dot for value in pair.bob.get(record).conflicts["fix"] if value.value == "ada's fix")
    pair.bob.resolve(record, "fix", pick=chosen)
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        assert memory.conflicts() == []
        assert memory.get(record).fields["fix"] == "ada's fix"


def test_what_is_forgotten_waits_for_nobody(pair: Pair) -> None:
    """Two values of a record that was deleted are nobody's question; learned again, they are."""
    record = _learn(pair.ada)
    pair.sync()
    pair.ada.edit(record, {"fix": "ada's fix"})
    pair.bob.edit(record, {"fix": "bob's fix"})
    pair.sync()
    pair.bob.forget(record)
    pair.sync()
    for memory in pair.both(record):
        assert memory.conflicts() == []
    assert pair.ada.status().conflicts == 0
    pair.ada.edit(record, {"meaning": "the cable"})
    pair.sync()
    for memory in pair.both(record):
        assert [one.id for one in memory.conflicts()] == [record]


def test_the_same_edit_on_both_sides_is_no_conflict(pair: Pair) -> None:
    """Equal values are one value."""
    record = _learn(pair.ada)
    pair.sync()
    for memory in (pair.ada, pair.bob):
        memory.edit(record, {"fix": "the same fix"})
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        assert memory.conflicts() == []
        assert memory.get(record).fields["fix"] == "the same fix"


def test_a_third_value_resolves_too(pair: Pair) -> None:
    """Editing a field in conflict settles it, as resolving with a value does."""
    record = _learn(pair.ada)
    pair.sync()
    pair.ada.edit(record, {"fix": "a", "meaning": "x"})
    pair.bob.edit(record, {"fix": "b", "meaning": "y"})
    pair.sync()
    pair.ada.edit(record, {"fix": "both"})
    pair.ada.resolve(record, "meaning", value="neither")
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        fields = memory.get(record).fields
        assert (fields["fix"], fields["meaning"], memory.conflicts()) == ("both", "neither", [])


def test_a_deletion_and_an_edit_are_flagged(pair: Pair) -> None:
    """The edit keeps the record alive, and both are asked; a use alone revives nothing."""
    record, other = _learn(pair.ada), _learn(pair.ada, pattern="port in use")
    pair.sync()
    pair.ada.forget(record)
    pair.bob.edit(record, {"fix": "still needed"})
    pair.ada.forget(other)
    pair.bob.used(other, fixed=True)
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        assert memory.get(record).alive
        assert [one.id for one in memory.conflicts()] == [record]
    for memory in pair.both(other):
        assert not memory.get(other).alive
        assert memory.get(other).usage.fixed == 1
        assert memory.match("bind: port in use") == []


def test_writes_wait_in_the_journal_while_the_other_side_is_taken_in(pair: Pair) -> None:
    """What is recorded between commit and fetch is put back on top of what came."""
    record = _learn(pair.ada)
    pair.sync()
    pair.bob.edit(record, {"fix": "bob's fix"})
    pair.bob.sync()
    pair.ada.used(record, fixed=True)
    another = open_memory(pair.folder / "ada", person(pair.folder / "home-ada"))

    def meanwhile(what: str, _done: int, _of: int) -> None:
        if what == "sync" and not another.get(record).fields.get("meaning"):
            another.edit(record, {"meaning": "written meanwhile"})
            another.used(record, fixed=True)
            another.learn("note", {"type": "semantic", "text": "written meanwhile"})

    pair.ada.context.progress = meanwhile  # called after the commit and before the fetch
    assert pair.ada.sync().merged == 1
    assert pair.ada.status().pending == 2
    another.close()
    pair.sync()
    pair.agree()
    for memory in pair.both(record):
        assert memory.get(record).fields["meaning"] == "written meanwhile"
        assert memory.get(record).fields["fix"] == "bob's fix"
        assert memory.get(record).usage.fixed == 2
        assert [one.fields["text"] for one in memory.records("note")] == ["written meanwhile"]


def test_a_reader_without_the_key_merges_and_carries(tmp_path: Path, bare_remote: Path) -> None:
    """Who cannot read a sealed store can pull, merge and push it, byte by byte as a member would."""
    with _pair(tmp_path, plain=False) as pair:
        record = _learn(pair.ada)
        pair.sync()
        stranger = person(tmp_path / "home-stranger")
        clone(str(tmp_path / "remote.git"), str(tmp_path / "carrier"))
        pair.ada.edit(record, {"fix": "ada's fix"})
        pair.bob.edit(record, {"meaning": "bob's meaning"})
        pair.bob.commit()
        pair.ada.sync()
        carrier = Git(tmp_path / "carrier")
        carrier("pull", "--quiet", "--no-rebase", tmp_path / "bob", "main")
        with open_memory(tmp_path / "carrier", stranger) as keyless:
            with pytest.raises(NoKey):
                keyless.get(record)
            assert keyless.sync().problems == []
        pair.sync()
        pair.agree()
        assert files(tmp_path / "carrier").keys() <= files(tmp_path / "ada").keys()
        assert pair.ada.get(record).fields["meaning"] == "bob's meaning"
        assert pair.bob.get(record).fields["fix"] == "ada's fix"


def test_a_plain_store_takes_hand_edits_of_both(tmp_path: Path) -> None:
    """A value changed in the file itself on both sides becomes two writes, kept like any others."""
    with _pair(tmp_path, plain=True) as pair:
        record = _learn(pair.ada)
        pair.sync()
        for name, text in (("ada", "by ada's hand"), ("bob", "by bob's hand")):
            (file,) = (tmp_path / name / "memory").rglob("*.yaml")
            file.write_text(file.read_text().replace("plug it in", text))
        pair.sync()
        pair.agree()
        for memory in pair.both(record):
            values = {value.value for value in memory.get(record).conflicts["fix"]}
            assert values == {"by ada's hand", "by bob's hand"}


def test_pushing_at_the_same_time_loses_nobody(tmp_path: Path) -> None:
    """Whoever is second fetches, merges and pushes again."""
    with _pair(tmp_path, plain=True) as pair:
        record = _learn(pair.ada)
        pair.sync()
        hook = tmp_path / "remote.git/hooks/pre-receive"
        # While Ada's push is being received, the branch moves on: one commit of Bob's, once.
        pair.bob.used(record, fixed=True)
        pair.bob.commit()
        moved = Git(tmp_path / "bob")("rev-parse", "HEAD")
        Git(tmp_path / "remote.git")("fetch", "--quiet", tmp_path / "bob", "main")
        hook.write_text(
            f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\n"
            f"[ -e moved ] || {{ touch moved; git update-ref refs/heads/main {moved}; }}\n"
        )
        hook.chmod(0o755)
        pair.ada.used(record, fixed=True)
        report = pair.ada.sync()
        assert report.attempts == 2
        pair.sync()
        pair.agree()
        for memory in pair.both(record):
            assert memory.get(record).usage.fixed == 2


steps = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.sampled_from(["learn", "used", "edit", "forget", "tag", "commit", "sync", "sync"]),
        st.integers(0, 2),
    ),
    min_size=4,
    max_size=14,
)


@given(st.booleans(), steps)
@settings(max_examples=5 * EFFORT, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_any_history_converges(plain: bool, history: list[tuple[str, str, int]]) -> None:
    """Whatever both do in whatever order: after the last sync the bytes are the same and the counts are exact."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK))
    try:
        with _pair(folder, plain=plain) as pair:
            records = [_learn(pair.ada, pattern=f"error {number}") for number in range(3)]
            pair.sync()
            uses = [0, 0, 0]
            for number, (who, what, which) in enumerate(history):
                memory = pair.ada if who == "ada" else pair.bob
                uses[which] += what == "used"
                _step(memory, what, records[which], f"{who} {number}")
            pair.sync()
            pair.agree()
            for record, expected in zip(records, uses, strict=True):
                for memory in pair.both(record):
                    assert memory.get(record).usage.fixed == expected
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _step(memory: Memory, what: str, record: str, name: str) -> None:
    if what == "learn":
        memory.learn("note", {"type": "semantic", "text": name})
    elif what == "used":
        memory.used(record, fixed=True)
    elif what == "edit":
        memory.edit(record, {"fix": name})
    elif what == "tag":
        memory.learn("pattern", {"pattern": memory.get(record).fields["pattern"]}, tags=[name])
    elif what == "commit":
        memory.commit()
    elif what == "sync":
        memory.sync()
    else:
        try:
            memory.forget(record)
        except GitmemError as error:
            if "forgotten already" not in error.message:
                raise
