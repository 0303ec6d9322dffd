"""The policies of a store: settings in its configuration, committed and signed like everything else."""

from __future__ import annotations

from collections.abc import Mapping

from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.membership.members import Rank
from gitmem.core.nearest import nearest
from gitmem.core.record import Json
from gitmem.core.redacting.placeholder import KINDS
from gitmem.errors import UsageError
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.store.config import KEEP, MOST, REPLACE, load_config, redact_setting
from gitmem.store.layout import CONFIG


def redaction_policy(context: Context) -> dict[str, str]:
    """`replace` or `keep` for each kind of secret and personal data."""
    kept = context.store.config.kept
    return {kind: KEEP if kind in kept else REPLACE for kind in KINDS}


def set_redaction(context: Context, wanted: Mapping[str, str]) -> bool:
    """Set what the store redacts, with one signed commit; False if the policy says so already.

    Raises UsageError for a kind or a policy there is not, and GitmemError as `commit` does.
    """
    for kind, value in wanted.items():
        _check(kind, value)
    store = context.store
    with store.lock:
        store.refresh()
        store.config = load_config(store.root)
        before = redaction_policy(context)
        changes = {kind: value for kind, value in wanted.items() if before[kind] != value}
        if not changes:
            return False
        said = ", ".join(f"{kind} {value}" for kind, value in sorted(changes.items()))
        settings = {redact_setting(kind): value for kind, value in changes.items()}
        write_settings(context, settings, f"redaction policy: {said}", {"redact": said})
    return True


def set_numbers(context: Context, wanted: Mapping[str, int]) -> bool:
    """Set settings that are whole numbers, such as how many snapshots are kept; False if the store says so already.

    Raises UsageError for a number above `MOST`, and GitmemError as `commit` does.
    """
    for name, value in wanted.items():
        if not 0 <= value <= MOST:
            raise UsageError(f"{name} can be a number from 0 to {MOST:,}, not {value:,}", f"give a smaller one for {name}")
    store = context.store
    with store.lock:
        store.refresh()
        store.config = load_config(store.root)
        changes = {name: value for name, value in wanted.items() if store.config.number(name, -1) != value}
        if not changes:
            return False
        said = ", ".join(f"{name} {value}" for name, value in sorted(changes.items()))
        write_settings(context, changes, f"policy: {said}", {"policy": said})
    return True


def write_settings(context: Context, settings: Mapping[str, str | int | None], said: str, detail: dict[str, Json]) -> None:
    """Commit settings, signed; None takes one out. Called under the store's lock, with the configuration as it lies."""
    need_role(context, Rank.MEMBER)
    store = context.store
    state = store.config.state
    pen = Pen(state, store.writer_for(CONFIG, state))
    for name, value in sorted(settings.items()):
        if value is None:
            pen.unset(name)
        else:
            pen.set(name, unsealed(value))
    pen.live()
    commit(context, f"gitmem: {said}", [Extra(CONFIG, emit(pen.state), "config", detail)])
    store.config = load_config(store.root)


def _check(kind: str, value: str) -> None:
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        meant = f"; did you mean {near}?" if near else ""
        raise UsageError(f"there is nothing called {kind[:40]!r} to redact{meant}", f"it knows {', '.join(KINDS)}")
    if value not in (REPLACE, KEEP):
        raise UsageError(f"{kind} can be {REPLACE} or {KEEP}, not {value[:40]!r}", f"gitmem redact --set {kind}={KEEP}")
