"""What a sync has to do about deletions once it has taken in what others wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitmem.core.edit import Pen, sealed_by
from gitmem.core.erasure import erased_at
from gitmem.core.merge import merge_all
from gitmem.core.record import State
from gitmem.errors import GitmemError, InvalidRecord, NoKey
from gitmem.memory.committing.commit import commit
from gitmem.memory.committing.held import contents_at, parse_or_none
from gitmem.memory.context import Context
from gitmem.store.layout import is_record_path
from gitmem.store.opened import Opened, open_state
from gitmem.store.store import Store, Write


def settle_deletions(context: Context, brought: Iterable[str], revived: Mapping[str, State]) -> list[str]:
    """Bury what of `brought` a merge without gitmem has brought back, and complete what was `revived` and not erased.

    What a person should know is returned, in words.

    `revived` are the records that were written to by somebody who had not heard that they were collected, as they were before
    that was applied. `brought` are paths in the repository. Nothing is done without the key: others will.
    """
    with context.store.lock:
        context.store.refresh()
        try:
            back = returned(context, [path.removeprefix(context.store.prefix) for path in brought])
            erased = {path: when for path in revived if (when := erased_at(context.store.graves.of(path)))}
            completed = [path for path, state in revived.items() if path not in erased and _complete(context, path, state)]
            if back or completed:
                commit(context, also=back)
        except NoKey:
            return []
    return [
        f"{revived[path].id} was erased on {when[:10]}, and somebody who had not heard wrote to it: what they wrote stands "
        f"until you decide: `gitmem erase {revived[path].id}`, or `gitmem resolve {revived[path].id} --keep`"
        for path, when in sorted(erased.items())
    ]


def returned(context: Context, paths: Iterable[str] | None = None) -> list[str]:
    """The record files, of all or of some paths, that hold more than their graves leave of them.

    A hand has brought them back, or a merge without gitmem.
    """
    graves = context.store.graves
    if paths is None:
        paths = graves.places()
    return [path for path in paths if is_record_path(path) and _is_back(context, path)]


def _is_back(context: Context, path: str) -> bool:
    store = context.store
    try:
        state = store.read_file(path)
        return state is not None and store.graves.bury(path, state) != state
    except InvalidRecord:
        return False  # for others to tell of


def unburied(context: Context, paths: list[str], commits: list[str]) -> dict[str, State]:
    """The join of what several commits hold of records, before their graves are applied."""
    versions = [contents_at(context, commit, paths) for commit in commits]
    found: dict[str, State] = {}
    for path in paths:
        states = [state for version in versions if path in version and (state := parse_or_none(version[path], path))]
        if states:
            found[path] = merge_all(states)
    return found


def _complete(context: Context, path: str, whole: State) -> bool:
    """Write again what was collected with a record, where it lives and has nothing in its place; whether anything was."""
    store = context.store
    try:
        state = store.read(path)
        if state is None or not state.alive:
            return False
        pen = Pen(state, store.writer_for(path, state))
        _refill(store, pen, open_state(store.vault, whole))
    except NoKey:
        raise
    except GitmemError as error:
        context.warn(error.message)
        return False
    if pen.state == state:
        return False
    store.write([Write(path, pen.state)])
    return True


def _refill(store: Store, pen: Pen, whole: Opened) -> None:
    seal = store.sealing(pen.state)
    for name in whole.fields.keys() - pen.state.fields.keys():
        pen.set(name, sealed_by(seal, whole.fields[name]))
    for name, elements in whole.state.sets.items():
        for key in elements.keys() - pen.state.sets.get(name, {}).keys():
            dot, stored = max(elements[key].items())
            value = store.vault.open(whole.state, f"sets/{name}/{key}", dot, stored)
            pen.add(name, key, sealed_by(seal, value))
