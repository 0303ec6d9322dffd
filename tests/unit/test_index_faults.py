"""The index under attack: damage on the disk, killed processes, several at once, and eyes on its files."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.store.index import Entry, Index
from gitmem.store.index_text import frequencies, record_count
from gitmem.store.recall import recall, search

KEY = bytes(range(32))
WEIGHTS = {"pattern": 5.0, "fix": 3.0}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITER = """
import sys
from pathlib import Path
from gitmem.store.index import Entry, Index
index = Index.open(Path(sys.argv[1]), bytes(range(32)))
who, count = sys.argv[2], int(sys.argv[3])
for number in range(count):
    with index.transaction():
        name = f"{who}-{number}"
        index.put([Entry(name, "pattern", "team", name, fields={"pattern": f"zork {who} {number}"})], {"pattern": 1.0})
        index.set_meta(who, str(number + 1))
    print(number, flush=True)
"""


def entry(number: int, text: str = "") -> Entry:
    """A record with words of its own."""
    return Entry(f"p-{number}", "pattern", "team", "x", fields={"pattern": text or f"zork w{number} v{number % 7}", "fix": "f"})


def writer(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    """A process that puts records, one transaction each, and says how far it is."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), who, str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def consistent(index: Index) -> None:
    """The counts are those of the records that are there."""
    total = index.count()
    assert record_count(index.database) == total
    assert frequencies(index.database, ["zork"]).get("zork", 0) == total
    assert len(index.database.execute("SELECT rowid FROM content WHERE content MATCH 'zork'")) == total


def test_no_plaintext_reaches_the_disk(tmp_path: Path) -> None:
    """Not in the database, its log, or any temporary file, while it is open or after."""
    secrets = [b"hunter2secret", b"s3cr3tfixtext", b"taggedsecret"]
    index = Index.open(tmp_path / "index.db", KEY)
    for number in range(300):
        text = f"hunter2secret failed {number} " + "padding words " * 40
        fields = {"pattern": text, "fix": "run s3cr3tfixtext"}
        index.put([Entry(f"p-{number}", "pattern", "t", "x", fields=fields, sets={"tags": ["taggedsecret"]})], WEIGHTS)
    search(index, "hunter2secret padding", None, 10)
    recall(index, "hunter2secret failed 9", 5, {}, NOW)
    contents = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    index.close()
    contents |= {f"closed {file.name}": file.read_bytes() for file in tmp_path.iterdir()}
    assert len(contents["index.db-wal"]) > 100_000
    for name, content in contents.items():
        assert not any(secret in content.lower() for secret in secrets), name
        assert KEY not in content
        assert not content.startswith(b"SQLite format 3")


def test_flipped_bits_never_give_a_wrong_answer(tmp_path: Path) -> None:
    """Each page authenticates: damage is noticed, and the index made anew by the next opening."""
    path = tmp_path / "index.db"
    index = Index.open(path, KEY)
    index.put([entry(number) for number in range(400)], WEIGHTS)
    index.close()
    whole = path.read_bytes()
    draw = random.Random(7)
    noticed = 0
    for _ in range(25):
        damaged = bytearray(whole)
        at = draw.randrange(len(whole))
        damaged[at : at + 8] = os.urandom(8)
        path.write_bytes(damaged)
        noticed += _noticed(path)
        again = Index.open(path, KEY)
        assert again.count() in (0, 400)
        again.close()
    assert noticed >= 15  # a free page or one that no question reads may go unnoticed


def _noticed(path: Path) -> bool:
    """Whether reading everything tells of the damage, and answers what was put where it does not."""
    index = Index.open(path, KEY)
    if index.fresh:
        index.close()
        return True
    told = ""
    try:
        entries = [index.get(f"p-{number}") for number in range(400)]
        found = search(index, "zork w17", None, 5)
        consistent(index)
    except GitmemError as error:
        told = error.message
    if told:
        assert "damaged" in told
        assert not path.exists()
        return True
    assert entries == [entry(number) for number in range(400)]
    assert found[0].entry.id == "p-17"
    index.close()
    return False


def test_a_killed_writer_leaves_whole_transactions(tmp_path: Path) -> None:
    """Whatever the moment of the kill: what was noted and what was put agree, and nothing needs repair."""
    path = tmp_path / "index.db"
    for attempt in range(8):
        who = f"w{attempt}"
        process = writer(path, who, 10_000)
        assert process.stdout
        for _ in range(5 + 7 * attempt):
            process.stdout.readline()
        time.sleep(0.0007 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        index = Index.open(path, KEY)
        assert not index.fresh
        noted = int(index.get_meta(who) or 0)
        assert noted >= 5 + 7 * attempt
        assert index.get(f"{who}-{noted - 1}")
        assert index.get(f"{who}-{noted}") is None
        consistent(index)
        index.close()


def test_several_processes_make_and_fill_one_index(tmp_path: Path) -> None:
    """They start at once, on an index that is not there yet and garbage in its place."""
    path = tmp_path / "index.db"
    path.write_bytes(b"garbage" * 1000)
    processes = [writer(path, f"w{number}", 40) for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    index = Index.open(path, KEY)
    assert index.count() == 160
    assert [index.get_meta(f"w{number}") for number in range(4)] == ["40"] * 4
    consistent(index)
    index.close()


def test_a_reader_sees_whole_transactions(tmp_path: Path) -> None:
    """While another process writes, what is read was true at one moment."""
    path = tmp_path / "index.db"
    Index.open(path, KEY).close()
    process = writer(path, "w", 150)
    index = Index.open(path, KEY)
    while process.poll() is None:
        before = int(index.get_meta("w") or 0)
        count = index.count()
        assert count >= before
    process.communicate()
    assert index.count() == 150
    index.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_told(tmp_path: Path) -> None:
    """No index can be made, and the error says why."""
    folder = tmp_path / "local"
    folder.mkdir(mode=0o500)
    with pytest.raises(GitmemError, match="index"):
        Index.open(folder / "index.db", KEY)
