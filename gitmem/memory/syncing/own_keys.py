"""Our own keys, where somebody wrote over their files: opened as they were when last signed for.

A merge without gitmem leaves conflict markers in a key file, or somebody else's; a plain `git pull` brings that. A sync that
takes it in sets it right (`enforcing`), and so does the next one of anybody who pulled it; but whoever the file is for can sign
nothing before they have their key.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256

from gitmem.crypto.keys import open_first
from gitmem.errors import DamagedKey, NoKey
from gitmem.memory.auditing.vouched import vouched_for
from gitmem.store.layout import KEYS, epoch_at
from gitmem.store.store import Store

_NOTE = "own keys"  # the commit up to which our keys open, or every key file holds what somebody signed for
_LOOKED_AT = 100  # commits that touched one key file, the latest


def can_sign(store: Store) -> bool:
    """Whether whoever is here has a key that this store knows. Raises DamagedKey."""
    try:
        store.vault.signing_key()
    except NoKey:
        return False
    return True


def recall_keys(store: Store) -> dict[str, str]:
    """Put keys of ours to use that somebody wrote over; the files, with the blobs there now, which an `enforce` puts right."""
    repo, head = store.repo, store.repo.head()
    if head is None or store.vault.plain:
        return {}
    told = store.marks.note(_NOTE)
    changes = repo.diff(told if told and repo.resolve(told) else None, head, [f"{store.prefix}{KEYS}"])
    now = {one.path.removeprefix(store.prefix): one.new for one in changes if one.new and one.new_mode.startswith("100")}
    signed = _signed(store, now) if changes and _is_shut(store) else {}
    contents = zip(now, repo.read_blobs(now.values()), strict=True) if signed else ()
    strange = [path for path, (_, data) in contents if sha256(data).hexdigest() not in signed[path]]
    if changes and not strange and not store.vault.recalled:
        with store.lock:
            store.marks.set_note(_NOTE, head)
    return {path: now[path] for path in strange if _recall(store, head, path, signed[path])}


def _signed(store: Store, paths: Collection[str]) -> dict[str, set[str | None]]:
    """The contents (SHA-256) that the log signs for, by file."""
    return {path: {entry.after for entry in vouched.entries} for path, vouched in vouched_for(store.root, paths).items()}


def _is_shut(store: Store) -> bool:
    """Whether a newest key is not to be opened, as one of a scope that is closed to us is not either."""
    try:
        return not all(store.vault.opens(scope) for scope in store.vault.scopes())
    except DamagedKey:
        return True


def _recall(store: Store, head: str, path: str, signed: set[str | None]) -> bool:
    """Whether the key in a file, as somebody last signed for it, opens for us."""
    place, data = epoch_at(path), _last_signed(store, head, path, signed)
    if place is None or data is None:
        return False
    with suppress(NoKey, DamagedKey):
        opened = open_first({path: data}, store.vault.identities, *place)
        store.vault.recall(opened.key, opened.identity)
        return True
    return False


def _last_signed(store: Store, head: str, path: str, signed: set[str | None]) -> bytes | None:
    repo, file = store.repo, f"{store.prefix}{path}"
    touched = repo.run("rev-list", "--topo-order", f"--max-count={_LOOKED_AT}", head, "--", file).decode().split()
    contents = (data for commit in touched for data in repo.read_paths(commit, [file]).values())
    return next((data for data in contents if sha256(data).hexdigest() in signed), None)
