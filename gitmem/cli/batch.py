"""`gitmem learn --batch`: many records from JSON lines, each accepted or refused by itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from gitmem.cli.inputs import FILE_LIMIT, given
from gitmem.errors import GitmemError, InvalidRecord, NoKey

if TYPE_CHECKING:
    from gitmem.cli.ui import Ui
    from gitmem.memory.context import Context
    from gitmem.memory.recording.learn import Lesson
    from gitmem.memory.reports import Committed
    from gitmem.memory.results import Record

_AT_ONCE: Final = 500
_STEP: Final = 100


@dataclass(slots=True)
class _Batch:
    """What became of each line: its number, and the lesson, the record or the reason it was refused for.

    `kind` and `scope` are for lines that say nothing about theirs.
    """

    kind: str
    scope: str | None
    lessons: dict[int, Lesson] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)


def learn_batch(ui: Ui, name: str, kind: str | None, scope: str | None, *, keep_going: bool) -> None:
    """Check every line, record the good ones if all are good (or if told to keep going), commit, and report line by line.

    Raises InvalidRecord if a line was refused.
    """
    from gitmem.cli.session import opened

    batch = _Batch(kind or "pattern", scope)
    made = None
    with opened(ui) as memory:
        for number, line in _lines(name):
            _check(memory.context, batch, number, line)
        if batch.lessons and (keep_going or not batch.refused):
            _record(memory.context, batch)
            made = memory.commit()
    _report(ui, batch, made)
    if batch.refused:
        raise _refusal(batch)


def _lines(name: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. What exceeds the limit for one record is not kept."""
    with ExitStack() as stack:
        try:
            stream: IO[bytes] = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise GitmemError(f"cannot read {name}: {(error.strerror or str(error)).lower()}", "check the path") from None
        number = 0
        while line := stream.readline(FILE_LIMIT + 1):
            number += 1
            whole = line.endswith(b"\n") or len(line) <= FILE_LIMIT
            while not whole:
                whole = (rest := stream.readline(FILE_LIMIT + 1)).endswith(b"\n") or not rest
            if line.strip():
                yield number, line


def _check(context: Context, batch: _Batch, number: int, line: bytes) -> None:
    from gitmem.memory.recording.learn import prepare

    if number % _STEP == 0:
        context.progress("checking lines", number, 0)
    try:
        one = given(_object(line))
        batch.lessons[number] = prepare(context, one.kind or batch.kind, one.fields, one.tags, one.scope or batch.scope)
    except NoKey:
        raise
    except GitmemError as error:
        batch.refused[number] = error.message


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > FILE_LIMIT:
        raise InvalidRecord(f"the line has more than {FILE_LIMIT:,} bytes")
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise InvalidRecord("the line is nested too deeply") from None
    except UnicodeDecodeError:
        raise InvalidRecord("the line is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidRecord(f"the line is not JSON: {error.msg.lower()} at column {error.colno}") from None
    except ValueError as error:
        raise InvalidRecord(f"the line is not JSON that can be recorded: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRecord("the line is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _record(context: Context, batch: _Batch) -> None:
    """Record in portions, each acknowledged as a whole."""
    from gitmem.memory.backups.snapshots import before
    from gitmem.memory.recording.learn import learn_all

    before(context, "batch learn")
    remaining = iter(batch.lessons.items())
    while portion := list(islice(remaining, _AT_ONCE)):
        records = learn_all(context, [lesson for _, lesson in portion])
        batch.records |= zip((number for number, _ in portion), records, strict=True)
        context.progress("recording", len(batch.records), len(batch.lessons))


def _report(ui: Ui, batch: _Batch, made: Committed | None) -> None:
    """One line for each line of input, in order; a person gets the refused ones and a sum."""
    for number in sorted(batch.records.keys() | batch.refused.keys()):
        record = batch.records.get(number)
        if ui.json:
            ui.line(ui.dumps(_answer(record) if record else {"line": number, "error": batch.refused[number]}))
        elif record is None:
            ui.warn(f"line {number}: {batch.refused[number]}")
        elif not ui.terminal:
            ui.line(f"{record.id}\t{record.kind}\t{'created' if record.created else 'updated'}")
    for left_out in made.skipped if made else ():
        ui.warn(f"left out of the commit: {left_out}")
    from gitmem.cli.redacting import tell
    from gitmem.core.nearest import counted

    tell(ui, [one for record in batch.records.values() for one in record.redacted])
    new = sum(record.created for record in batch.records.values())
    ui.note(f"recorded {counted(len(batch.records), 'line')}: {new:,} new, {len(batch.records) - new:,} known before")


def _answer(record: Record) -> dict[str, Any]:
    from gitmem.cli.redacting import as_json

    return {"id": record.id, "kind": record.kind, "created": record.created, "redacted": as_json(record.redacted)}


def _refusal(batch: _Batch) -> InvalidRecord:
    from gitmem.core.nearest import counted

    count, total = len(batch.refused), len(batch.refused) + len(batch.lessons)
    refused = f"{count:,} of {counted(total, 'line')} {'was' if count == 1 else 'were'} refused"
    if batch.records:
        return InvalidRecord(
            f"{refused}; the others are recorded", "mend them and run it again: what is known already stays one record"
        )
    return InvalidRecord(f"{refused}; nothing was recorded", "mend them, or record the good ones with --keep-going")
