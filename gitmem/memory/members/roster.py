"""The members as their files name them, and which of them we are."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem.core.codec import parse
from gitmem.core.membership.members import RECOVERY
from gitmem.core.record import MAX_BYTES, State
from gitmem.errors import InvalidRecord, NoKey, UsageError
from gitmem.memory.context import Context
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import MEMBERS, STORE_SCOPE, member_path

if TYPE_CHECKING:
    from gitmem.memory.reports import Member

KIND: Final = "member"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NOTE: Final = "member"
_FAR: Final = 100  # commits that touched members, among which to look for our record


def check_name(name: str) -> str:
    """`name` if a member may have it. Raises UsageError: it becomes a file name and stands in the clear."""
    if not NAME.fullmatch(name) or name == RECOVERY:
        raise UsageError(f"{name[:60]!r} cannot be a member's name", "use lower-case letters, digits, - and _, such as: ada")
    return name


def name_from(text: str) -> str | None:
    """The member name that a person's or account's name suggests, None if nothing usable is left of it."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63]
    return slug if NAME.fullmatch(slug) and slug != RECOVERY else None


def read_member(context: Context, name: str) -> State | None:
    """A member's record. Raises InvalidRecord if the file is damaged or is somebody else's."""
    path = member_path(name)
    data = read_bounded(inside(context.store.root, path), MAX_BYTES)
    if data is None:
        return None
    state = parse(data, path)
    if (state.kind, state.scope, state.id) != (KIND, STORE_SCOPE, f"m-{name}"):
        raise InvalidRecord(f"{path} is not the record of member {name}", "`gitmem audit verify` tells who changed it")
    return state


def members(context: Context) -> list[Member]:
    """Every member that stands, by name."""
    own = own_key(context)
    found = []
    for file in sorted((context.store.root / MEMBERS).glob("*.yaml")):
        state = read_member(context, file.stem)
        if state is not None and state.alive:
            found.append(_member(state, file.stem, own))
    return found


def my_name(context: Context) -> str:
    """The member we sign as: the one whose record holds our key, else the name this clone was given, else `unknown`.

    The recovery identity acts under the name of its own. Where the work tree has no record of ours any more because somebody
    reverted it, the commits that this clone knows of have it, also when HEAD has begun anew.
    """
    me = None
    with suppress(InvalidRecord):  # a member's file that is none, which a sync is about to set right
        me = next((member.name for member in members(context) if member.me), None)
    if me is None and context.store.vault.name == RECOVERY:
        return RECOVERY
    return me or context.store.marks.note(_NOTE) or _name_in_history(context) or "unknown"


def _name_in_history(context: Context) -> str | None:
    repo, own = context.store.repo, own_key(context)
    folder = context.store.prefix + MEMBERS
    walk = ("rev-list", "--all", "--reflog", f"--max-count={_FAR}", "--", folder)
    for commit in repo.run(*walk).decode().split() if own else ():
        files = repo.ls_tree(commit, [folder])
        for path, (_, data) in zip(files, repo.read_blobs([entry.id for entry in files.values()]), strict=True):
            with suppress(InvalidRecord):
                member = _member(parse(data, path), Path(path).stem, own)
                if member.me:
                    return member.name
    return None


def remember_name(context: Context, name: str) -> None:
    """Keep the name that this clone asked to join under."""
    context.store.marks.set_note(_NOTE, name)


def _member(state: State, name: str, own: str | None) -> Member:
    from gitmem.memory.reports import Member  # who only asks for their own name, as the hooks do, does without

    roles = sorted(str(value) for value in state.fields.get("role", {}).values())
    recipients, keys = (_values(state, field) for field in ("recipients", "keys"))
    return Member(name, roles[0] if roles else "member", recipients, keys, own in keys)


def _values(state: State, field: str) -> list[str]:
    elements = state.sets.get(field, {})
    return sorted({str(value) for register in elements.values() for value in register.values()})


def own_key(context: Context) -> str | None:
    """What whoever works here signs with (OpenSSH form), None without an identity."""
    try:
        return str(context.store.vault.signing_key().public)
    except NoKey:
        return None
