"""Many histories on all cores, and making a failing one shorter."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path

from tests.sim.history import History, Templates
from tests.support.runner import Series

_templates: Templates | None = None


def many(start: int, count: int, jobs: int, progress: Path, *, paper: bool, life: bool = False) -> int:
    """Run `count` histories, from the seed `start` on, going on where an interrupted run stopped; 1 if any failed."""
    size = ("" if paper else "--large ") + ("--life " if life else "")
    run = partial(_run, paper=paper, life=life)
    return Series("history", lambda seed: f"python -m tests.sim --seed {seed} {size}-v", _begin, run).many(
        start, count, jobs, progress
    )


def shrink(
    seed: int, actions: int | None, skip: Collection[int], templates: Templates, *, paper: bool, life: bool = False
) -> str:
    """The command that runs a failing history with as few actions as it still fails with."""
    why = History(seed, actions, skip, paper, life=life).run(templates)
    if why is None:
        return f"history {seed} does not fail"
    left_out = set(skip)
    for step in reversed(range(1, (actions or 30) + 1)):
        now = None if step in left_out else History(seed, actions, {*left_out, step}, paper, life=life).run(templates)
        if now is not None and _sort(now) == _sort(why):
            left_out.add(step)
            why = now
    size = ("" if paper else "--large ") + ("--life " if life else "")
    return f"{why}\n    python -m tests.sim --seed {seed} {size}--skip {','.join(map(str, sorted(left_out)))} -v"


def _sort(why: str) -> str:
    """What sort of failure this is: its words, without names and numbers."""
    return " ".join(re.findall(r"(?<![\w/-])[a-z]{3,}(?![\w/-])", why)[:4])


def _begin() -> None:
    global _templates  # noqa: PLW0603 - one set of templates for each worker process
    _templates = Templates()
    multiprocessing.util.Finalize(_templates, _templates.close, exitpriority=1)


def _run(seed: int, paper: bool, life: bool) -> tuple[int, str | None]:
    assert _templates is not None
    return seed, History(seed, paper=paper, life=life).run(_templates)
