"""Finding out what is wrong with a store on this machine, and mending what can be mended without asking."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gitmem.core.membership.members import Members
from gitmem.core.nearest import counted
from gitmem.errors import GitmemError
from gitmem.git import hooks, setup
from gitmem.git.damage import set_heads_aside
from gitmem.git.lost_head import lacks_format
from gitmem.git.underway import broken_heads, under_way
from gitmem.memory.auditing import pins
from gitmem.memory.auditing.attest import attest
from gitmem.memory.catchup import drop_index
from gitmem.memory.checkup import contents, machine
from gitmem.memory.checkup.halves import set_aside
from gitmem.memory.checkup.machine import Told
from gitmem.memory.checkup.salvage import salvage
from gitmem.memory.committing.branch import refuse_sparse
from gitmem.memory.committing.commit import has_past
from gitmem.memory.committing.held import Unmerged, contents_at
from gitmem.memory.committing.leftovers import drop_leftovers, forget_staged
from gitmem.memory.committing.moving import finish_move
from gitmem.memory.context import TEAM, Context
from gitmem.memory.founding.found import prepare_clone
from gitmem.memory.members.folded import members_of
from gitmem.memory.members.keeping import keep_keys
from gitmem.memory.members.roster import members, my_name
from gitmem.memory.members.rotation import strangers
from gitmem.memory.privacy.erase import erase_again, undone
from gitmem.memory.syncing.enforcing import enforce
from gitmem.memory.syncing.heal import heal, unhealed
from gitmem.memory.syncing.reopening import complete_attributes, put_back_footing
from gitmem.memory.syncing.unmerged import settle_unmerged
from gitmem.store.layout import AUDIT, DAMAGED, EVENTS, is_record_path

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `why` says what was found, `fix` the next command where it is not ok."""

    name: str
    ok: bool
    why: str
    fix: str = ""


def doctor(context: Context, *, fix: bool = False) -> list[Check]:
    """Run every check; with `fix` mend first what is safe to mend. Only locks that nobody holds and the index are removed."""
    if fix:
        _mend(context)
    found = contents.faults(context)
    checks: list[tuple[str, Callable[[Context], Told]]] = [
        ("locks", machine.locks),
        ("own files", machine.places),
        ("permissions", machine.permissions),
        ("disk", machine.disk),
        ("clock", machine.clock),
        ("git configuration", _configuration),
        ("hooks", _hooks),
        ("objects", contents.objects),
        ("branch", contents.branch),
        ("key", _key),
        ("membership", _membership),
        ("readers", _readers),
        ("merge", _merge),
        ("records", partial(contents.records, found=found)),
        ("plaintext", partial(contents.plaintext, found=found)),
        ("history", _history),
        ("kinds", _kinds),
        ("journal", contents.journal),
        ("index", contents.index),
        ("work tree", contents.work_tree),
        ("backup", machine.backup),
    ]
    return [_run(context, name, check) for name, check in checks]


def _run(context: Context, name: str, check: Callable[[Context], Told]) -> Check:
    try:
        return Check(name, *check(context))
    except GitmemError as error:
        return Check(name, False, error.message, error.hint)
    except OSError as error:  # a directory where a file belongs, for one
        return Check(name, False, f"{error.filename}: {(error.strerror or str(error)).lower()}", "gitmem doctor --fix")


def _mend(context: Context) -> None:
    """In this order: without its locks, HEAD and objects git can do nothing; what is signed for at the end has to be sound."""
    machine.mend_locks(context)
    contents.mend_head(context)
    machine.mend_permissions(context)
    if _is_sparse(context):  # what is not checked out would be taken for gone
        prepare_clone(context.store.repo, context.store.root)
        return
    salvage(context)
    if context.store.repo.head() is None and has_past(context):
        return  # an orphan branch: nothing there tells what is right, and its index and files are left alone
    with context.store.lock:
        set_heads_aside(context.store.repo, context.store.local / DAMAGED)
    contents.mend_ways(context)
    contents.mend_files(context)
    _clear_leftovers(context)
    put_back_footing(context)
    prepare_clone(context.store.repo, context.store.root)
    complete_attributes(context)
    contents.mend_journal(context)
    settle_unmerged(context)
    _clear_leftovers(context)  # those of a merge that was under way
    contents.mend_records(context)
    drop_index(context)
    _mend_history(context)


def _is_sparse(context: Context) -> bool:
    try:
        refuse_sparse(context)
    except GitmemError:
        return True
    return False


def _clear_leftovers(context: Context) -> None:
    """Take half-written files out of the way of all that follows, which reads the log; what is in conflict is settled later."""
    store = context.store
    with store.lock, suppress(Unmerged):
        store.refresh()
        now, head = under_way(store.repo), store.repo.head()
        finish_move(context)
        changed = drop_leftovers(context, [head, *(now.merging if now else ())])
        if now is None:
            _put_back(context, head, changed)


def _put_back(context: Context, head: str | None, changed: list[str]) -> None:
    """What HEAD holds of logs, which are only added to, stands again, and what a power loss or a hand made of it is set aside;
    records that are gone are written again. What only the index holds of either is the rest of a merge that came to nothing."""
    logs = [path for path in changed if path.startswith((f"{AUDIT}/", f"{EVENTS}/"))]
    gone = {path for path in changed if not os.path.lexists(context.store.root / path)}
    held = contents_at(context, head, [*logs, *(path for path in gone if is_record_path(path))])
    for path, data in held.items():
        if path not in gone:
            set_aside(context, path)
        context.store.put_file(path, data)
    forget_staged(context, {path for path in gone - held.keys() if path in logs or is_record_path(path)})


def _mend_history(context: Context) -> None:
    """Bring back what the history lost, sign for what came in unsigned, and see to the keys. Only a member can, on a branch."""
    if context.store.repo.branch() is not None and any(member.me for member in members(context)):
        heal(context, whole=True)
        enforce(context)
        attest(context)
        with context.store.lock:
            erase_again(context)
        keep_keys(context)


def _merge(context: Context) -> Told:
    if broken := broken_heads(context.store.repo):
        return False, f"{', '.join(file.name for file in broken)} names no commit: it was cut off", "gitmem doctor --fix"
    now = under_way(context.store.repo)
    if now is None:
        return True, "none is under way", ""
    return False, f"a git {now.name} is under way", "gitmem doctor --fix"


def _history(context: Context) -> Told:
    """Whether some merge, revert or reset took something from the store that is not back yet."""
    if lost := unhealed(context):
        some = ", ".join(lost[:_SHOWN])
        return False, f"of {counted(len(lost), 'file')} something was lost in git's history: {some}", "gitmem doctor --fix"
    if again := undone(context):
        return (
            False,
            f"{counted(len(again), 'record')} erased, and a reset or a restore went back behind the commit that says so",
            "gitmem doctor --fix",
        )
    if gone := pins.lost_here(context):
        why = f"HEAD is behind what this clone had: {gone[0].where}: {gone[0].why}"
        return False, why, "gitmem sync, as long as another clone has it; else a backup may: gitmem backup list"
    return True, "no commit took anything from the store", ""


def _configuration(context: Context) -> Told:
    if lacks_format(context.store.repo):
        return False, "objects are named by SHA-256 and git is not told so: it reads none of them", "gitmem doctor --fix"
    problems = setup.check(context.store.repo)
    return _of(problems, "merge strategy, driver and durability are set up")


def _hooks(context: Context) -> Told:
    return _of(hooks.check(context.store.repo), "installed")


def _of(problems: list[setup.Problem], fine: str) -> Told:
    said = "; ".join(f"{problem.name} {problem.why}" for problem in problems)
    return not problems, said or fine, problems[0].fix if problems else ""


def _key(context: Context) -> Told:
    vault = context.store.vault
    identity = vault.identity
    sealed = [] if vault.plain else [name for name in vault.scopes() if not vault.opens(name)]
    less = f", all but: {', '.join(sealed)}" if sealed else ""
    if lacking := _lacking(context, sealed):
        why = f"{identity.source} does not open {lacking[0]}, to which you belong"
        return False, why, f"gitmem scope grant {lacking[0]} {my_name(context)}, by one who opens it; or gitmem key recover"
    return True, f"{identity.source} opens the store{less}", ""


def _lacking(context: Context, sealed: list[str]) -> list[str]:
    """Those scopes sealed to us that we belong to: their newest keys were made for another identity of ours."""
    who, me = members_of(context) if sealed else Members(), my_name(context)
    ours = [scope for scope in sealed if scope == TEAM or scope in who.scopes]  # of others nothing says whose they are
    return [scope for scope in ours if me in {member.name for member in who.readers(scope)}]


def _membership(context: Context) -> Told:
    me = [member.name for member in members(context) if member.me]
    if me:
        return True, f"you are {me[0]}", ""
    why = "your signing key is not enrolled: the team cannot tell who wrote your records"
    gone = contents.members_gone(context)
    return False, why, "gitmem doctor --fix" if gone else "gitmem join, then a member runs `gitmem member add`"


def _readers(context: Context) -> Told:
    """Whether new values are sealed with keys that only members have: one that was made while somebody was being removed may
    be wrapped to them."""
    refuse_sparse(context)
    vault = context.store.vault
    if vault.plain:
        return True, "the store is open: everybody reads it", ""
    for scope, names in strangers(context, members_of(context)).items():
        why = f"the newest key of {scope} is wrapped to {', '.join(names)}, who may not read it"
        return False, why, f"gitmem key rotate --scope {scope}"
    return True, "the newest keys are wrapped to members alone", ""


def _kinds(context: Context) -> Told:
    problems = context.kinds.check()
    return not problems, "; ".join(map(str, problems)) or f"{len(context.kinds.names())} kinds", "mend the schema it names"
