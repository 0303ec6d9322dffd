"""What the benchmarks share: stores in temporary places, medians, and one way to print a ratio."""

from __future__ import annotations

import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitmem.crypto.lookup import find_identities
from gitmem.memory.founding.found import init
from gitmem.memory.members.person import Person
from gitmem.memory.memory import Memory
from gitmem.memory.recording.learn import Lesson, learn_all, prepare

CHUNK = 500
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu"]
WORDS = ["".join(parts) for parts in itertools.product(SYLLABLES, repeat=3)]
"""3,375 words without digits, which recall would take for arguments."""


@contextmanager
def place() -> Iterator[Path]:
    """A temporary directory with a home of its own; gitmem's programs are on PATH, the user's git configuration is not."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        here = str(Path(sys.executable).parent)
        os.environ |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join([here, os.environ.get("PATH", os.defpath)]),
        }
        yield Path(folder)


def founded(root: Path) -> Memory:
    """A new, sealed store, open."""
    env = dict(os.environ)
    init(root, Person(find_identities(env=env), env, Path(env["HOME"])), name="bench")
    return Memory.open(root)


def lessons(memory: Memory, count: int, seed: int = 1) -> Iterator[Lesson]:
    """Records that look like real ones: an error of twelve words with a path and a number, a fix, a command, two tags."""
    draw = random.Random(seed)
    for number in range(count):
        words = " ".join(draw.choices(WORDS, k=12))
        fields = {
            "pattern": f"error: {words} at /srv/{draw.choice(WORDS)}/{seed}-{number}.py line {draw.randrange(900)}",
            "fix": " ".join(draw.choices(WORDS, k=14)),
            "commands": [f"{draw.choice(WORDS)} --{draw.choice(WORDS)}"],
        }
        yield prepare(memory.context, "pattern", fields, draw.sample(WORDS, 2))


def fill(memory: Memory, count: int) -> None:
    """Record `count` records and commit them."""
    some: list[Lesson] = []
    for lesson in lessons(memory, count):
        some.append(lesson)
        if len(some) == CHUNK:
            learn_all(memory.context, some)
            some.clear()
    learn_all(memory.context, some)
    memory.commit()


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def in_turn(acts: Iterable[Callable[[], object]], times: int) -> list[float]:
    """The median seconds of each act; they are run in turn, so that a machine that slows down slows all of them."""
    some = list(acts)
    rounds = [[seconds(act) for act in some] for _ in range(times)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def row(name: str, value: float, unit: str, target: str, note: str = "") -> None:
    """Print one result beside what it should be."""
    print(f"{name:46} {value:9.2f} {unit:3}  (wanted {target}){'  ' + note if note else ''}", flush=True)
