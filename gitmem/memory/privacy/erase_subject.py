"""Erasing what a store says about one person: whole records, or only the mention, with what earlier versions said of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitmem.core.auditing.audit import ERASE
from gitmem.core.codec import emit
from gitmem.core.edit import Pen, sealed_by
from gitmem.core.erasure import redacted_detail
from gitmem.core.ids import element_key
from gitmem.core.record import Json, State
from gitmem.core.subject import Subject
from gitmem.errors import GitmemError, InvalidRecord, UsageError
from gitmem.memory.committing.commit import Extra
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context, kind_to_show
from gitmem.memory.privacy.erase import Erased, EraseReport, bury, check_basis
from gitmem.memory.privacy.redaction import in_the_clear
from gitmem.memory.privacy.remains import remains
from gitmem.memory.privacy.subjects import Findings, Mention, find, notes
from gitmem.store.opened import open_state


def erase_subject(
    context: Context, names: Sequence[str], *, redact: bool = False, basis: str | None = None, dry_run: bool = False
) -> EraseReport:
    """Erase every record that mentions a person under one of these names; with `redact` put a placeholder for the mention.

    Of a record that only used to mention them, what it said then is erased, for `erase --history` to take out. One commit;
    nothing is changed with `dry_run`. Raises NoKey without a key to redact with, GitmemError where a record is none without
    the mention.
    """
    subject = Subject(names)
    check_basis(basis)
    if basis is not None and subject.is_named_in(basis):
        raise UsageError(
            "the basis stands in the log for good, and names the person", "name the request instead: --basis '4711'"
        )
    basis, hidden = in_the_clear(context, "basis", basis)
    store = context.store
    with store.lock:
        store.refresh()
        found = find(context, subject)
        whole = {path: one.state for path, one in found.mentions.items() if one.now and one.state and not redact}
        partly = [one for path, one in sorted(found.mentions.items()) if path not in whole]
        gone = [_erased(one, whole=path in whole) for path, one in sorted(found.mentions.items())]
        commit, problems = None, list[str]()
        if not dry_run and gone:
            told: dict[str, Json] = {} if basis is None else {"basis": basis}
            states, extras = _redacted(context, subject, partly, told)
            commit, problems = bury(context, whole, told, states, extras)
        places = remains(context, found.mentions)
        return EraseReport(dry_run, gone, places, commit, problems, _notes(found), hidden)


def _notes(found: Findings) -> list[str]:
    placeholder = "whoever hides behind a placeholder such as <email:1> was not found: it cannot be reversed"
    return [*notes(found), placeholder]


def _erased(one: Mention, *, whole: bool) -> Erased:
    parts = one.path.split("/")
    values = sum(len(register) for _, register in one.state.registers()) if whole and one.state else len(one.now)
    return Erased(one.id, parts[-3], "/".join(parts[1:-3]), values + len(one.past), [] if whole else one.registers)


def _redacted(
    context: Context, subject: Subject, mentions: Iterable[Mention], told: dict[str, Json]
) -> tuple[dict[str, State], list[Extra]]:
    """The records as they are to stand, and their entries: each names the registers of which nothing earlier may stand."""
    states, extras = {}, []
    mentions = list(mentions)
    held = contents_at(context, context.store.repo.head(), [one.path for one in mentions])
    for one in mentions:
        detail = told | {"values": len(one.now) + len(one.past)}
        values = [(said.register, said.key) for said in (*one.now, *one.past)]
        after = _without(context, subject, one, one.state) if one.now and one.state else one.state
        data = None if after is None else emit(after)
        same = data == held.get(one.path)
        if after is not None and not same:
            states[one.path] = after
        extras.append(Extra(one.path, data, ERASE, detail | redacted_detail(values), complete=same))
    return states, extras


def _without(context: Context, subject: Subject, one: Mention, state: State) -> State:
    """A record with the mention taken out of every value that stands. Raises InvalidRecord where that leaves none."""
    store = context.store
    pen, seal = Pen(state, store.writer_for(one.path, state)), store.sealing(state)

    for register in sorted({said.register for said in one.now}):
        values = [subject.taken_out_of(said.value) for said in one.now if said.register == register]
        container, _, name = register.partition("/")
        if container == "sets":
            name, _, old = name.partition("/")
            pen.drop(name, old)
            for value in values:
                pen.add(name, element_key(store.vault.id_key(state.scope), f"{state.id}/{name}", value), sealed_by(seal, value))
        else:
            others = _others(context, one, state, register)
            pen.unset(name)
            for value in [*others, *values]:
                pen.beside(register, sealed_by(seal, value))
    if state.alive and not state.contested:
        pen.live()
    _check(context, pen.state)
    return pen.state


def _others(context: Context, one: Mention, state: State, register: str) -> list[Json]:
    """The concurrent values of a register that do not mention the person: they stay."""
    named = {said.key for said in one.now if said.register == register}
    values = dict(state.registers())[register]
    return [context.store.vault.open(state, register, key, value) for key, value in values.items() if key not in named]


def _check(context: Context, state: State) -> None:
    kind, opened = kind_to_show(context, state), open_state(context.store.vault, state)
    try:
        kind.validate(kind.join(opened.fields, opened.sets))
    except InvalidRecord as error:
        raise GitmemError(
            f"{state.id} is no {state.kind} without the mention: {error.message}",
            f"edit it, or erase it whole: gitmem erase {state.id}",
        ) from None
