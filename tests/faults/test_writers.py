"""Many processes at once, and processes killed at any moment: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gitmem.memory.committing.events import read_events
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory, share

HERE = Path(__file__).parent


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A sealed store with one commit."""
    found(tmp_path / "store")
    return tmp_path / "store"


def _shared(store: Path, count: int) -> list[str]:
    with open_memory(store) as memory:
        ids = [memory.learn("pattern", {"pattern": f"shared error {n}", "fix": "restart"}).id for n in range(count)]
        memory.commit()
    return ids


def _events(memory: Memory) -> Counter[tuple[str, str]]:
    """How often the committed batches tell of each (operation, record)."""
    root = memory.context.store.root
    found: Counter[tuple[str, str]] = Counter()
    for file in sorted((root / "log/events").rglob("*.yaml")):
        path = file.relative_to(root).as_posix()
        found.update((event["op"], event["id"]) for event in read_events(memory.context, path, file.read_bytes()))
    return found


def _run(script: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, HERE / script, *map(str, words)], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_many_writers_at_once(store: Path) -> None:
    """Each of forty processes (thorough: a hundred) tries records and learns own and shared ones: counts are exact."""
    processes, times = (40, 3) if EFFORT == 1 else (100, 100)
    shared = _shared(store, 3)
    _run("writers.py", store, processes, times, *shared)
    with open_memory(store) as memory:
        waiting = [memory.get(record).usage for record in shared]
        memory.commit()
        usage = [memory.get(record).usage for record in shared]
        assert usage == waiting
        assert sum(one.fixed for one in usage) == processes * len(range(0, times, 2))
        assert sum(one.failed for one in usage) == processes * len(range(1, times, 2))
        own, everybodys = processes * len(range(0, times, 2)), len(range(1, times, 2))
        assert len(memory.records(limit=1_000_000)) == len(shared) + own + everybodys
        tried = Counter({record: one.fixed + one.failed for record, one in zip(shared, usage, strict=True)})
        assert Counter({record: n for (op, record), n in _events(memory).items() if op == "used"}) == tried
        assert memory.verify().problems == []
    assert Git(store)("status", "--porcelain") == ""


@pytest.mark.parametrize("seed", range(EFFORT))
def test_a_writer_killed_at_any_moment(store: Path, seed: int) -> None:
    """What was acknowledged before the kill is there afterwards, each write once, and the log still verifies."""
    shared = _shared(store, 3)
    told = json.loads(_run("killing.py", store, "-", 12 if EFFORT == 1 else 24, seed, *shared))
    _check(store, shared, told)


@pytest.mark.parametrize("seed", range(EFFORT))
def test_a_writer_killed_while_others_push(store: Path, bare_remote: Path, seed: int) -> None:
    """Killed in fetches, merges and pushes as well, it loses neither its own writes nor the others', and both clones agree."""
    shared = _shared(store, 3)
    share(store, bare_remote)
    other = store.parent / "other"
    clone(str(bare_remote), str(other))
    told = json.loads(_run("killing.py", store, other, 5 if EFFORT == 1 else 40, seed, *shared))
    for path in (store, other, store):
        with open_memory(path) as memory:
            assert memory.sync().problems == []
    for path in (store, other):
        _check(path, shared, told)
    assert Git(store)("rev-parse", "HEAD") == Git(other)("rev-parse", "HEAD")


def _check(store: Path, shared: list[str], told: list[list[str]]) -> None:
    begun, done = ([tuple(words[1:]) for words in told if words[0] == what] for what in ("begun", "done"))
    assert sum(what in ("commit", "sync") for what, _, _ in done) > 3
    with open_memory(store) as memory:
        before = [memory.get(record).usage.fixed for record in shared]
        memory.commit()
        for record, fixed in zip(shared, before, strict=True):
            assert memory.get(record).usage.fixed == fixed
            assert _count(done, "used", record) <= fixed <= _count(begun, "used", record)
        patterns = {record.fields["pattern"]: record for record in memory.records("pattern", limit=1_000_000)}
        assert {f"error {name}" for what, _, name in done if what == "learn"} <= patterns.keys()
        assert patterns.keys() <= {f"error {name}" for what, _, name in begun if what == "learn"} | {
            *(f"shared error {n}" for n in range(3)),
            "the first error",
        }
        _each_once(memory, shared)
        _last_edit_stands(memory, shared, begun, done)
        assert memory.verify().problems == []
    assert Git(store)("status", "--porcelain") == ""
    Git(store)("fsck", "--strict")


def _count(told: list[tuple[str, ...]], what: str, record: str) -> int:
    return sum(one[:2] == (what, record) for one in told)


def _each_once(memory: Memory, shared: list[str]) -> None:
    events = _events(memory)
    for record in shared:
        assert events["used", record] == memory.get(record).usage.fixed
    learned = {record: count for (op, record), count in events.items() if op == "learn"}
    assert set(learned.values()) == {1}


def _last_edit_stands(memory: Memory, shared: list[str], begun: list[tuple[str, ...]], done: list[tuple[str, ...]]) -> None:
    """A record holds the last edit that was acknowledged, or the one that was being made when its writer was killed."""
    for record in shared:
        edits = [name for what, about, name in begun if (what, about) == ("edit", record)]
        acknowledged = [name for what, about, name in done if (what, about) == ("edit", record)]
        if acknowledged:
            possible = edits[edits.index(acknowledged[-1]) :]
            assert memory.get(record).fields["context"] in possible
            assert memory.get(record).conflicts == {}
