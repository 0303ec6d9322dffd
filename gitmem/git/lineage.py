"""What each commit of a range made of some paths, held against every one of its parents.

Two git processes, whatever the number of commits. Replacement refs are not followed: what counts is what was really committed.
In a shallow clone a commit whose parents are not there has none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from gitmem.errors import GitmemError
from gitmem.git.repo import ABSENT_MODE, Entry, Repo


class Step(NamedTuple):
    """One path that a commit holds otherwise than some parent: what it holds (None: nothing), and what each parent held."""

    commit: str
    path: str
    new: Entry | None
    olds: tuple[Entry | None, ...]


def walk(repo: Repo, head: str, since: str | None, paths: Sequence[str]) -> Iterator[Step]:
    """The steps of the commits that `head` reaches and `since` does not (None, or not there any more: all), parents first.

    Only paths at or below one of `paths`. A commit without parents is held against nothing.
    """
    args = ("rev-list", "--topo-order", "--reverse", "--parents", "--ignore-missing", head, *([f"^{since}"] if since else []))
    lines = repo.run("--no-replace-objects", *args, "--").decode().splitlines()
    pairs = [(commit, parent) for commit, *parents in map(str.split, lines) for parent in parents or [""]]
    if not pairs:
        return
    diff = ("diff-tree", "--stdin", "--always", "-r", "--root", "-z", "--raw", "--no-renames", "--no-abbrev", "--", *paths)
    asked = "".join(f"{commit} {parent}\n" for commit, parent in pairs).encode()
    differences = [*_differences(os.fsdecode(repo.run("--no-replace-objects", *diff, input=asked)).split("\0")[:-1])]
    if len(differences) != len(pairs):
        raise GitmemError("git's commit-graph tells of commits that git does not have", "gitmem doctor --fix")
    for commit, several in groupby(zip(pairs, differences, strict=True), key=lambda one: one[0][0]):
        yield from _steps(commit, [found for _, found in several])


def _differences(fields: list[str]) -> Iterator[dict[str, tuple[Entry | None, Entry | None]]]:
    """For each pair asked for the paths that differ, with (old, new): `commit NUL (:meta NUL path NUL)…`, git-diff-tree(1)."""
    found: dict[str, tuple[Entry | None, Entry | None]] | None = None
    rest = iter(fields)
    for text in rest:
        if text.startswith(":"):
            old_mode, new_mode, old, new, _ = text[1:].split(" ")
            assert found is not None  # noqa: S101 (a commit's line comes first)
            found[next(rest)] = (_entry(old_mode, old), _entry(new_mode, new))
            continue
        if found is not None:
            yield found
        found = {}
    if found is not None:
        yield found


def _entry(mode: str, object_id: str) -> Entry | None:
    return None if mode == ABSENT_MODE else Entry(mode, object_id)


def _steps(commit: str, by_parent: list[dict[str, tuple[Entry | None, Entry | None]]]) -> Iterator[Step]:
    """One step a path; a parent in whose difference it is not listed holds what the commit holds."""
    new = {path: after for found in by_parent for path, (_, after) in found.items()}
    for path, after in new.items():
        olds = tuple(found[path][0] if path in found else after for found in by_parent)
        yield Step(commit, path, after, olds)
