"""One person: all about them is handed out, and erased: whole records or only the mention, in the past as well."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from gitmem.errors import GitmemError, UsageError
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase_history import erase_history
from gitmem.memory.privacy.erase_subject import erase_subject
from gitmem.memory.privacy.subject_export import export_subject
from gitmem.memory.syncing.heal import unhealed
from tests.support.stores import found, open_memory

BO = ["Bo Lind", "bo@example.org"]


@pytest.fixture(params=[False, True], ids=["sealed", "plain"])
def memory(tmp_path: Path, request: pytest.FixtureRequest) -> Memory:
    """Ada's store: two records that mention Bo, one that used to, one that is not about him."""
    found(tmp_path / "store", plain=request.param)
    memory = open_memory(tmp_path / "store")
    lab = {"pattern": "lab is down", "fix": "call bo  LIND, or mail bo@example.org"}
    memory.learn("pattern", lab, tags=["bo lind", "net"], redact=False)
    forgotten = memory.learn("note", {"text": "Bo Lind likes tea"}).id
    once = memory.learn("pattern", {"pattern": "disk full", "fix": "ask Bo Lind"}).id
    memory.learn("pattern", {"pattern": "no route", "fix": "ask Lindgren"})
    memory.commit()
    memory.edit(once, {"fix": "make room"})
    memory.forget(forgotten)
    memory.commit()
    return memory


def _texts(memory: Memory) -> str:
    return json.dumps([record.as_json() for record in memory.records(limit=10)])


def test_a_person_gets_all_about_them(memory: Memory, tmp_path: Path) -> None:
    """Records as YAML, forgotten ones too, what earlier versions said, and a page that says what it is; for one's own eyes."""
    report = export_subject(memory.context, BO, tmp_path / "bo")
    assert (report.records, report.earlier) == (2, 1)
    records = {file.name: file.read_text() for file in (tmp_path / "bo" / "records").iterdir()}
    assert any("call bo  LIND" in text and "mentions:" in text for text in records.values())
    assert any("likes tea" in text and "forgotten: true" in text for text in records.values())
    assert "ask Bo Lind" in (tmp_path / "bo" / "earlier.jsonl").read_text()
    assert "Bo Lind" in (tmp_path / "bo" / "README.md").read_text()
    assert not any(file.stat().st_mode & 0o077 for file in (tmp_path / "bo").rglob("*"))
    with pytest.raises(UsageError, match="there already"):
        export_subject(memory.context, BO, tmp_path / "bo")
    export_subject(memory.context, BO, tmp_path / "bo.tar.gz")
    with tarfile.open(tmp_path / "bo.tar.gz") as archive:
        assert "bo/README.md" in archive.getnames()
    ada = export_subject(memory.context, ["ada"], tmp_path / "ada")
    assert ada.entries > 0
    assert ada.events > 0
    assert (tmp_path / "ada" / "members" / "ada.yaml").read_bytes()


def test_records_that_mention_them_go(memory: Memory) -> None:
    """Whole, and of the one that used to what it said; then history holds nothing of it, and a second look finds nothing."""
    looked = erase_subject(memory.context, BO, dry_run=True)
    assert sorted(bool(one.registers) for one in looked.erased) == [False, False, True]
    assert "Bo" not in _texts(memory) or looked.commit is None
    report = erase_subject(memory.context, BO, basis="request 4711")
    assert [one.id for one in report.erased] == [one.id for one in looked.erased]
    assert len(memory.records()) == 2
    assert memory.verify().problems == []
    assert erase_subject(memory.context, BO).erased == []
    assert erase_history(memory.context).records == 3
    assert memory.verify().problems == []
    _nowhere(memory)


def test_the_lesson_stays_without_the_person(memory: Memory) -> None:
    """Each mention becomes a placeholder, in fields, sets and forgotten records; the rest of the record stands."""
    report = erase_subject(memory.context, BO, redact=True)
    assert len(report.erased) == 3
    [lab] = [record for record in memory.records() if record.fields.get("pattern") == "lab is down"]
    assert lab.fields["fix"] == "call <erased>, or mail <erased>"
    assert lab.sets["tags"] == ["<erased>", "net"]
    assert memory.verify().problems == []
    assert erase_subject(memory.context, BO).erased == []
    erase_history(memory.context)
    assert memory.verify().problems == []
    assert unhealed(memory.context) == []
    assert "lab is down" in _texts(memory)
    _nowhere(memory)


def _nowhere(memory: Memory) -> None:
    """In a plain store the name is in no object at all; in any store no earlier version can be found to hold it."""
    repo = memory.context.store.repo
    names = repo.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert b"bo lind" not in repo.run("cat-file", "--batch", input=names).lower()
    assert erase_subject(memory.context, BO, dry_run=True).erased == []


def test_what_cannot_be_done_is_said(memory: Memory) -> None:
    """A name too short, a basis that names the person, a record that is none without the mention; members stay members."""
    with pytest.raises(UsageError, match="too short"):
        erase_subject(memory.context, ["Bo"])
    with pytest.raises(UsageError, match="names the person"):
        erase_subject(memory.context, BO, basis="asked by Bo Lind")
    told = erase_subject(memory.context, ["ada"], dry_run=True).notes
    assert any("ada is a member" in note for note in told)
    assert any("author or committer of" in note for note in told)
    odd = memory.learn("runbook", {"title": "lab", "steps": [{"do": "x"}], "files": [{"path": "x", "lines": "12-40"}]})
    with pytest.raises(GitmemError, match="is no runbook without the mention"):
        erase_subject(memory.context, ["12-40"], redact=True)
    assert memory.get(odd.id).alive
