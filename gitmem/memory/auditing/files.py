"""The audit log's files in the work tree."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from gitmem.core.auditing.audit import Head, line_hash, place_of, segment_path
from gitmem.core.auditing.parse import is_end
from gitmem.core.record import WRITER
from gitmem.errors import Tampered
from gitmem.store.files import not_regular
from gitmem.store.layout import AUDIT

_FOLDER = re.compile(r"[0-9]{3,}")
_MOST_GAPS: Final = 1000


def heads(root: Path) -> dict[str, Head]:
    """The end of every chain in the work tree of the store at `root`; as a rule that takes reading one file a writer."""
    ends = ((writer, next(ends_of(root, writer), None)) for writer in _writers(root))
    return {writer: end for writer, end in ends if end is not None}


def ends_of(root: Path, writer: str) -> Iterator[Head]:
    """Where the segments of a chain end, the last one first.

    What does not end like a segment is passed over: anybody who can push may have put it there, and it must not keep others
    from going on.
    """
    for number in sorted(_numbers(root, writer), reverse=True):
        path = segment_path(writer, number)
        with suppress(Tampered):
            yield head_in(path, (root / path).read_bytes())


def last_path(root: Path, writer: str) -> str | None:
    """The path of the file with the highest number in a chain, whatever it holds; None for a chain without any."""
    number = max(_numbers(root, writer), default=0)
    return segment_path(writer, number) if number else None


def segment_files(root: Path) -> Iterator[tuple[str, Path]]:
    """(path in the store, file) of all segments in the work tree, by writer and number."""
    for writer in _writers(root):
        for number in sorted(_numbers(root, writer)):
            path = segment_path(writer, number)
            yield path, root / path


def gaps(root: Path, replicas: Collection[str]) -> Iterator[str]:
    """The paths of segments by these replicas that are not in the work tree although later ones of the same writer are.

    Of one writer the first thousand: whoever can push may give a file a number that nobody could count up to.
    """
    for writer in (name for name in _writers(root) if name.rpartition("-")[0] in replicas):
        there = set(_numbers(root, writer))
        missing = (number for number in range(1, max(there, default=0)) if number not in there)
        yield from (segment_path(writer, number) for number in islice(missing, _MOST_GAPS))


def _writers(root: Path) -> list[str]:
    return sorted(name for name in _names(root / AUDIT) if WRITER.fullmatch(name))


def _numbers(root: Path, writer: str) -> Iterator[int]:
    folder = root / AUDIT / writer
    for part in _names(folder):
        if _FOLDER.fullmatch(part):
            names = _names(folder / part, files=True)
            places = (place_of(f"{AUDIT}/{writer}/{part}/{name}") for name in names)
            yield from (place[1] for place in places if place is not None)


def _names(folder: Path, *, files: bool = False) -> list[str]:
    """What a directory holds. Raises InvalidRecord where that is to be `files` and is not: who reads a pipe waits for ever."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_file(follow_symlinks=False)) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    if files and (odd := next((name for name, is_file in found if not is_file), None)):
        raise not_regular(folder / odd)
    return [name for name, _ in found]


def head_in(path: str, data: bytes) -> Head:
    """Where a segment's content ends. Raises Tampered for what does not end like one."""
    line = data.rsplit(b"\n", 3)[-3:-2]
    place = place_of(path)
    try:
        entry = json.loads(line[0])
        seq = entry["seq"]
        digest = line_hash(line[0])
        if place is None or not seq or not is_end([seq, digest]):
            raise ValueError
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Tampered(
            f"{path} does not end like an audit segment", "`gitmem doctor --fix` puts back what HEAD holds"
        ) from None
    return Head(place[0], place[1], seq, digest)
