"""The policies of a store: settings in its configuration, committed and signed like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.nearest import nearest
from gitmem.core.placeholder import KINDS
from gitmem.errors import UsageError
from gitmem.memory.commit import Extra, commit
from gitmem.memory.context import Context
from gitmem.store.config import KEEP, REPLACE, load_config, redact_setting
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
        state = store.config.state
        pen = Pen(state, store.writer_for(CONFIG, state))
        for kind, value in sorted(changes.items()):
            pen.set(redact_setting(kind), partial(_plain, value))
        pen.live()
        said = ", ".join(f"{kind} {value}" for kind, value in sorted(changes.items()))
        commit(context, f"gitmem: redaction policy: {said}", [Extra(CONFIG, emit(pen.state), "config", {"redact": said})])
        store.config = load_config(store.root)
    return True


def _plain(value: str, _path: str, _dot: str) -> str:
    return value


def _check(kind: str, value: str) -> None:
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        meant = f"; did you mean {near}?" if near else ""
        raise UsageError(f"there is nothing called {kind[:40]!r} to redact{meant}", f"it knows {', '.join(KINDS)}")
    if value not in (REPLACE, KEEP):
        raise UsageError(f"{kind} can be {REPLACE} or {KEEP}, not {value[:40]!r}", f"gitmem redact --set {kind}={KEEP}")
