"""Recording: learn, edit, resolve, keep and forget. Each is one acknowledged write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as but_with
from typing import Any

from gitmem.core.dots import dot_of, json_line
from gitmem.core.edit import Pen, sealed_by
from gitmem.core.ids import element_key, identity_id, random_id
from gitmem.core.kinds.schema import Kind
from gitmem.core.record import Json, State
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.memory.context import Context, kind_of, kind_to_show
from gitmem.memory.locate import gone, locate
from gitmem.memory.members.own_role import need_role
from gitmem.memory.members.scopes import check_scope, default_scope
from gitmem.memory.privacy.redaction import redacted
from gitmem.memory.results import Record, Redaction
from gitmem.memory.upkeep.migrating import upgraded, worked_out
from gitmem.memory.view import record_of
from gitmem.store.kinds import check_pattern
from gitmem.store.layout import id_at, record_path
from gitmem.store.opened import Opened, open_state
from gitmem.store.store import Write


@dataclass(frozen=True, slots=True)
class Lesson:
    """Validated input of one `learn`: where the record belongs and the registers it sets."""

    kind: Kind
    scope: str
    id: str
    fields: dict[str, Json]
    sets: dict[str, list[Json]]
    redacted: tuple[Redaction, ...] = ()

    @property
    def path(self) -> str:
        """The path of the record."""
        return record_path(self.scope, self.kind.name, self.id)


def prepare(
    context: Context, kind: str, values: Mapping[str, Any], tags: Iterable[str] = (), scope: str | None = None
) -> Lesson:
    """Redact and check the input of a `learn`, touching nothing; but an agent's first record makes the agent's own scope.

    Raises InvalidRecord, NoKey, UsageError.
    """
    need_role(context)
    named = default_scope(context) if scope is None else check_scope(scope)
    schema = context.kinds.get(kind)
    values = dict(values)
    if isinstance(tags, str):  # its letters would be the tags
        raise InvalidRecord("tags must be a list, not text", f'such as tags=["{tags[:40]}"]')
    extra = list(tags)
    if extra:
        values["tags"] = [*_listed(values.get("tags")), *extra]
    values, found = redacted(context, schema, values)
    schema.validate(values)
    check_pattern(schema, values)
    fields, sets = schema.split(values)
    if scope is None and context.agent:
        from gitmem.memory.members.granting import make_own

        make_own(context, named)
    return Lesson(schema, named, _id_for(context, schema, named, values), fields, sets, found)


def learn(context: Context, lesson: Lesson) -> Record:
    """Record one lesson; what is known already is updated. Acknowledged: on the disk when this returns."""
    return learn_all(context, [lesson])[0]


def learn_all(context: Context, lessons: Iterable[Lesson]) -> list[Record]:
    """Record several lessons with one acknowledgement for all."""
    store = context.store
    with store.lock:
        store.refresh()
        written: dict[str, Write] = {}
        states: list[tuple[State, Lesson, bool]] = []
        for lesson in lessons:
            earlier = written.get(lesson.path)
            current = earlier.state if earlier else store.read(lesson.path)
            state, created = _taught(context, lesson, current)
            if current is None or state != current:
                written[lesson.path] = Write(lesson.path, state, events=[_event(context, "learn", state)])
            states.append((state, lesson, created))
        store.write(written.values())
    for path in written:
        context.paths[id_at(path)] = path
    return [
        but_with(record_of(open_state(store.vault, state), lesson.kind, created=created), redacted=lesson.redacted)
        for state, lesson, created in states
    ]


def edit(context: Context, beginning: str, values: Mapping[str, Any], *, replace: bool = False) -> Record:
    """Change fields of a record: None removes one, dotted names reach into nested ones, `replace` drops what is not named.

    A field that is written stands as written: concurrent values it had are resolved by it.
    """
    store, path = context.store, locate(context, beginning)
    with store.lock:
        store.refresh()
        state = upgraded(context, _open(context, path)[0])
        opened, kind = open_state(store.vault, state), kind_of(context, state)
        old = kind.join(opened.fields, opened.sets)
        staying = {} if replace else {name: value for name, value in opened.fields.items() if not _is_among(set(values), name)}
        values, found = redacted(context, kind, values, staying.values())
        new = _changed({} if replace else old, values)
        touched = set(new) | (old.keys() & kind.schema["properties"]) if replace else set(values)
        checked = _checked(kind, state, new, touched)
        pen = Pen(state, store.writer_for(path, state))
        bring_back(context, pen, opened)
        _rewrite(context, pen, opened, kind.split(checked), touched)
        pen.state = worked_out(context, pen.state)
        if pen.state != state:
            _finish(context, pen, path, "edit")
        return but_with(record_of(open_state(store.vault, pen.state), kind), redacted=found)


def resolve(context: Context, beginning: str, field: str, pick: str | None = None, value: Json = None) -> Record:
    """Settle one field with the value written as dot `pick`, or with a new `value`."""
    store, path = context.store, locate(context, beginning)
    with store.lock:
        store.refresh()
        state, opened, kind = _open(context, path)
        if field not in opened.conflicts:
            some = ", ".join(sorted(opened.conflicts)) or "none"
            raise GitmemError(f"{state.id} has no concurrent values in {field!r} (in conflict: {some})", "`gitmem conflicts`")
        found: tuple[Redaction, ...] = ()
        if pick is not None:
            value = _picked(opened, field, pick)
        else:
            staying = [other for name, other in opened.fields.items() if name != field]
            written, found = redacted(context, kind, {field: value}, staying)
            value = written[field]
        values = kind.join({**opened.fields, field: value}, opened.sets)
        _checked(kind, state, values, set() if pick else {field})
        pen = Pen(state, store.writer_for(path, state))
        seal = store.sealing(state)
        pen.set(field, sealed_by(seal, value))
        _finish(context, pen, path, "resolve")
        return but_with(record_of(open_state(store.vault, pen.state), kind), redacted=found)


def keep(context: Context, beginning: str) -> Record:
    """Settle a deletion that crossed somebody's edit: the record stands. `forget` settles it the other way."""
    store, path = context.store, locate(context, beginning)
    with store.lock:
        store.refresh()
        state, _, kind = _open(context, path)
        if not state.contested:
            raise GitmemError(f"nobody's deletion of {state.id} waits for a choice", "`gitmem conflicts`")
        pen = Pen(state, store.writer_for(path, state))
        _finish(context, pen, path, "resolve")
        return record_of(open_state(store.vault, pen.state), kind)


def forget(context: Context, beginning: str) -> Record:
    """Delete a record: its tombstone stays until `gc`, and a concurrent edit elsewhere keeps it alive."""
    store, path = context.store, locate(context, beginning)
    with store.lock:
        store.refresh()
        state, _, kind = _open(context, path)
        if not state.alive:
            raise GitmemError(f"{state.id} is forgotten already", "`gitmem list` shows the records that stand")
        pen = Pen(state, store.writer_for(path, state))
        pen.die()
        pen.touch("changed", context.now())
        store.write([Write(path, pen.state, events=[_event(context, "forget", pen.state)])])
        return record_of(open_state(store.vault, pen.state), kind)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _id_for(context: Context, kind: Kind, scope: str, values: dict[str, Any]) -> str:
    identity = kind.identity(values)
    if identity is None:
        return random_id(kind.prefix, int(context.clock().timestamp() * 1000), context.entropy(10))
    return identity_id(kind.prefix, context.store.vault.id_key(scope), kind.name, identity)


def _taught(context: Context, lesson: Lesson, current: State | None) -> tuple[State, bool]:
    store = context.store
    created = current is None or not current.alive
    current = current or store.graves.of(lesson.path)  # so that whoever learns it again has seen the deletion
    state = current or State(lesson.kind.name, lesson.kind.version, lesson.scope, lesson.id)
    pen = Pen(state, store.writer_for(lesson.path, current))
    opened = open_state(store.vault, state)
    bring_back(context, pen, opened)
    _write_fields(context, pen, opened, lesson.fields)
    _add_elements(context, pen, lesson.sets)
    if not created and pen.state == state:
        return state, False
    pen.state.schema = max(pen.state.schema, lesson.kind.version)
    pen.live()
    pen.state = worked_out(context, pen.state)
    pen.touch("changed", context.now())
    return pen.state, created


def bring_back(context: Context, pen: Pen, opened: Opened) -> None:
    """Write the values of a deleted record anew: a `gc` has collected them, or may just be doing so elsewhere."""
    if pen.state.alive:
        return
    seal = context.store.sealing(pen.state)
    for name in opened.fields.keys() - opened.conflicts.keys():
        pen.set(name, sealed_by(seal, opened.fields[name]))
    for name in opened.sets:
        for key in [*pen.state.sets.get(name, {})]:
            pen.drop(name, key)
    _add_elements(context, pen, opened.sets)


def _rewrite(
    context: Context,
    pen: Pen,
    opened: Opened,
    new: tuple[dict[str, Json], dict[str, list[Json]]],
    touched: set[str],
) -> None:
    """Bring the touched fields of a record to what `new` says, and leave the others (and their siblings) alone."""
    fields, sets = new
    for name in opened.fields:
        if name not in fields and _is_among(touched, name):
            pen.unset(name)
    _write_fields(context, pen, opened, {name: value for name, value in fields.items() if _is_among(touched, name)})
    wanted = {name: values for name, values in sets.items() if name in touched}
    for name in touched & pen.state.sets.keys():
        keep = {_element_key(context, pen.state, name, value) for value in wanted.get(name, [])}
        for key in [key for key in pen.state.sets[name] if key not in keep]:
            pen.drop(name, key)
    _add_elements(context, pen, wanted)


def _is_among(touched: set[str], name: str) -> bool:
    """Whether a register is one of those named, inside one, or holds one: `problem.message`, `problem`, `context.tool`."""
    return any(name == each or name.startswith(f"{each}.") or each.startswith(f"{name}.") for each in touched)


def _write_fields(context: Context, pen: Pen, opened: Opened, fields: Mapping[str, Json]) -> None:
    seal = context.store.sealing(pen.state)
    for name, value in fields.items():
        same = name in opened.fields and name not in opened.conflicts and json_line(opened.fields[name]) == json_line(value)
        if not same:
            pen.set(name, sealed_by(seal, value))


def _add_elements(context: Context, pen: Pen, sets: Mapping[str, list[Json]]) -> None:
    seal = context.store.sealing(pen.state)
    for name, values in sets.items():
        for value in values:
            pen.add(name, _element_key(context, pen.state, name, value), sealed_by(seal, value))


def _element_key(context: Context, state: State, name: str, value: Json) -> str:
    return element_key(context.store.vault.id_key(state.scope), f"{state.id}/{name}", value)


def _open(context: Context, path: str) -> tuple[State, Opened, Kind]:
    need_role(context)
    state = context.store.read(path)
    if state is None:
        raise gone(context, path)
    return state, open_state(context.store.vault, state), kind_to_show(context, state)


def _changed(old: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """`old` with `values` on top; a dotted name reaches into an object, None takes away."""
    new = dict(old)
    for name, value in values.items():
        head, _, rest = name.partition(".")
        if rest and isinstance(new.get(head, {}), dict):
            inner = _changed(new.get(head, {}), {rest: value})
            new[head] = inner or None
        else:
            new[name] = value
        if new.get(head) is None:
            new.pop(head, None)
    return new


def _checked(kind: Kind, state: State, values: Mapping[str, Any], touched: set[str]) -> dict[str, Any]:
    """`values` held to the schema: those it knows, and those that are written now.

    What a newer schema brought stays in the record as it is, for whom it is news. Raises InvalidRecord.
    """
    known = {name: value for name, value in values.items() if name in kind.schema["properties"] or name in touched}
    try:
        kind.validate(known)
        check_pattern(kind, known)
    except InvalidRecord as error:
        if state.schema <= kind.version:
            raise
        newer = f"{state.id} was written by a newer gitmem (schema {state.schema}; {kind.version} is known here)"
        raise InvalidRecord(f"{newer}: {error.message}", "upgrade gitmem-store, or leave what it brought as it is") from None
    return known


def _picked(opened: Opened, field: str, pick: str) -> Json:
    siblings = [s for s in opened.conflicts[field] if s.key == pick or str(dot_of(s.key)) == pick]
    if len(siblings) != 1:
        dots = ", ".join(s.key for s in opened.conflicts[field])
        raise InvalidRecord(f"{pick!r} is none of the concurrent values of {field!r}", f"pick one of: {dots}")
    return siblings[0].value


def _finish(context: Context, pen: Pen, path: str, op: str) -> None:
    pen.live()
    pen.touch("changed", context.now())
    context.store.write([Write(path, pen.state, events=[_event(context, op, pen.state)])])


def _event(context: Context, op: str, state: State) -> dict[str, Json]:
    """What happened, with the write it was: a copied clone commits it as well, and it is told once."""
    writer = context.store.replica.writer
    return {"op": op, "id": state.id, "at": context.now(), "by": writer, "n": state.seen[writer]}
