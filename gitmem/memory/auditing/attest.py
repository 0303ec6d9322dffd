"""Signing, in one's own name, for what came into the history without gitmem: `doctor --fix` does it, and nothing else.

A merge takes such changes in as they are, and the log goes on saying that nobody signed for them until somebody does.
"""

from __future__ import annotations

from gitmem.core.auditing.audit import ANSWERS, ATTEST, Entry
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit
from gitmem.core.record import Json
from gitmem.errors import InvalidRecord
from gitmem.memory.auditing.audit import unsigned_files
from gitmem.memory.auditing.states import FileHistory, signed_ends
from gitmem.memory.auditing.vouched import answered
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.committing.held import contents_at
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, not_genuine, sound_state
from gitmem.store.layout import KEYS, MEMBERS, MEMORY


def attest(context: Context) -> list[str]:
    """Sign for every file that nobody signed for, as HEAD holds it, hand edits turned into writes; their paths.

    Not for members, whose files show what was signed elsewhere, nor for keys, which only those pass on who may: both are set
    right, see `enforcing`. Nor for what is no sound record: that is healed, not signed.
    """
    store = context.store
    with store.lock:
        commit(context)
        files = unsigned_files(store.repo, store.prefix)
        files = [(file, entries) for file, entries in files if not file.path.startswith((f"{MEMBERS}/", f"{KEYS}/"))]
        held = contents_at(context, store.repo.head(), [file.path for file, _ in files])
        extras = [one for file, entries in files if (one := _signed(context, file, entries, held.get(file.path)))]
        if extras:
            commit(context, f"gitmem: {len(extras)} vouched for", extras)
        return [extra.path for extra in extras]


def _signed(context: Context, file: FileHistory, entries: list[Entry], data: bytes | None) -> Extra | None:
    known = {entry.after for entry in entries} | answered(entries)
    answers: set[str | None] = {digest for digest in file.contents if digest not in known}
    if file.removals and None not in known:
        answers.add(None)
    told: dict[str, Json] = {ANSWERS: [*sorted(answers, key=str)]}
    if data is None or not holds_record(file.path):
        foreign = data is not None and file.path.startswith(f"{MEMORY}/")
        before = min(signed_ends(entries) - {file.head}, default=None)  # each content follows one that was signed
        return None if foreign else Extra(file.path, data, ATTEST, told, complete=True, follows=before)
    try:
        state = sound_state(file.path, data)
    except InvalidRecord:
        return None
    if not_genuine(context, file.path, state):
        return None
    return Extra(file.path, emit(state), ATTEST, record_detail(None, state, outside=True) | told, complete=True)
