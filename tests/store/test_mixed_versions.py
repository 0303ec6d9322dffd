"""Members with different versions of gitmem: what the newer brought is merged, shown and kept; a newer format is left alone.

The newer gitmem is this one, made to write what its schemas do not know yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gitmem.core.edit import Pen
from gitmem.core.ids import element_key
from gitmem.core.record import Json, State
from gitmem.errors import GitmemError, InvalidRecord, RemoteError
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.founding.cloning import clone
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.layout import record_path
from gitmem.store.store import Write
from tests.support.git import Git
from tests.support.stores import found, open_memory, share

PATTERN, INCIDENT = "p-3kaaaaaaaaaa", "i-7qaaaaaaaaaa"
ERROR = "spline 17 not reticulated"


@pytest.fixture(params=[False, True], ids=["sealed", "plain"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store in `new` with two records of a newer gitmem, and an older member's clone in `old`."""
    found(tmp_path / "new", plain=request.param)
    with open_memory(tmp_path / "new") as memory:
        fields: dict[str, Json] = {"pattern": "spline <*> not reticulated", "fix": "do", "severity": 9, "deep.er": {"x": [1]}}
        _newer(memory, "pattern", PATTERN, fields, {"links": ["l1", "l2"], "tags": ["git"]})
        _newer(memory, "incident", INCIDENT, {"title": "a fire", "root": "a cause"}, {"people": ["ada"]})
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    share(tmp_path / "new", tmp_path / "remote")
    clone(str(tmp_path / "remote"), str(tmp_path / "old"))
    return tmp_path


def _newer(
    memory: Memory, kind: str, record: str, fields: Mapping[str, Json], sets: Mapping[str, list[Json]] | None = None
) -> None:
    """Write a record, or fields of it, as a gitmem with schema 99 of its kind would."""
    store = memory.context.store
    path = record_path("team", kind, record)
    with store.lock:
        store.refresh()
        old = store.read(path)
        state = old or State(kind, 99, "team", record)
        pen, seal = Pen(state, store.writer_for(path, old)), store.sealing(state)
        for name, value in fields.items():
            pen.set(name, partial(_sealed, seal, value))
        for name, values in (sets or {}).items():
            for value in values:
                key = element_key(store.vault.id_key("team"), f"{record}/{name}", value)
                pen.add(name, key, partial(_sealed, seal, value))
        pen.live()
        pen.count("skipped", 3)
        for name in ("changed", "reviewed"):
            pen.touch(name, memory.context.now())
        store.write([Write(path, pen.state)])


def _sealed(seal: Any, value: Json, path: str, dot: str) -> Json:
    stored: Json = seal(path, dot, value)
    return stored


def test_an_older_member_works_with_newer_records(place: Path) -> None:
    """Show, list, match, use, edit, forget: the unknown fields, sets, counters and times go through all of it."""
    with open_memory(place / "old") as old:
        assert {record.id for record in old.records()} == {PATTERN, INCIDENT}
        assert old.get(INCIDENT).fields == {"title": "a fire", "root": "a cause"}
        assert old.match(ERROR)[0].id == PATTERN
        old.edit(PATTERN, {"fix": "redo", "tags": ["git", "new"]})
        old.edit(PATTERN, {"pattern": "spline <*> not reticulated", "fix": "again"}, replace=True)
        for record in (PATTERN, INCIDENT):
            old.used(record, fixed=True)
        assert all(check.ok for check in doctor(old.context))
        old.sync()
        assert old.verify().problems == []
    with open_memory(place / "new") as new:
        new.sync()
        shown = new.get(PATTERN)
        assert shown.fields == {"pattern": "spline <*> not reticulated", "fix": "again", "severity": 9, "deep.er": {"x": [1]}}
        assert (shown.sets["links"], shown.schema, shown.usage.fixed) == (["l1", "l2"], 99, 1)
        state = new.context.store.read(locate(new.context, PATTERN))
        assert state is not None
        assert (state.total("skipped"), "reviewed" in state.last) == (3, True)
        assert new.verify().problems == []


@pytest.mark.parametrize("values", [{"severity": 3}, {"severty": 3}, {"fix": 7}])
def test_what_an_older_member_cannot_check_is_refused(place: Path, values: dict[str, Any]) -> None:
    """It writes what its own schema allows, and nothing else; the hint says what to do."""
    with open_memory(place / "old") as old:
        with pytest.raises(InvalidRecord) as caught:
            old.edit(PATTERN, values)
        assert "upgrade" in caught.value.hint
        with pytest.raises(InvalidRecord, match="no kind 'incident'"):
            old.edit(INCIDENT, {"title": "another"})


def test_conflicts_in_what_is_unknown_can_be_settled(place: Path) -> None:
    """A value that stands there can be picked, also where nobody here knows what it means."""
    with open_memory(place / "new") as new, open_memory(place / "old") as old:
        for memory, value in ((new, 1), (old, 2)):
            _newer(memory, "pattern", PATTERN, {"severity": value})
            _newer(memory, "incident", INCIDENT, {"title": f"fire {value}"})
        for memory in (new, old, new, old):
            memory.sync()
        assert {record.id for record in old.conflicts()} == {PATTERN, INCIDENT}
        for record, field in ((PATTERN, "severity"), (INCIDENT, "title")):
            values = old.get(record).conflicts[field]
            assert not old.resolve(record, field, pick=values[0].dot).conflicts
        old.forget(INCIDENT)
        old.sync()
        assert old.verify().problems == []


def test_hooks_let_pass_what_a_newer_member_wrote(place: Path) -> None:
    """Plain git commits and merges it, with our hooks in place."""
    git = Git(place / "old")
    with open_memory(place / "new") as new:
        _newer(new, "incident", "i-7qbbbbbbbbbb", {"title": "another fire"})
        _newer(new, "pattern", PATTERN, {"severity": 1})
        new.sync()
    with open_memory(place / "old") as old:
        old.edit(PATTERN, {"fix": "mine"})
        git("add", "--all")
        git("commit", "--quiet", "-m", "by hand")
        git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
        old.sync()
        assert old.get(PATTERN).fields["severity"] == 1
        assert old.verify().problems == []
        assert git("status", "--porcelain") == ""


def _of_next_format(place: Path) -> tuple[str, str]:
    """A commit by plain git that brings the pattern and a new note in format 2; their paths."""
    git = Git(place)
    git("clone", "--quiet", "remote", "next")
    known, fresh = record_path("team", "pattern", PATTERN), record_path("team", "note", "n-5zaaaaaaaaaa")
    (place / "next" / known).write_bytes(
        (place / "next" / known).read_bytes().replace(b"gitmem: 1", b"gitmem: 2") + b"novel: 1\n"
    )
    (place / "next" / fresh).parent.mkdir(parents=True)
    (place / "next" / fresh).write_text("gitmem: 2\nkind: note\nanything: else\n")
    Git(place / "next").commit("next")
    Git(place / "next")("push", "--quiet")
    return known, fresh


@pytest.mark.parametrize("by", ["sync", "git"])
@pytest.mark.parametrize("changed", [False, True])
def test_a_newer_format_is_left_alone(place: Path, changed: bool, by: str) -> None:
    """Both versions stay, the reason is said, and everything else goes on: records, syncs, commits by plain git."""
    known, fresh = _of_next_format(place)
    git = Git(place / "old")
    with open_memory(place / "old") as old:
        other = old.learn("pattern", {"pattern": "another error entirely", "fix": "x"}).id
        if changed:
            old.edit(PATTERN, {"fix": "mine"})
        old.commit()
        if by == "git":
            git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
        report = old.sync()
        if by == "sync":
            assert any("format 2 is newer" in problem for problem in report.problems)
        held = {path: git("show", f"HEAD:{path}") for path in git("ls-files", "memory").splitlines()}
        assert held[fresh].startswith("gitmem: 2")
        assert any(path.startswith(known) and "novel: 1" in text for path, text in held.items())
        for memory_id in (PATTERN, "n-5zaaaaaaaaaa") if not changed else ("n-5zaaaaaaaaaa",):
            with pytest.raises(InvalidRecord, match="format 2 is newer") as caught:
                old.get(memory_id)
            assert "upgrade" in caught.value.hint
        assert old.match("another error entirely")[0].id == other
        old.used(other, fixed=True)
        old.sync()
        (failed,) = [check for check in doctor(old.context, fix=True) if not check.ok]
        assert (failed.name, "upgrade" in failed.fix) == ("records", True)
        assert git("show", f"HEAD:{fresh}").startswith("gitmem: 2")
        assert not [problem for problem in old.verify().problems if ".kept-" in problem.where]
        Git(place / "old").commit("by hand", {"other.txt": "x"})
        assert git("status", "--porcelain") == ""


def test_a_store_of_a_newer_format_is_not_touched(place: Path) -> None:
    """Where the configuration itself is newer, nothing is merged, what is recorded stays safe, and the hint says upgrade."""
    git = Git(place)
    git("clone", "--quiet", "remote", "next")
    config = place / "next/.gitmem/config.yaml"
    config.write_text(config.read_text().replace("gitmem: 1", "gitmem: 2"))
    Git(place / "next").commit("next")
    Git(place / "next")("push", "--quiet")
    with open_memory(place / "old") as old:
        note = old.learn("note", {"type": "semantic", "text": "mine"}).id
        with pytest.raises(RemoteError, match="format 2 is newer") as caught:
            old.sync()
        assert "upgrade" in caught.value.hint
        assert old.get(note).fields["text"] == "mine"
    Git(place / "old")("merge", "--quiet", "--no-edit", "-X", "theirs", "origin/main", check=False)
    (place / "old/.gitmem/config.yaml").write_text(config.read_text())
    with pytest.raises(GitmemError, match="format 2 is newer") as refused:
        open_memory(place / "old")
    assert "upgrade" in refused.value.hint
