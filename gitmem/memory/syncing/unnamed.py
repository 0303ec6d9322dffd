"""Commits that name somebody, made here before this clone had heard that commits are to name nobody.

Nobody has them yet, and once they are pushed the name is out for good. So what they hold is carried over in one commit under a
pseudonym, which descends from the remote's branch alone, as with a history that was rewritten. The log goes by contents, and
is not touched by it. A branch that holds more than the store is left as it is: those commits are not ours to make anew.
"""

from __future__ import annotations

from gitmem.git.commits import Identity, identity_line
from gitmem.memory.commit import author
from gitmem.memory.context import Context
from gitmem.memory.gather import parse_or_none
from gitmem.memory.members.roster import my_name
from gitmem.memory.privacy.rewritten import Crossing
from gitmem.store.config import StoreConfig
from gitmem.store.layout import ATTRIBUTES, CONFIG, OWN_PREFIXES


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
    log = repo.run("log", "--format=%an <%ae>%n%cn <%ce>", f"{theirs}..{ours}", "--")
    people, mine = set(log.decode("utf-8", "surrogateescape").splitlines()), _mine(context)
    hidden = author(context, hidden=True)
    if not people & mine or people - mine - {f"{hidden.name} <{hidden.email}>"}:
        return None
    bases = repo.merge_bases(ours, theirs)
    return Crossing(theirs, bases) if bases and all(_is_ours_alone(context, base, ours) for base in bases) else None


def _mine(context: Context) -> set[str]:
    """Who commits are by in this clone as long as they name somebody."""
    name = my_name(context)
    named = Identity(name, f"{name}@gitmem.invalid")
    lines = (identity_line(context.store.repo, role, named) for role in ("AUTHOR", "COMMITTER"))
    return {line.rpartition(">")[0] + ">" for line in lines}


def _is_ours_alone(context: Context, base: str, ours: str) -> bool:
    """Whether nothing but the store's own files was changed since."""
    prefix = context.store.prefix
    own = tuple(prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES))
    return all(change.path.startswith(own) for change in context.store.repo.diff(base, ours))
