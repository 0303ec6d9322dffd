"""Setting aside what came from others and has no place in a store: out of the tree, into this clone's quarantine.

The quarantine is `<git dir>/gitmem/quarantine`: for each file its content as it came, and beside it a note of what it was. The
history keeps it as well.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from hashlib import sha256

from gitmem.core.collected import is_list_path
from gitmem.core.nearest import counted
from gitmem.errors import InvalidRecord
from gitmem.git.commits import commit as git_commit
from gitmem.git.commits import identity_line
from gitmem.git.objects import Draft, write_commits
from gitmem.git.repo import BlobRef, Change, Entry
from gitmem.git.worktree import checkout
from gitmem.memory.auditing.unvouched import unvouched
from gitmem.memory.committing.branch import require_branch
from gitmem.memory.committing.commit import author
from gitmem.memory.committing.leftovers import forget_staged
from gitmem.memory.context import Context
from gitmem.memory.soundness import holds_record, is_newer, kept_of, path_problem, sound_state
from gitmem.store.files import write_atomic
from gitmem.store.layout import CONFIG, MEMBERS, OWN_PREFIXES

FOLDER = "quarantine"
_MAX = 1 << 20  # bytes of a file that are copied
_SHOWN = 200


def shown(path: str) -> str:
    """A path as a message may hold it."""
    text = path if path.isprintable() else ascii(path)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def about(path: str, why: str) -> str:
    """A reason as it is said of a path that was named just before: many name it themselves, with the line."""
    rest = why.removeprefix(path)
    return why if rest == why else f"line {rest[1:]}" if rest.startswith(":") else f"it{rest}"


def set_aside(context: Context, path: str, data: bytes, why: str) -> str:
    """Keep the content of a bad file in this clone, and say so in words."""
    name = sha256(path.encode("utf-8", "surrogateescape") + b"\0" + data).hexdigest()[:16]
    folder = context.store.local / FOLDER
    write_atomic(folder / name, data[:_MAX], mode=0o600)
    write_atomic(folder / f"{name}.why", f"{shown(path)}\n{why}\n".encode("utf-8", "replace"), mode=0o600)
    return f"{shown(path)} was quarantined: {about(kept_of(path) or path, why)} (kept as {folder / name})"


def drop(context: Context, paths: Collection[str]) -> int:
    """Remove what was set aside of these files; how many there were."""
    dropped = 0
    for note in (context.store.local / FOLDER).glob("*.why"):
        path = note.read_text("utf-8", "replace").partition("\n")[0]
        if path.partition(".kept-")[0] in paths:
            note.with_suffix("").unlink(missing_ok=True)
            note.unlink(missing_ok=True)
            dropped += 1
    return dropped


def screened(context: Context, ours: str | None, theirs: str) -> tuple[str, list[str]]:
    """A commit that holds `theirs` without what may not be taken into a store, and what was left out, in words.

    That is what cannot be checked out, and what nobody signed for in lists of collected records: there stands the rest, or what
    we have. It is `theirs` itself where there is nothing of the kind, else a commit on top of it.
    """
    repo = context.store.repo
    changes = {change.path: change for change in repo.diff(ours, theirs, _own(context)) if change.new}
    left = _left_out(context, theirs, changes)
    if not left:
        return theirs, []
    wrote, made = (identity_line(repo, role, author(context)) for role in ("AUTHOR", "COMMITTER"))
    instead = {path: rest or _instead(changes[path]) for path, (_, rest) in left.items()}
    [written] = write_commits(repo, [Draft(_message(left), wrote, made, [theirs], changes=instead)])
    names = {path: path.removeprefix(context.store.prefix) for path in left}
    contents = {path: _content(context, _brought(changes[path])) for path in left}
    return written.commit, [set_aside(context, names[path], contents[path], why) for path, (why, _) in left.items()]


def _left_out(context: Context, theirs: str, changes: Mapping[str, Change]) -> dict[str, tuple[str, bytes | None]]:
    """What is not to be taken in, by path: the reason, and what of it is (None: nothing)."""
    repo, prefix = context.store.repo, context.store.prefix
    entries = {path: _brought(change) for path, change in changes.items()}
    odd = {path: (why, None) for path, entry in entries.items() if (why := oddity(path.removeprefix(prefix), entry))}
    lists = {path: entry for path, entry in entries.items() if path not in odd and is_list_path(path.removeprefix(prefix))}
    blobs = dict(repo.read_blobs({entry.id for entry in lists.values()}, _MAX))
    contents = {path.removeprefix(prefix): blobs[entry.id] for path, entry in lists.items()}
    bad = unvouched(repo, prefix, theirs, contents)
    for path in entries.keys() - odd.keys():
        if (why := _spoiled(context, path.removeprefix(prefix), entries[path])) is not None:
            odd[path] = (why, None)
    return {**odd, **{prefix + path: told for path, told in bad.items()}}


def _spoiled(context: Context, path: str, entry: Entry) -> str | None:
    """Why the configuration or a member's file cannot be taken in, if it is not to be read and no newer gitmem's: no sync
    would get as far as to heal it."""
    if not (holds_record(path) and path.startswith((CONFIG, MEMBERS))):
        return None
    data = _content(context, entry)
    if is_newer(data):
        return None
    try:
        sound_state(path, data)
    except InvalidRecord as error:
        return error.message
    return None


def _brought(change: Change) -> Entry:
    return Entry(change.new_mode, change.new or "")


def _instead(change: Change) -> BlobRef | None:
    """What stands in place of something left out: what we have, unless that is no plain file either."""
    return BlobRef(change.old, change.old_mode) if change.old and change.old_mode.startswith("100") else None


def purge(context: Context, head: str) -> list[str]:
    """Take out of HEAD what is no plain file or has an impossible name, where a plain `git pull` brought it."""
    repo = context.store.repo
    odd = {path: entry for path, entry in repo.ls_tree(head, _own(context)).items() if _is_odd(context, path, entry)}
    if not odd:
        return []
    gone = {path for path in odd if _is_replaced(context, path.removeprefix(context.store.prefix))}
    if gone:  # git would see a change in what stands there by now, and is in no commit yet
        forget_staged(context, {path.removeprefix(context.store.prefix) for path in gone})
        head = _without(context, head, gone)
    if odd.keys() - gone:
        checkout(repo, head, _without(context, head, odd.keys() - gone))
    return _keep(context, odd)


def _is_replaced(context: Context, path: str) -> bool:
    """Whether what HEAD has at a path of the store is not in the work tree any more, where it was opened without it."""
    return path in context.put_back or not os.path.lexists(context.store.root / path)


def _without(context: Context, head: str, odd: Collection[str]) -> str:
    """The branch with a commit on top of HEAD that lacks some files."""
    branch = f"refs/heads/{require_branch(context)}"
    return git_commit(
        context.store.repo,
        dict.fromkeys(odd),
        _message(odd),
        parents=[head],
        ref=branch,
        expected=head,
        fallback=author(context),
    )


def oddity(path: str, entry: Entry) -> str | None:
    """Why a path cannot stand in a store, whatever it holds (None: it can)."""
    return path_problem(path) or (None if entry.mode.startswith("100") else "it is a link or a submodule")


def _is_odd(context: Context, path: str, entry: Entry) -> bool:
    return oddity(path.removeprefix(context.store.prefix), entry) is not None


def _own(context: Context) -> list[str]:
    return [context.store.prefix + name for name in OWN_PREFIXES]


def _message(odd: Collection[str]) -> str:
    return f"gitmem: {counted(len(odd), 'file')} set aside that had no place in a store"


def _keep(context: Context, odd: Mapping[str, Entry]) -> list[str]:
    names = {path: path.removeprefix(context.store.prefix) for path in odd}
    return [set_aside(context, names[path], _content(context, e), oddity(names[path], e) or "") for path, e in odd.items()]


def _content(context: Context, entry: Entry) -> bytes:
    if entry.mode == "160000":
        return entry.id.encode()
    return next(data for _, data in context.store.repo.read_blobs([entry.id], _MAX))
