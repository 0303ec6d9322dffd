"""Finding out what is wrong with a store on this machine, and mending what can be mended without asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from gitmem.core.record import MAX_BYTES
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git import hooks, setup
from gitmem.git.underway import under_way
from gitmem.memory.attest import attest
from gitmem.memory.catchup import current_index
from gitmem.memory.context import Context
from gitmem.memory.folded import members_of
from gitmem.memory.found import prepare_clone
from gitmem.memory.gather import Unmerged, contents_at, drop_leftovers, own_changes, refuse_plaintext
from gitmem.memory.halves import set_aside
from gitmem.memory.heal import heal, unhealed
from gitmem.memory.keeping import keep_keys
from gitmem.memory.reopening import complete_attributes, put_back_keys
from gitmem.memory.roster import members
from gitmem.memory.rotation import strangers
from gitmem.memory.soundness import is_newer
from gitmem.memory.unmerged import settle_unmerged
from gitmem.store.files import inside, read_bounded
from gitmem.store.layout import MEMORY, is_record_path
from gitmem.store.opened import open_state

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `why` says what was found, `fix` the next command where it is not ok."""

    name: str
    ok: bool
    why: str
    fix: str = ""


def doctor(context: Context, *, fix: bool = False) -> list[Check]:
    """Run every check; with `fix` mend first what is safe to mend: configuration, hooks, index, damaged record files."""
    if fix:
        _mend(context)
    checks = [
        ("git configuration", _configuration),
        ("hooks", _hooks),
        ("key", _key),
        ("membership", _membership),
        ("readers", _readers),
        ("merge", _merge),
        ("records", _records),
        ("history", _history),
        ("kinds", _kinds),
        ("journal", _journal),
        ("index", _index),
        ("work tree", _work_tree),
    ]
    return [_run(context, name, check) for name, check in checks]


def _run(context: Context, name: str, check: Callable[[Context], tuple[bool, str, str]]) -> Check:
    try:
        return Check(name, *check(context))
    except GitmemError as error:
        return Check(name, False, error.message, error.hint)


def _mend(context: Context) -> None:
    _clear_leftovers(context)
    put_back_keys(context)
    prepare_clone(context.store.repo, context.store.root)
    complete_attributes(context)
    settle_unmerged(context)
    broken = _broken(context)
    for path in sorted(broken.keys() - _of_newer_format(context, broken)):
        before = contents_at(context, context.store.repo.head(), [path]).get(path)
        if before is not None:
            set_aside(context, path)
            context.store.put_file(path, before)
    index = context.store.local / "index.db"
    if context.index is None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            index.with_name(index.name + suffix).unlink(missing_ok=True)
    _mend_history(context)


def _clear_leftovers(context: Context) -> None:
    """Take half-written files out of the way of all that follows, which reads the log; what is in conflict is settled later."""
    with context.store.lock, suppress(Unmerged):
        context.store.refresh()
        now = under_way(context.store.repo)
        drop_leftovers(context, [context.store.repo.head(), *(now.merging if now else ())])


def _mend_history(context: Context) -> None:
    """Bring back what the history lost, sign for what came in unsigned, and see to the keys. Only a member can, on a branch."""
    if context.store.repo.branch() is not None and any(member.me for member in members(context)):
        heal(context, whole=True)
        attest(context)
        keep_keys(context)


def _merge(context: Context) -> tuple[bool, str, str]:
    now = under_way(context.store.repo)
    if now is None:
        return True, "none is under way", ""
    return False, f"a {now.name} is under way", "gitmem doctor --fix"


def _history(context: Context) -> tuple[bool, str, str]:
    """Whether some merge or revert took something from the store that is not back yet."""
    lost = unhealed(context)
    some = ", ".join(lost[:_SHOWN])
    why = f"{len(lost)} files lost something in git's history: {some}" if lost else "no commit took anything from the store"
    return not lost, why, "gitmem doctor --fix"


def _configuration(context: Context) -> tuple[bool, str, str]:
    problems = setup.check(context.store.repo)
    return _of(problems, "merge strategy, driver and durability are set up")


def _hooks(context: Context) -> tuple[bool, str, str]:
    return _of(hooks.check(context.store.repo), "installed")


def _of(problems: list[setup.Problem], fine: str) -> tuple[bool, str, str]:
    said = "; ".join(f"{problem.name} {problem.why}" for problem in problems)
    return not problems, said or fine, problems[0].fix if problems else ""


def _key(context: Context) -> tuple[bool, str, str]:
    vault = context.store.vault
    identity = vault.identity
    sealed = [] if vault.plain else [name for name in vault.scopes() if not vault.opens(name)]
    warnings = [str(warning) for warning in getattr(vault.identities, "warnings", [])]
    less = f", all but: {', '.join(sealed)}" if sealed else ""
    return not warnings, "; ".join(warnings) or f"{identity.source} opens the store{less}", "chmod 600 the identity file"


def _membership(context: Context) -> tuple[bool, str, str]:
    me = [member.name for member in members(context) if member.me]
    if me:
        return True, f"you are {me[0]}", ""
    return (
        False,
        "your signing key is not enrolled: the team cannot tell who wrote your records",
        "gitmem join, then a member runs `gitmem member add`",
    )


def _readers(context: Context) -> tuple[bool, str, str]:
    """Whether new values are sealed with keys that only members have: one that was made while somebody was being removed may
    be wrapped to them."""
    vault = context.store.vault
    if vault.plain:
        return True, "the store is open: everybody reads it", ""
    for scope, names in strangers(context, members_of(context)).items():
        why = f"the newest key of {scope} is wrapped to {', '.join(names)}, who may not read it"
        return False, why, f"gitmem key rotate --scope {scope}"
    return True, "the newest keys are wrapped to members alone", ""


def _records(context: Context) -> tuple[bool, str, str]:
    broken = _broken(context)
    newer = _of_newer_format(context, broken)
    some = "; ".join(list(broken.values())[:_SHOWN])
    total = sum(1 for _ in (context.store.root / MEMORY).rglob("*.yaml"))
    fix = "gitmem doctor --fix" if broken.keys() - newer else "upgrade gitmem-store"
    return not broken, some or f"{total:,} record files are sound", fix


def _of_newer_format(context: Context, broken: Iterable[str]) -> set[str]:
    """Broken files that are sound to a newer gitmem: they are left alone."""
    files = ((path, read_bounded(inside(context.store.root, path), MAX_BYTES)) for path in broken)
    return {path for path, data in files if data is not None and is_newer(data)}


def _broken(context: Context) -> dict[str, str]:
    """Record files that cannot be read, authenticated, or that hold plaintext in a sealed store: path -> why."""
    store = context.store
    broken: dict[str, str] = {}
    for file in sorted((store.root / MEMORY).rglob("*.yaml")):
        path = file.relative_to(store.root).as_posix()
        try:
            state = store.read_file(path)
            if state is not None:
                refuse_plaintext(context, state, path)
                open_state(store.vault, state)
        except GitmemError as error:
            if error.exit_code != 12:
                broken[path] = error.message
    return broken


def _kinds(context: Context) -> tuple[bool, str, str]:
    problems = context.kinds.check()
    return not problems, "; ".join(map(str, problems)) or f"{len(context.kinds.names())} kinds", "mend the schema it names"


def _journal(context: Context) -> tuple[bool, str, str]:
    damaged = context.store.journal.damaged
    waiting = len(context.store.pending)
    if damaged:
        return False, "; ".join(damaged[:_SHOWN]), "gitmem commit"
    return True, f"{waiting} records wait for a commit" if waiting else "nothing waits for a commit", ""


def _index(context: Context) -> tuple[bool, str, str]:
    index = current_index(context)
    sealed = index.count_sealed()
    return True, f"{index.count():,} records{f', {sealed:,} of them sealed' if sealed else ''}", ""


def _work_tree(context: Context) -> tuple[bool, str, str]:
    waiting = set(context.store.pending.paths())
    strange = [path for path in own_changes(context) if path not in waiting]
    missing = [path for path in strange if is_record_path(path) and not (context.store.root / path).exists()]
    if missing:
        raise InvalidRecord(
            f"{len(missing)} record files are gone from the work tree: {missing[0]} …", "gitmem commit puts them back"
        )
    return True, f"{len(strange)} files were changed by hand" if strange else "as committed", ""
