"""Founding a store, and making a clone of one ready to work in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.ids import random_id
from gitmem.core.membership.members import RECOVERY, genesis_detail
from gitmem.core.record import State
from gitmem.errors import GitmemError
from gitmem.git.attributes import with_own_lines
from gitmem.git.beside import own_settings, settle_on
from gitmem.git.create import create, repository_around
from gitmem.git.hooks import install_hooks
from gitmem.git.places import chosen
from gitmem.git.remote import upstream
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from gitmem.memory.committing.commit import Extra, commit
from gitmem.memory.context import TEAM, Context, utc_now
from gitmem.memory.founding.ground import check_empty, check_ground, check_other_store
from gitmem.memory.founding.unfinished import clear_unfinished, is_founded
from gitmem.memory.members.enrolment import member_file
from gitmem.memory.members.person import Person
from gitmem.memory.members.roster import check_name, name_from, remember_name
from gitmem.store.config import KIND, PLAIN, SEALED
from gitmem.store.files import read_bounded, write_atomic
from gitmem.store.kinds import Kinds
from gitmem.store.layout import ATTRIBUTES, CONFIG, STORE_SCOPE, key_path
from gitmem.store.place import local_of
from gitmem.store.replica import begin_replica, load_replica
from gitmem.store.store import Store


@dataclass(frozen=True, slots=True)
class Founded:
    """A store that was made: its id, its founder, where their identity lies, and where the recovery identity was put.

    `branch` is the branch it has for itself. Where somebody else had founded it there (`taken_up`), there is no founder to tell
    of: `member` is empty. `shared`: there is a remote that `sync` will use.
    """

    root: str
    store: str
    member: str
    identity: str
    new_identity: bool
    recovery: str | None
    commit: str
    notes: list[str]
    branch: str | None = None
    taken_up: bool = False
    shared: bool = False


def init(root: Path, person: Person, *, plain: bool = False, name: str | None = None) -> Founded:
    """Make a store at `root`: at the top of a repository or in a directory of it, in a new repository if there is none.

    Raises GitmemError, with nothing changed, where a store is already, or something of somebody else's is in the way.
    """
    root = Path(os.path.realpath(root))
    repo = repository_around(root)
    if repo is None:
        check_empty(root)
        return _in_a_new_repository(root, person, plain=plain, name=name)
    prefix = prefix_of(repo, root)
    if is_founded(repo, prefix):
        raise GitmemError(f"{root} holds a gitmem store already", "`gitmem status` shows it")
    check_other_store(repo, prefix)
    return found(root, repo, person, plain=plain, name=name)


def _in_a_new_repository(root: Path, person: Person, *, plain: bool, name: str | None) -> Founded:
    """Make the repository and its store; where that fails it goes again, and so does a directory that was made for it."""
    made = not root.exists()
    repo = create(root)
    try:
        return found(root, repo, person, plain=plain, name=name)
    except BaseException:
        if not is_founded(repo, ""):
            repo.close()
            shutil.rmtree(repo.git_dir)
        if made:
            with suppress(OSError):  # something lies in it
                root.rmdir()
        raise


def found(root: Path, repo: Repo, person: Person, *, plain: bool, name: str | None) -> Founded:
    """Make the store of a repository that has none; what an earlier try left is cleared away first, and after a failure."""
    member = check_name(name) if name else default_name(repo, person.env)
    clear_unfinished(root, repo)
    prefix = prefix_of(repo, root)
    check_ground(repo, prefix)
    root.mkdir(parents=True, exist_ok=True)
    try:
        return _found(root, repo, person, member, plain)
    except BaseException:
        if not is_founded(repo, prefix):
            clear_unfinished(root, repo)
        raise


def prefix_of(repo: Repo, root: Path) -> str:
    """Where in its repository a store's root lies: empty at the top, else ending in a slash."""
    relative = os.path.relpath(root, repo.root)
    return "" if relative == "." else f"{relative}/"


def _found(root: Path, repo: Repo, person: Person, member: str, plain: bool) -> Founded:
    identity, fresh = person.identity()
    store_id = random_id("s", int(utc_now().timestamp() * 1000), os.urandom(10))
    config = _config_state(store_id, plain, repo)
    write_atomic(root / CONFIG, emit(config), durable=True)
    notes = prepare_clone(repo, root)
    context = Context(Store(root, repo, [identity]), Kinds(root))
    try:
        extras, recovery = _founding_files(context, member, config, person)
        made = commit(context, f"gitmem: a new store, founded by {member}", extras)
    finally:
        context.store.close()
    shared = upstream(repo, repo.branch()) is not None
    return Founded(
        str(root), store_id, member, identity.source, fresh, recovery, made.commit if made else "", notes, shared=shared
    )


def prepare_clone(repo: Repo, root: Path) -> list[str]:
    """Configure git in this clone and install the hooks; returns what a person should know (empty: all is well)."""
    prefix = prefix_of(repo, root)
    branch = chosen(repo).branch
    if branch:
        settle_on(repo, branch, repo)
    file = own_settings(repo) if branch else None
    return [*configure(repo, prefix, file), *install_hooks(repo, prefix)]


def default_name(repo: Repo, env: Mapping[str, str]) -> str:
    """The member name that git's user name or the account suggests."""
    candidates = (repo.config_get("user.name") or "", env.get("USER", ""), env.get("LOGNAME", ""))
    names = [name for name in map(name_from, candidates) if name]
    return names[0] if names else "me"


def _config_state(store_id: str, plain: bool, repo: Repo) -> State:
    local = local_of(repo)
    local.mkdir(mode=0o700, parents=True, exist_ok=True)
    replica = load_replica(local) or begin_replica(local)
    pen = Pen(State(KIND, 1, STORE_SCOPE, store_id), replica.writer)
    pen.set("encryption", unsealed(PLAIN if plain else SEALED))
    pen.live()
    return pen.state


def _founding_files(context: Context, member: str, config: State, person: Person) -> tuple[list[Extra], str | None]:
    root, identity = context.store.root, context.store.vault.identity
    key = context.store.vault.signing_key().public
    keys, told, file = ([], None, None) if context.store.config.plain else _first_keys(context, member, person)
    facts = genesis_detail(member, identity.recipient, key, context.store.id, told)
    remember_name(context, member)
    extras = [
        Extra(CONFIG, emit(config), "init", facts),
        member_file(context, member, [identity.recipient], [key], "admin"),
        Extra(ATTRIBUTES, with_own_lines(read_bounded(root / ATTRIBUTES, 1 << 20) or b""), "config"),
    ]
    return [*extras, *keys], file


def _first_keys(context: Context, member: str, person: Person) -> tuple[list[Extra], tuple[str, str], str]:
    """The team's first key, the recovery identity's recipient and signing key, and the file that the identity went to."""
    from gitmem.crypto.identity import new_recovery
    from gitmem.crypto.keys import new_epoch, wrap
    from gitmem.crypto.signing import SigningKey

    identity = context.store.vault.identity
    recovery = new_recovery()
    file = person.folder / f"recovery-{context.store.id}.txt"
    note = "# gitmem recovery identity: move this file off this machine; it opens the store when every member's key is lost\n"
    write_atomic(file, f"{note}{recovery.reveal()}\n".encode(), mode=0o600, durable=True)
    epoch = new_epoch(TEAM, 1)
    context.store.vault.adopt(epoch, identity)
    extras = [
        Extra(key_path(TEAM, epoch.epoch, who), wrap(epoch, recipient), "key", {"member": who, "commitment": epoch.commitment})
        for who, recipient in ((member, identity.recipient), (RECOVERY, recovery.recipient))
    ]
    signs = SigningKey.derive(recovery.secret_bytes(), context.store.id).public
    return extras, (recovery.recipient, signs), str(file)
