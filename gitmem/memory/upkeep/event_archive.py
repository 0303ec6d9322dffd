"""Archiving events: the many small batches of a writer's month become one file, compressed as one.

Events are facts that only accumulate, and stay so: an archive says of each event which batch it was in, and whoever
reads events meets each batch once, in an archive or by itself. So nothing is lost or counted twice where an older clone brings
batches back, or two replicas archive the same month. An archive is named after its content, and is sealed so that the same
content gives the same bytes; the log says who made it, and that the batches go.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from gitmem.core.codec import is_time
from gitmem.core.dots import short_hash
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.backups import snapshots
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.events import BATCH, KIND, MAX_TEXT, batch_file, header_of, read_events
from gitmem.memory.configuration import number
from gitmem.memory.context import Context
from gitmem.store.files import read_regular
from gitmem.store.layout import EVENTS

ARCHIVE: Final = "archive"
DAYS: Final = "archive.days"
_LEVEL: Final = 19  # of zstd: done once, read for ever


class _Batch(NamedTuple):
    path: str
    number: int
    scope: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What was archived (or, when `dry_run`, would be): batches into archives, bytes before and after, and what was left."""

    dry_run: bool
    batches: int
    archives: int
    before: int
    after: int
    commit: str | None = None
    problems: list[str] = field(default_factory=list)


def archive_events(context: Context, *, dry_run: bool = False) -> ArchiveReport:
    """Archive every month that ended as many days ago as `archive.days` says, in one commit after a snapshot.

    Nothing is changed with `dry_run`. Batches that are sealed to us stay. Raises GitmemError as `commit` does.
    """
    store = context.store
    with store.lock:
        store.refresh()
        if not dry_run:
            commit(context)
        problems: list[str] = []
        made = [one for some in _months(context) if (one := _archive(context, some, problems))]
        going = [batch for _, _, some in made for batch in some]
        before, after = sum(len(batch.data) for batch in going), sum(len(data) for _, data, _ in made)
        done = None
        if made and not dry_run:
            snapshots.before(context, "archive")
            extras = [Extra(path, data, ARCHIVE) for path, data, _ in made]
            gone = [Extra(batch.path, None, ARCHIVE, {"into": path}) for path, _, some in made for batch in some]
            done = commit(context, f"gitmem: archived {len(going):,} batches of events", [*extras, *gone])
    return ArchiveReport(dry_run, len(going), len(made), before, after, done.commit if done else None, problems)


def _months(context: Context) -> Iterator[list[_Batch]]:
    """The batches of each writer, month and scope that are old enough, where there are several."""
    days = number(context, DAYS)
    cutoff = (context.clock() - timedelta(days=days)).strftime("%Y-%m")
    root = context.store.root
    for folder in sorted((root / EVENTS).glob("*/*")) if days else ():
        if folder.name >= cutoff:
            continue
        by_scope: dict[str, list[_Batch]] = defaultdict(list)
        for file in sorted(folder.glob("*.yaml")):
            if file.stem.isdigit() and (batch := _batch(root, file)):
                by_scope[batch.scope].append(batch)
        yield from (some for some in by_scope.values() if len(some) > 1)


def _batch(root: Path, file: Path) -> _Batch | None:
    """The batch in a file; None for what is none, of which `gitmem audit verify` tells."""
    data = read_regular(file)
    try:
        return _Batch(file.relative_to(root).as_posix(), int(file.stem), header_of(data)["scope"], data)
    except (ValueError, KeyError):
        return None


def _archive(context: Context, some: list[_Batch], problems: list[str]) -> tuple[str, bytes, list[_Batch]] | None:
    """(path, content, batches) of the archive that some batches become; None where it would not be smaller."""
    folder, _, _ = some[0].path.rpartition("/")
    try:
        events = [event | {BATCH: one.number} for one in some for event in read_events(context, one.path, one.data)]
        times = sorted(_time(event) for event in events)
        made = _sealed(context, folder, some, [json.dumps(event, sort_keys=True, separators=(",", ":")) for event in events])
    except NoKey:
        return None
    except (GitmemError, ValueError) as error:
        problems.append(
            f"{folder} was left as it is: {error.message if isinstance(error, GitmemError) else 'it holds no batch'}"
        )
        return None
    path, payload = made
    data = batch_file(folder.split("/")[-2], some[0].scope, times, payload)
    return (path, data, some) if len(data) < sum(len(one.data) for one in some) else None


def _time(event: dict[str, Any]) -> str:
    """When an event was. Raises ValueError where it does not say: the archive's header does, in the clear."""
    at = event.get("at")
    if not isinstance(at, str) or not is_time(at):
        raise ValueError
    return at


def _sealed(context: Context, folder: str, some: list[_Batch], lines: list[str]) -> tuple[str, str]:
    """(path, payload) of the archive that holds these lines."""
    import zstandard

    text = "".join(f"{line}\n" for line in lines)
    if len(text) > MAX_TEXT:
        raise GitmemError(f"its events have more than {MAX_TEXT:,} characters")
    path = f"{folder}/{some[0].number:06d}-{some[-1].number:06d}-{short_hash(text)}.yaml"
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(text.encode())
    vault, writer = context.store.vault, folder.split("/")[-2]
    if vault.plain:
        return path, base64.b64encode(packed).decode()
    scope = some[0].scope
    return path, vault.sealer(scope, KIND, path, vault.current(scope).epoch).seal_bytes_alike("payload", writer, packed)
