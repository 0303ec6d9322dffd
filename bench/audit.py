"""What the audit log costs: to verify, against git's own verification of signed commits; to write; and what reads add to git.

python -m bench.audit [--small]
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import accumulate, islice
from pathlib import Path
from unittest.mock import patch

from bench.common import founded, in_turn, lessons, place, row, seconds
from gitmem.core.auditing.audit import Change, Head, build_segment
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.git.objects import Content, Draft, write_commits
from gitmem.memory.auditing import acts
from gitmem.memory.auditing.files import heads
from gitmem.memory.committing import commit, own_log
from gitmem.memory.memory import Memory
from gitmem.memory.recording.learn import Lesson, learn
from gitmem.store.layout import record_path

ENTRIES = 100_000
PER_COMMIT = 10
LEARNED = 50
SIGNED = 40  # commits that git verifies
TIME = "2026-11-20T10:00:00Z"


def main() -> None:
    """Measure and print."""
    small = "--small" in sys.argv
    with place() as folder:
        verification(folder, 3_000 if small else ENTRIES)
        writing(folder, 3 if small else 15)
        reading(folder, 20_000 if small else 1_000_000)


def verification(folder: Path, count: int) -> None:
    """A log of `count` entries, whole and from where the last verification ended, against `git verify-commit`."""
    theirs = seconds_a_commit(folder / "signed", 10 if count < ENTRIES else SIGNED) if shutil.which("ssh-keygen") else None
    with founded(folder / "store") as memory:
        grow(memory, count)
        with Memory.open(folder / "store") as fresh:
            cold = seconds(lambda: sound(fresh))
            cached = seconds(lambda: sound(fresh))
    row(f"verify {count:,} entries, cold", cold, "s", "<= 60 at 100,000")
    if theirs is None:
        print("git verify-commit: not compared, ssh-keygen is not installed")
    else:
        row("git verify-commit / verify, an entry", theirs / (cold / count), "x", ">= 20", f"{theirs * 1e3:.1f} ms a commit")
    row("verify from a cached position", cached, "s", "<= 2 at 100,000")


def writing(folder: Path, times: int) -> None:
    """Learning and committing with the log, and with everything of it left out: entries, chain, signature, file."""
    with founded(folder / "with") as logged, founded(folder / "without") as bare:
        drawn, plain = (lessons(memory, (times + 1) * LEARNED) for memory in (logged, bare))
        ours, theirs = in_turn([lambda: _learn(logged, drawn), lambda: _unlogged(bare, plain)], times)
    row(f"learn {LEARNED} and commit, with / without the log", ours / theirs, "x", "<= 1.25", f"{ours / LEARNED * 1e3:.2f} ms")


def _learn(memory: Memory, drawn: Iterator[Lesson]) -> None:
    for lesson in islice(drawn, LEARNED):
        learn(memory.context, lesson)
    memory.commit()


def _unlogged(memory: Memory, drawn: Iterator[Lesson]) -> None:
    """The same where a commit writes no segment and nothing is worked out for one."""
    no_segment = ("log/none", b"", None, lambda: None)
    with (
        patch.object(commit, "segment_for", lambda *_: no_segment),
        patch.object(commit, "own_chain", lambda _: (None, [])),
        patch.object(own_log, "record_detail", lambda *_, **__: {}),
    ):
        _learn(memory, drawn)


def _note(memory: Memory, reads: list[list[str]]) -> None:
    for some in reads:
        acts.note(memory.context, acts.READ, some)


def reading(folder: Path, count: int) -> None:
    """What reads add to git: ten days, five thousand records of which few are read often, five at a time."""
    draw = random.Random(1)
    names = [f"p-{draw.getrandbits(100):020x}" for _ in range(5_000)]
    often = list(accumulate(1 / (n + 1) for n in range(len(names))))
    with founded(folder / "read") as memory:
        before, took = _objects(memory), 0.0
        for day in range(10):
            memory.context.clock = partial(datetime, 2026, 11, 20 + day, tzinfo=UTC)
            reads = [draw.choices(names, cum_weights=often, k=5) for _ in range(count // 50)]
            took += seconds(partial(_note, memory, reads))
            next_lesson = next(lessons(memory, 1, seed=day))
            learn(memory.context, next_lesson)
            memory.commit()
        grew = (_objects(memory) - before) / 1e6
    row(f"{count:,} reads add to git", grew, "MB", "<= 5 a million", f"{took / count * 1e6:.1f} us a read")


def _objects(memory: Memory) -> int:
    """Bytes of git's objects, packed as a push would."""
    memory.context.store.repo.run("gc", "--quiet", "--prune=now")
    packs = memory.context.store.repo.common_dir / "objects" / "pack"
    return sum(file.stat().st_size for file in packs.glob("*.pack"))


def sound(memory: Memory) -> None:
    """Verify, and find nothing wrong."""
    report = memory.verify()
    assert report.ok, report.problems[:3]


def seconds_a_commit(root: Path, count: int) -> float:
    """How long git takes to verify one commit that is signed with SSH, as members sign here."""
    root.mkdir()
    key = root / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (root / "allowed").write_text(f"bench@example.org {key.with_suffix('.pub').read_text()}")
    git = ["git", "-C", str(root), "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gpg.format=ssh"]
    git += ["-c", f"user.signingKey={key}", "-c", f"gpg.ssh.allowedSignersFile={root / 'allowed'}"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    for number in range(count):
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-S", "-m", str(number)], check=True)
    commits = subprocess.run([*git, "rev-list", "HEAD"], check=True, capture_output=True, text=True).stdout.split()
    verify = [[*git, "verify-commit", commit] for commit in commits]
    return seconds(lambda: [subprocess.run(one, check=True, capture_output=True) for one in verify]) / count


def grow(memory: Memory, count: int) -> None:
    """Add `count` entries to a store by commits of ten: half of them new records, half uses of older ones."""
    store = memory.context.store
    drafts = list(_drafts(memory, count))
    made = write_commits(store.repo, drafts)
    store.repo.run("reset", "--quiet", "--hard", made[-1].commit)


def _drafts(memory: Memory, count: int) -> Iterator[Draft]:
    store = memory.context.store
    key = store.vault.signing_key()
    who = "bench <bench@example.org> 1763632800 +0000"
    head: Head | None = heads(store.root)[store.replica.writer]
    parent, states = store.repo.head() or "", dict[str, State]()
    for number in range(count // PER_COMMIT):
        files: dict[str, Content] = {}
        changes = []
        for path, before, after in _changed(states, number, store.replica.writer):
            states[path], data = after, emit(after)
            old = None if before is None else sha256(emit(before)).hexdigest()
            op = "learn" if before is None else "use"
            changes.append(Change(op, path, old, sha256(data).hexdigest(), record_detail(before, after)))
            files[path] = data
        segment = build_segment(store.id, store.replica.writer, head, "bench", {}, TIME, changes, key.sign, key.public)
        head = segment.head
        files[segment.path] = segment.data
        yield Draft("gitmem: bench", who, who, [parent], changes=files)
        parent = f":{number + 1}"


def _changed(states: dict[str, State], number: int, writer: str) -> Iterator[tuple[str, State | None, State]]:
    """(path, before, after) of what one commit does."""
    known = list(states)[-200:]
    for n in range(PER_COMMIT // 2):
        name = f"p-{sha256(f'{number} {n}'.encode()).hexdigest()[:20]}"
        pen = Pen(State("pattern", 1, "team", name), writer)
        pen.set("fix", lambda _path, _dot: "ENC[1-00000000," + "A" * 120 + "]")
        pen.live()
        yield record_path("team", "pattern", name), None, pen.state
    for path in known[number % 7 :: max(len(known) // (PER_COMMIT // 2), 1)][: PER_COMMIT // 2]:
        after = states[path].copy()
        after.counts = {"fixed": {writer: states[path].counts.get("fixed", {}).get(writer, 0) + 1}}
        yield path, states[path], after


if __name__ == "__main__":
    main()
