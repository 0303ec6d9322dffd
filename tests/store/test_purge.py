"""What somebody erased or redacted leaves every clone at its next sync: its index, its snapshots, what was set aside."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.git import snapshots
from gitmem.memory.catchup import FILE
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erase_subject import erase_subject
from gitmem.store.index_file import open_database
from tests.support.git import Git
from tests.support.team import Team, closed, make_team, quick

SECRET = "call Marlowyn on 7"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada's and Bob's clones of a store."""
    yield from closed(make_team(quick(tmp_path), ("ada", "bob"), plain=False))


def _take_out(team: Team, record: str, how: str) -> None:
    if how == "redact":
        erase_subject(team["ada"].context, ["Marlowyn"], redact=True)
    else:
        erase(team["ada"].context, [record])
    team.sync("ada")


def _index_holds(memory: Memory, text: str, folder: Path) -> bool:
    """Whether any page of the index holds a text once it is decrypted, free pages and the write-ahead log included."""
    folder.mkdir()
    for file in memory.context.store.local.glob(f"{FILE}*"):
        shutil.copy(file, folder)
    if not (folder / FILE).exists():
        return False
    database, made = open_database(folder / FILE, memory.context.store.vault.index_key(memory.context.store.replica.name))
    assert not made
    for statement in ("wal_checkpoint(TRUNCATE)", "journal_mode = DELETE", "rekey = ''"):
        database.execute(f"PRAGMA {statement}")
    database.close()
    return text.lower().encode() in (folder / FILE).read_bytes().lower()


def _snapshot(memory: Memory, reason: str) -> None:
    snapshots.create(memory.context.store.repo, reason, memory.context.clock())


def _snapshots(memory: Memory) -> list[str]:
    return [one.reason for one in snapshots.all_snapshots(memory.context.store.repo)]


@pytest.mark.parametrize(("how", "way"), [("redact", "git pull"), ("redact", "sync"), ("erase", "git pull")])
def test_another_clone_is_rid_of_it_at_its_next_sync(team: Team, tmp_path: Path, how: str, way: str) -> None:
    """By whatever way it came: no page of the index holds it, no snapshot does, and the sync says so, once."""
    record, bob = team.learn(fix=SECRET), team["bob"]
    assert bob.search("Marlowyn")
    _snapshot(bob, "edit")
    assert _index_holds(bob, "Marlowyn", tmp_path / "before")
    _take_out(team, record, how)
    if way == "git pull":
        Git(team.folder / "bob")("-c", "pull.rebase=false", "pull", "--quiet", "--no-edit")
    told = "1 record was erased or redacted elsewhere, and this clone is rid of what held it: the index, 1 snapshot"
    assert bob.sync().notes == [told]
    assert not _index_holds(bob, "Marlowyn", tmp_path / "after")
    assert _snapshots(bob) == []
    assert bob.search("Marlowyn") == []
    assert [hit.fields["fix"] for hit in bob.search("route")] == (["call <erased> on 7"] if how == "redact" else [])
    assert not _index_holds(bob, "Marlowyn", tmp_path / "again")
    team.agree()
    assert bob.sync().notes == []


def test_a_snapshot_without_it_stays(team: Team) -> None:
    """One from before the record was there, and one of what the redaction left, in the clone of whoever heard late."""
    bob = team["bob"]
    _snapshot(bob, "early")
    record = team.learn(fix=SECRET)
    _snapshot(bob, "holds-it")
    _take_out(team, record, "redact")
    Git(team.folder / "bob")("-c", "pull.rebase=false", "pull", "--quiet", "--no-edit")
    _snapshot(bob, "late")
    bob.sync()
    assert _snapshots(bob) == ["early", "late"]
