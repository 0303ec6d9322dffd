"""Many histories on all cores, and making a failing one shorter."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

from tests.sim.history import History, Templates

_templates: Templates | None = None


def many(start: int, count: int, jobs: int, progress: Path, *, paper: bool) -> int:
    """Run the histories `start` to `count`, going on where an interrupted run stopped; 1 if any failed."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    done, failed = _resume(progress, start)
    size = "" if paper else "--large "
    began, first = time.monotonic(), done
    if done > start:
        print(f"going on after history {done - 1}")  # noqa: T201
    with multiprocessing.Pool(jobs, _begin, maxtasksperchild=None) as pool:
        for seed, why in pool.imap(partial(_run, paper=paper), range(done, count + 1)):
            if why is not None:
                failed.append(seed)
                print(f"history {seed} failed: {why}\n    python -m tests.sim --seed {seed} {size}-v", flush=True)  # noqa: T201
            progress.write_text(f"{seed + 1} {' '.join(map(str, failed))}\n")
            if seed % 100 == 0:
                pace = (time.monotonic() - began) / (seed + 1 - first)
                print(f"{seed} of {count}, {len(failed)} failed, {pace:.2f} s each", flush=True)  # noqa: T201
        pool.close()
        pool.join()
    progress.unlink(missing_ok=True)
    print(f"{count - start + 1} histories, {len(failed)} failed{': ' if failed else ''}{' '.join(map(str, failed))}")  # noqa: T201
    return int(bool(failed))


def shrink(seed: int, actions: int | None, skip: Collection[int], templates: Templates, *, paper: bool) -> str:
    """The command that runs a failing history with as few actions as it still fails with."""
    why = History(seed, actions, skip, paper).run(templates)
    if why is None:
        return f"history {seed} does not fail"
    left_out = set(skip)
    for step in reversed(range(1, (actions or 30) + 1)):
        now = None if step in left_out else History(seed, actions, {*left_out, step}, paper).run(templates)
        if now is not None and _sort(now) == _sort(why):
            left_out.add(step)
            why = now
    size = "" if paper else "--large "
    return f"{why}\n    python -m tests.sim --seed {seed} {size}--skip {','.join(map(str, sorted(left_out)))} -v"


def _sort(why: str) -> str:
    """What sort of failure this is: its words, without names and numbers."""
    return " ".join(re.findall(r"(?<![\w/-])[a-z]{3,}(?![\w/-])", why)[:4])


def _resume(progress: Path, start: int) -> tuple[int, list[int]]:
    try:
        words = [int(word) for word in progress.read_text().split()]
    except FileNotFoundError:
        return start, []
    return (words[0], words[1:]) if words and words[0] >= start else (start, [])


def _begin() -> None:
    global _templates  # noqa: PLW0603 - one set of templates for each worker process
    _templates = Templates()
    multiprocessing.util.Finalize(_templates, _templates.close, exitpriority=1)


def _run(seed: int, paper: bool) -> tuple[int, str | None]:
    assert _templates is not None
    return seed, History(seed, paper=paper).run(_templates)
