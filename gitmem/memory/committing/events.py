"""Events: what happened, as facts that are never changed; a commit writes them in one sealed batch.

A batch is a small YAML file: a clear header that says whose it is and what span it covers, and the events as JSON lines,
compressed (zstd) and then sealed. In a plain store the payload is compressed and base64.

An event names the write it tells of (`by`, `n`). A clone that was copied with events in its journal commits them, and so does
the original, for neither can know what became of the other; who reads all events meets each once.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gitmem.core.dots import long_hash
from gitmem.core.record import Json
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.context import TEAM, Context
from gitmem.store.files import read_regular
from gitmem.store.layout import EVENTS, events_path

if TYPE_CHECKING:
    from gitmem.store.store import Store

KIND = "events"
MAX_TEXT = 16 << 20
"""Characters of the events in one file; each has at most four bytes."""
_NOTE = "batch"
_NOTHING = '[0, {}, ""]'
_STEM = re.compile(r"([0-9]+)(?:-([0-9]+)-[0-9a-f]{8})?")  # of a batch, and of an archive from one to another
BATCH = "batch"
"""Of an archived event the number of the batch it was in."""
_NAME = ("op", "id", "fixed", "by", "n")


def event_files(context: Context, events: Iterable[Json]) -> dict[str, bytes]:
    """The file that holds `events` (none for no events): path -> content. Called under the store's lock."""
    facts = [event for event in events if isinstance(event, dict)]
    if not facts:
        return {}
    store = context.store
    writer = store.replica.writer
    times = sorted(str(event.get("at", "")) for event in facts)
    month = times[-1][:7]
    path = events_path(writer, month, _next_sequence(context, writer, month))
    scope = _scope(context)
    return {path: batch_file(writer, scope, times, _pack(context, scope, path, facts))}


def batch_file(writer: str, scope: str, times: list[str], payload: str) -> bytes:
    """The content of a batch or an archive whose events, packed in `payload`, happened at `times`."""
    lines = [
        "gitmem: 1",
        f"writer: {writer}",
        f"scope: {scope}",
        f"from: {times[0]}",
        f"to: {times[-1]}",
        f"count: {len(times)}",
        f"payload: {payload}",
    ]
    return ("\n".join(lines) + "\n").encode()


def header_of(data: bytes) -> dict[str, str]:
    """What a batch says in the clear, its payload included. Raises ValueError for what is none."""
    return dict(line.split(": ", 1) for line in data.decode("utf-8").splitlines())


def uncommitted_events(context: Context, head: str | None) -> list[Json]:
    """The journalled events that no commit holds.

    All of them, unless a commit was killed after it was made and before the journal forgot what it holds.
    """
    store = context.store
    noted = _noted(context)
    if not noted or head is None:
        return store.pending.events
    committed = store.repo.ls_tree(head, [store.prefix + path for path in noted])
    counts = (
        count for path, (count, spelled) in noted.items() if store.prefix + path in committed and spelled == _hash(store, count)
    )
    return store.pending.events[max(counts, default=0) :]


def note_batch(context: Context, path: str | None) -> None:
    """Note, durably and before the commit, which file is to hold the events journalled so far."""
    if path is not None:
        count = len(context.store.pending.events)
        noted = _noted(context) | {path: (count, _hash(context.store, count))}
        context.store.marks.set_note(_NOTE, json.dumps([context.store.journal.position[0], noted, path]))


def _hash(store: Store, count: int) -> str:
    """A hash of the first events of the journal: another one may have been put back into its place."""
    return long_hash(json.dumps(store.pending.events[:count], sort_keys=True))


def _noted(context: Context) -> dict[str, tuple[int, str]]:
    """Batch files that were to be committed since the journal began, with how many of its events they tell of, and a hash."""
    number, noted, *_ = json.loads(context.store.marks.note(_NOTE, _NOTHING))
    return (
        {path: (count, spelled) for path, (count, spelled) in noted.items()}
        if number == context.store.journal.position[0]
        else {}
    )


def read_events(context: Context, path: str, data: bytes) -> list[dict[str, Any]]:
    """The events in one batch. Raises NoKey, Tampered, or ValueError for what is no batch."""
    header = header_of(data)
    if not header.keys() >= {"scope", "writer", "payload"}:
        raise ValueError(path)
    payload = header["payload"]
    if payload.startswith("ENC["):
        epoch = payload[4:].partition(",")[0]
        packed = context.store.vault.sealer(header["scope"], KIND, path, epoch).unseal_bytes(
            "payload", header["writer"], payload
        )
    else:
        packed = base64.b64decode(payload, validate=True)
    return [_event(line) for line in _unpacked(packed).splitlines()]


def _unpacked(packed: bytes) -> bytes:
    """What `packed` holds. Raises ValueError for what is not packed by zstd, or would be too large."""
    import zstandard

    most = 4 * MAX_TEXT
    try:
        if zstandard.frame_content_size(packed) > most:  # for which memory would be taken whatever `max_output_size` says
            raise ValueError("a batch of events is too large")
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=most)
    except zstandard.ZstdError as error:
        raise ValueError("a batch of events is not packed by zstd") from error


def _event(line: bytes) -> dict[str, Any]:
    """The event on one line. Raises ValueError for what is none."""
    try:
        event = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(event, dict) or any(isinstance(event.get(part), list | dict) for part in _NAME):
        raise ValueError("not an event")
    return event


def every_event(context: Context) -> Iterator[dict[str, Any]]:
    """The events of all batches in the work tree, each once, batch by batch.

    Those that are sealed to us are passed over, and what is no batch, of which it warns: anybody who can push can put it there.
    """
    told: set[tuple[Any, ...]] = set()
    for _, events in every_batch(context):
        for event in events:
            name = tuple(event.get(part) for part in _NAME)
            if "by" not in event or name not in told:
                told.add(name)
                yield event


def every_batch(
    context: Context, read: Callable[[Context, str, bytes], list[dict[str, Any]]] | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(writer, events) of each batch in the work tree, those in archives as well, and each once.

    `read` reads a file; without one, what is sealed to us has no events, nor has what is no batch, of which it warns.
    """
    root, known = context.store.root, set[tuple[str, str]]()
    for file in sorted((root / EVENTS).rglob("*.yaml")):
        path = file.relative_to(root).as_posix()
        folder, _, name = path.removesuffix(".yaml").rpartition("/")
        batches: dict[str, list[dict[str, Any]]] = {}
        for event in (read or _legible)(context, path, read_regular(file)):
            number = event.pop(BATCH, None)
            batches.setdefault(f"{number:06d}" if isinstance(number, int) else name, []).append(event)
        for batch, events in batches.items():
            if (folder, batch) not in known:
                known.add((folder, batch))
                yield folder.split("/")[-2], events


def _legible(context: Context, path: str, data: bytes) -> list[dict[str, Any]]:
    try:
        return read_events(context, path, data)
    except NoKey:
        return []
    except (GitmemError, ValueError):
        context.warn(f"{path} is no batch of events and was passed over")
        return []


def _scope(context: Context) -> str:
    """Who may read our events: the team, and of a writer without the team's key whoever shares a scope with them."""
    vault = context.store.vault
    return next((scope for scope in (TEAM, *vault.scopes()) if vault.opens(scope)), TEAM)


def _pack(context: Context, scope: str, path: str, facts: list[dict[str, Json]]) -> str:
    import zstandard

    vault, writer = context.store.vault, context.store.replica.writer
    lines = "".join(json.dumps(fact, sort_keys=True, separators=(",", ":")) + "\n" for fact in facts)
    packed = zstandard.ZstdCompressor(level=9).compress(lines.encode())
    if vault.plain:
        return base64.b64encode(packed).decode()
    return vault.sealer(scope, KIND, path, vault.current(scope).epoch).seal_bytes("payload", writer, packed)


def _next_sequence(context: Context, writer: str, month: str) -> int:
    """A number that no batch of the month has had: none in the tree or its archives, nor the last one, which a revert may
    have taken out."""
    folder = context.store.root / EVENTS / writer / month
    _, _, *last = json.loads(context.store.marks.note(_NOTE, _NOTHING))
    files = [*folder.glob("[0-9]*.yaml"), *(path for path in map(context.store.root.joinpath, last) if path.parent == folder)]
    numbers = (match[2] or match[1] for file in files if (match := _STEM.fullmatch(file.stem)))
    return max(map(int, numbers), default=0) + 1
