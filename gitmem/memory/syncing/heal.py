"""Bringing back what git's history took from the store: see `core.heal` for what that is, `wounds` for how it is found.

A heal is an ordinary write: journalled, committed, and signed for under the operation `heal`. Its entry names the contents
that it answers for, and the writes whose values it wrote again, so that nobody does so twice. Two replicas that heal the same
at once write equal values beside each other, which are shown as one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from gitmem.core.dots import json_line
from gitmem.core.edit import Pen, sealed_by
from gitmem.core.heal import Loss, registers
from gitmem.core.nearest import counted
from gitmem.core.record import MAX_BYTES, Json, State
from gitmem.errors import DamagedKey, GitmemError, InvalidRecord, NoKey
from gitmem.memory.auditing.pins import holds
from gitmem.memory.committing.commit import commit
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, is_newer, kept_of
from gitmem.memory.syncing.healing import Plan, original, plans
from gitmem.memory.syncing.own_keys import can_sign
from gitmem.memory.syncing.quarantine import about, purge, set_aside
from gitmem.memory.syncing.wounds import Found, find
from gitmem.store.files import inside, read_bounded, write_atomic
from gitmem.store.layout import AUDIT, is_record_path
from gitmem.store.store import Write

_NOTE = "healed"
"""The commits up to which all was examined and stands again, the latest first: a reset may have gone back behind some."""
_KEPT = 20
_LIFE = "life"
_AT_ONCE = 500  # files healed by one commit
_SHOWN = 3


@dataclass(slots=True)
class Healed:
    """What a heal did, in words: `notes` for what stands again, `problems` for what a person should look at."""

    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def heal(context: Context, *, whole: bool = False) -> Healed:
    """Bring back what was lost in the commits that were not examined yet, or (`whole`) in all.

    Makes a commit if there is anything to heal. Raises GitmemError in the middle of a merge or on a detached HEAD.
    """
    store, healed = context.store, Healed()
    with store.lock:
        store.refresh()
        head = store.repo.head()
        if head is None or (head in examined(context)[:1] and not whole):
            return healed
        found = find(context, head, None if whole else _last_examined(context, head))
        if found.odd:
            healed.problems += purge(context, head)
        done = _close(context, found, healed)
        healed.problems += _left_alone(context, found)
        if done:
            _note(context, store.repo.head() or head)
    return healed


def _left_alone(context: Context, found: Found) -> list[str]:
    """What of a range stands still and was not healed, in words; a later commit may have made a record of it."""
    stand = contents_at(context, context.store.repo.head(), sorted(found.left))
    left = (path for path, data in stand.items() if not holds_record(path) or is_newer(data))
    return [f"{path} was left alone: {about(kept_of(path) or path, found.left[path])}" for path in left]


def pass_over(context: Context, before: str | None, made: str) -> None:
    """Note that a commit of gitmem's own on top of one that was examined takes nothing away."""
    if before is not None and before in examined(context)[:1]:
        _note(context, made)


def examined(context: Context) -> list[str]:
    """The commits up to which all was looked at and stands, the latest first."""
    return context.store.marks.note(_NOTE).split()


def _last_examined(context: Context, head: str) -> str | None:
    """The last examined commit that `head` goes on from. Where it goes on from an earlier one, what healed it since is gone."""
    return next((one for one in examined(context) if holds(context.store.repo, head, one)), None)


def _note(context: Context, commit: str) -> None:
    commits = dict.fromkeys([commit, *examined(context)])
    context.store.marks.set_note(_NOTE, " ".join([*commits][:_KEPT]))


def unhealed(context: Context) -> list[str]:
    """The files from which something in the whole history is missing still."""
    head = context.store.repo.head()
    return [] if head is None else [plan.path for plan in plans(context, find(context, head, None))]


def _close(context: Context, found: Found, healed: Healed) -> bool:
    """Do all that is to be done; whether nothing is left."""
    able = not found.wounds or can_sign(context.store)
    if able:
        _put_back_logs(context, found)
    todo, done = list(plans(context, found)), True
    if todo and not able:
        healed.problems.append(
            f"of {counted(len(todo), 'file')} something was lost in git's history: whoever has an identity can heal that"
        )
        return False
    for start in range(0, len(todo), _AT_ONCE):
        context.progress("healing", start, len(todo))
        some = todo[start : start + _AT_ONCE]
        for plan in some:
            done &= write_again(context, plan, healed)
        _put_files(context, some, healed)
        commit(context, f"gitmem: {len(some)} healed", [plan.extra() for plan in some])
    mended = [plan.path for plan in todo if plan.content() is not None]
    if mended:
        more = f" and {len(mended) - _SHOWN} more" if len(mended) > _SHOWN else ""
        healed.notes.append(f"healed what git's history had taken from {', '.join(mended[:_SHOWN])}{more}")
    return done


def _put_back_logs(context: Context, found: Found) -> None:
    """The log comes first, into the work tree: it tells which writes were replaced, and where our own chain ends."""
    for path, wound in found.wounds.items():
        if path.startswith(f"{AUDIT}/") and wound.original:
            data, file = original(context, wound), context.store.root / path
            with suppress(GitmemError):  # it lies behind a link, which is taken out first
                if not file.is_file() or file.read_bytes() != data:
                    write_atomic(inside(context.store.root, path), data)


def write_again(context: Context, plan: Plan, healed: Healed) -> bool:
    """Write the lost values of a record once more, under our own name; False if that takes a key we have not."""
    if plan.state is None or not plan.losses:
        return True
    store, settled = context.store, list[Loss]()
    pen = Pen(plan.state, store.writer_for(plan.path, plan.state))
    try:
        seal = _in_the_clear if all(loss.path == _LIFE for loss in plan.losses) else store.sealing(plan.state)
        for loss in plan.losses:
            value = store.vault.open(plan.state, loss.path, loss.key, loss.value)
            if json_line(value) not in _standing(context, pen.state, loss.path):
                pen.beside(loss.path, sealed_by(_in_the_clear if loss.path == _LIFE else seal, value))
            settled.append(loss)
    except (NoKey, DamagedKey) as error:
        healed.problems.append(f"{plan.path}: a value was lost in git's history, and only who can read it heals it ({error})")
    except GitmemError as error:
        healed.problems.append(f"{plan.path}: a value was lost in git's history and cannot be read: {error.message}")
        settled = plan.losses
    done = len(settled) == len(plan.losses)
    plan.state, plan.losses = pen.state, settled
    return done


def _in_the_clear(_path: str, _dot: str, value: Json) -> Json:
    return value


def _standing(context: Context, state: State, path: str) -> set[str]:
    """The values that stand in a register, opened."""
    register = dict(registers(state)).get(path, {})
    return {json_line(context.store.vault.open(state, path, key, value)) for key, value in register.items()}


def _put_files(context: Context, some: list[Plan], healed: Healed) -> None:
    """Journal the records, and keep a copy of what is not to stand."""
    store = context.store
    for plan in some:
        if plan.broken and plan.before is not None and plan.known is None:
            end = "; the last sound version stands again" if plan.content() is not None else ""
            healed.problems.append(set_aside(context, plan.path, plan.before, next(iter(plan.broken.values()))) + end)
    writes = []
    for plan in some:
        if plan.state is not None and is_record_path(plan.path) and plan.content() != plan.before:
            _spare(context, plan.path)
            writes.append(Write(plan.path, plan.state))
    if writes:
        store.write(writes)


def _spare(context: Context, path: str) -> None:
    """Copy a file in the work tree that is no record before it is replaced."""
    try:
        context.store.read_file(path)
    except GitmemError as error:
        with suppress(InvalidRecord):
            data = read_bounded(context.store.root / path, MAX_BYTES)
            set_aside(context, path, data or b"", error.message)
