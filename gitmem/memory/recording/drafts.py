"""Editing a record as text: what an editor shows, what of it is taken, and what is kept when it cannot be taken yet.

Only what was changed in the text is written, so that an edit which came in meanwhile stands beside it. A text that cannot be
taken is kept for another try: sealed like the record itself, under the git directory, never in the work tree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitmem.core.dots import json_line
from gitmem.core.kinds.schema import Kind
from gitmem.core.record import Json
from gitmem.core.token import epoch_of, is_token
from gitmem.errors import GitmemError
from gitmem.memory.context import Context, kind_of
from gitmem.memory.recording.learn import edit
from gitmem.memory.results import Record
from gitmem.memory.showing import get
from gitmem.memory.typed import read_mapping, write_mapping
from gitmem.store.files import read_bounded, write_atomic

_MAX = 16 << 20
_PLACE = "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as text to be edited, and the values it had when the text was made."""

    record: Record
    text: str
    base: dict[str, Any]
    fresh: bool = True


def begin(context: Context, beginning: str) -> Draft:
    """The record as text. Raises GitmemError if a text of an earlier try is kept."""
    record = get(context, beginning)
    if _file(context, record.id).exists():
        raise GitmemError(
            f"an earlier text of {record.id} is kept", f"gitmem edit {record.id} --continue   (save it empty to drop it)"
        )
    values = _values(context, record)
    return Draft(record, _page(context, record, write_mapping(values)), values)


def resume(context: Context, beginning: str) -> Draft:
    """The text that was kept, with what stands in the record now. Raises GitmemError if none is."""
    record = get(context, beginning)
    data = read_bounded(_file(context, record.id), _MAX)
    if data is None:
        raise GitmemError(f"no text of {record.id} is kept", f"gitmem edit {record.id}")
    kept = json.loads(_unsealed(context, record, data.decode()))
    now = _values(context, record)
    moved = [name for name in sorted(now.keys() | kept["base"].keys()) if _differs(now, kept["base"], name)]
    news = write_mapping({name: now.get(name) for name in moved})
    head = "# Changed in the record since this text was begun (now it is):\n" + _comment(news) if moved else ""
    return Draft(record, head + kept["text"], now, fresh=False)


def take(context: Context, draft: Draft, data: bytes) -> Record | None:
    """Write what was changed in the text; None if nothing was, or all of it was deleted.

    Raises InvalidRecord for what is no record of the kind, GitmemError if a field that was changed here has changed meanwhile.
    """
    if (draft.fresh and data == draft.text.encode()) or _empty(data):
        return None
    values = {name: value for name, value in read_mapping(data, "the text").items() if value is not None}
    kind = kind_of(context, draft.record)
    kind.validate({name: value for name, value in values.items() if name not in draft.base or _is_known(kind, name)})
    now = _values(context, get(context, draft.record.id))
    changed = _changes(kind, draft, values, now)
    return edit(context, draft.record.id, changed) if changed else None


def keep(context: Context, draft: Draft, data: bytes) -> None:
    """Keep a text for another try, sealed."""
    payload = json.dumps({"text": data.decode("utf-8", "replace"), "base": draft.base})
    file = _file(context, draft.record.id)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomic(file, _sealed(context, draft.record, payload).encode(), mode=0o600, durable=True)


def discard(context: Context, draft: Draft) -> None:
    """Drop the text that is kept, if one is."""
    _file(context, draft.record.id).unlink(missing_ok=True)


def _values(context: Context, record: Record) -> dict[str, Any]:
    """Fields and sets together, in the order of the schema."""
    kind = kind_of(context, record)
    values = {**record.fields, **record.sets}
    order = [name for name in kind.schema["properties"] if name in values]
    return {name: values[name] for name in [*order, *(values.keys() - set(order))]}


def _page(context: Context, record: Record, text: str) -> str:
    kind = kind_of(context, record)
    others = [name for name in kind.fields if name.partition(".")[0] not in {*record.fields, *record.sets}]
    head = [
        f"{record.id}: {record.kind}, {record.scope}. Save it to take what you changed; leave it as it is to change nothing.",
        f"It may also have: {', '.join(others)}" if others else "",
    ]
    for name, values in record.conflicts.items():
        head.append(
            f"{name} has {len(values)} values that wait for a choice; change it here, or: gitmem resolve {record.id} {name}"
        )
        head += [f"  {v.dot} by {v.by or 'somebody'}: {json.dumps(v.value, ensure_ascii=False)}" for v in values]
    return _comment("\n".join(filter(None, head))) + text


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def _empty(data: bytes) -> bool:
    return all(not line.strip() or line.lstrip().startswith(b"#") for line in data.splitlines())


def _changes(kind: Kind, draft: Draft, values: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What differs between the text and what it was made from, as `edit` takes it."""
    old_fields, old_sets = kind.split(draft.base)
    new_fields, new_sets = kind.split(values)
    now_fields, now_sets = kind.split(now)
    changed: dict[str, Any] = {}
    for name in old_fields.keys() | new_fields.keys():
        if _differs(old_fields, new_fields, name):
            if _differs(old_fields, now_fields, name) and _differs(new_fields, now_fields, name):
                raise GitmemError(f"{name!r} was changed by somebody else meanwhile", "look at both, and decide")
            changed[name] = new_fields.get(name)
    for name in old_sets.keys() | new_sets.keys():
        if _differs(old_sets, new_sets, name):
            changed[name] = _merged(old_sets.get(name, []), new_sets.get(name, []), now_sets.get(name, []))
    return changed


def _merged(old: list[Json], new: list[Json], now: list[Json]) -> list[Json]:
    """The elements there are now, without those the editor took out, with those it put in."""
    was, wanted = set(map(json_line, old)), set(map(json_line, new))
    kept = [value for value in now if json_line(value) not in was - wanted]
    there = set(map(json_line, kept))
    return kept + [value for value in new if json_line(value) not in was | there]


def _differs(a: Mapping[str, Any], b: Mapping[str, Any], name: str) -> bool:
    return (name in a) != (name in b) or (name in a and json_line(a[name]) != json_line(b[name]))


def _is_known(kind: Kind, name: str) -> bool:
    """Whether the schema knows a top-level name; what a newer one wrote is left as it is."""
    return name in kind.schema["properties"]


def _file(context: Context, record_id: str) -> Path:
    return context.store.local / "drafts" / record_id


def _sealed(context: Context, record: Record, payload: str) -> str:
    vault = context.store.vault
    if vault.plain:
        return payload
    sealer = vault.sealer(record.scope, record.kind, record.id, vault.current(record.scope).epoch)
    return sealer.seal_bytes(_PLACE, _PLACE, payload.encode())


def _unsealed(context: Context, record: Record, stored: str) -> str:
    if not is_token(stored):
        return stored
    sealer = context.store.vault.sealer(record.scope, record.kind, record.id, epoch_of(stored))
    return sealer.unseal_bytes(_PLACE, _PLACE, stored).decode()
