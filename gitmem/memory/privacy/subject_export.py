"""All that a store holds about one person, as an archive that they can read without gitmem."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from gitmem.core.record import MAX_BYTES
from gitmem.core.subject import Subject
from gitmem.errors import GitmemError, NoKey, UsageError
from gitmem.memory.auditing import acts
from gitmem.memory.committing.events import every_event
from gitmem.memory.context import Context, kind_to_show
from gitmem.memory.members.folded import segments_here
from gitmem.memory.privacy.subjects import Findings, Mention, find, notes
from gitmem.memory.typed import write_mapping
from gitmem.memory.view import record_of
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import member_path
from gitmem.store.opened import open_state

_ARCHIVE = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class SubjectExport:
    """What an export wrote, and where; `notes` say what was out of reach."""

    path: str
    records: int
    earlier: int
    events: int
    entries: int
    commits: int
    notes: list[str] = field(default_factory=list)


def export_subject(context: Context, names: Sequence[str], target: Path) -> SubjectExport:
    """Write all about a person under one of these names to a new directory, or to a new file whose name ends in .tar.gz.

    Nothing in the store is changed. Raises UsageError if `target` is there already.
    """
    subject = Subject(names)
    if target.exists():
        raise UsageError(f"{target} is there already", "name a directory or a .tar.gz that is not")
    context.store.refresh()
    found = find(context, subject)
    events, entries = _events(context, found), list(_entries(context, subject, found))
    earlier = [{"record": one.id, "register": s.register, "value": s.value} for one in _sorted(found) for s in one.past]
    report = SubjectExport(
        str(target),
        sum(bool(one.now) for one in _sorted(found)),
        len(earlier),
        len(events),
        len(entries),
        len(found.commits),
        notes(found),
    )
    commits = [dict(zip(("commit", "time", "author", "committer"), one, strict=True)) for one in found.commits]
    files = {f"records/{one.id}.yaml": _record(context, one) for one in _sorted(found) if one.now and one.state}
    for name, lines in (("earlier", earlier), ("events", events), ("log", entries), ("commits", commits)):
        files |= {f"{name}.jsonl": _lines(lines)} if lines else {}
    for name in found.members:
        files[f"members/{name}.yaml"] = read_bounded(inside(context.store.root, member_path(name)), MAX_BYTES) or b""
    files["README.md"] = _readme(context, subject, report).encode()
    _write(target, files)
    acts.note(context, acts.EXPORT, ["subject"])
    return report


def _sorted(found: Findings) -> list[Mention]:
    return [found.mentions[path] for path in sorted(found.mentions)]


def _record(context: Context, one: Mention) -> bytes:
    assert one.state is not None  # noqa: S101 (the caller looked)
    record = record_of(open_state(context.store.vault, one.state), kind_to_show(context, one.state))
    about = {"id": record.id, "kind": record.kind, "scope": record.scope, "forgotten": not record.alive}
    named = {"mentions": sorted({said.register.split("/")[1] for said in one.now})}
    conflicts = {name: [value.value for value in values] for name, values in record.conflicts.items()}
    values: dict[str, Any] = about | named | {"fields": record.fields, "sets": record.sets, "concurrent": conflicts}
    return write_mapping({name: value for name, value in values.items() if value not in ({}, [])}).encode()


def _events(context: Context, found: Findings) -> list[dict[str, Any]]:
    """What the person did as a member: every event that one of their clones tells of."""
    events: list[dict[str, Any]] = []
    if found.writers:
        with suppress(NoKey):
            events = [event for event in every_event(context) if event.get("by") in found.writers]
    return events


def _entries(context: Context, subject: Subject, found: Findings) -> Iterable[dict[str, Any]]:
    """The entries of the log that they signed, or that name them."""
    for segment in segments_here(context):
        for entry in segment.entries:
            if entry.subject in found.members or subject.is_named_in(entry.detail) or subject.is_named_in(entry.object):
                yield asdict(entry)


def _lines(values: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n" for value in values).encode()


_FILES = """\
- `records/<id>.yaml`: the records that mention you as they stand, with the fields that do
- `earlier.jsonl`: values that mention you in earlier versions of records
- `members/<name>.yaml`: your membership: role, keys, clones
- `events.jsonl`: what your clones reported: uses of records, with times
- `log.jsonl`: entries of the audit log that you signed or that name you
- `commits.jsonl`: commits of git that name you as author or committer
"""


def _readme(context: Context, subject: Subject, report: SubjectExport) -> str:
    names = ", ".join(subject.names)
    beyond = "".join(f"- {note}\n" for note in report.notes)
    return (
        f"# What the store {context.store.id} holds about {names}\n\n"
        f"Written {context.now()} by gitmem. A file that is not here has nothing to tell.\n\n{_FILES}\n"
        f"{report.records} records, {report.earlier} earlier values, {report.events} events, {report.entries} log entries, "
        f"{report.commits} commits.\n\n"
        "## What was not looked at\n\n"
        "- other stores, backups, and what people and agents have read or copied\n"
        f"- placeholders such as `<email:1>`, which cannot be told apart from others\n{beyond}"
    )


def _write(target: Path, files: dict[str, bytes]) -> None:
    if target.name.endswith(_ARCHIVE):
        write_atomic(target, _packed(target.name.partition(".")[0], files), mode=0o600)
        return
    try:
        target.mkdir(mode=0o700)
    except OSError as error:
        raise GitmemError(f"cannot make {target}: {error.strerror}", "name another place") from None
    for name, data in files.items():
        (target / name).parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(target / name, data, mode=0o600)


def _packed(top: str, files: dict[str, bytes]) -> bytes:
    import tarfile

    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mode = len(data), 0o600
            archive.addfile(info, BytesIO(data))
    return buffer.getvalue()
