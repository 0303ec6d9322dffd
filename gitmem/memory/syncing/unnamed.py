"""Commits that name somebody, made here before this clone had heard that commits are to name nobody.

Nobody has them yet, and once they are pushed the name is out for good. So what they hold is carried over in one commit under a
pseudonym, which descends from the remote's branch alone, as with a history that was rewritten. The log goes by contents, and
is not touched by it. A branch that holds more than the store is left as it is: those commits are not ours to make anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitmem.git import remote
from gitmem.git.commits import Identity, identity_line
from gitmem.memory.committing.commit import author
from gitmem.memory.committing.held import parse_or_none
from gitmem.memory.context import Context
from gitmem.memory.members.roster import my_name
from gitmem.memory.privacy.rewritten import Crossing
from gitmem.store.config import StoreConfig
from gitmem.store.layout import AUDIT, CONFIG, is_own


def names_nobody(context: Context, tree: str) -> bool:
    """Whether the configuration in a tree, which we may not have had before, says that commits name nobody."""
    path = context.store.prefix + CONFIG
    state = parse_or_none(context.store.repo.read_paths(tree, [path]).get(path), CONFIG)
    return state is not None and StoreConfig(state, {}).pseudonyms


def unnamed(context: Context, ours: str, theirs: str) -> Crossing | None:
    """How to go on from `theirs` without our own commits that name us; None where there are none, or others' among them."""
    repo = context.store.repo
    if not names_nobody(context, theirs):
        return None
    mine, telling = _mine(context), [told for told in _commits(context, f"{theirs}..{ours}") if told.people]
    if not telling or any(not told.own and not told.people <= mine for told in telling):
        return None
    bases = repo.merge_bases(ours, theirs)
    return Crossing(theirs, bases) if bases and all(_is_ours_alone(context, base, ours) for base in bases) else None


def still_named(context: Context, source: remote.Upstream) -> bool:
    """Whether the remote's branch has come to say that commits name nobody, and ours name us."""
    ours = context.store.repo.head()
    if ours is None or context.store.config.pseudonyms:
        return False
    theirs = remote.fetch(context.store.repo, source).commit
    return theirs is not None and unnamed(context, ours, theirs) is not None


class _Told(NamedTuple):
    """Whom a commit names, and whether it was made by gitmem in this clone, whatever git was told then; or is a merge."""

    people: set[str]
    own: bool


def _commits(context: Context, span: str) -> Iterator[_Told]:
    store, hidden = context.store, author(context, hidden=True)
    chain = f"{store.prefix}{AUDIT}/{store.replica.name}-"
    log = store.repo.run("log", "--format=%x00%an <%ae>%n%cn <%ce>%n", "--name-only", span, "--")
    for text in log.decode("utf-8", "surrogateescape").split("\0")[1:]:
        writer, committer, *files = text.splitlines()
        people = {writer, committer} - {f"{hidden.name} <{hidden.email}>"}
        yield _Told(people, not any(files) or any(file.startswith(chain) for file in files))


def _mine(context: Context) -> set[str]:
    """Who commits are by in this clone as long as they name somebody."""
    name = my_name(context)
    named = Identity(name, f"{name}@gitmem.invalid")
    lines = (identity_line(context.store.repo, role, named) for role in ("AUTHOR", "COMMITTER"))
    return {line.rpartition(">")[0] + ">" for line in lines}


def _is_ours_alone(context: Context, base: str, ours: str) -> bool:
    """Whether nothing but the store's own files was changed since."""
    prefix = context.store.prefix
    paths = [change.path for change in context.store.repo.diff(base, ours)]
    return all(path.startswith(prefix) and is_own(path.removeprefix(prefix)) for path in paths)
