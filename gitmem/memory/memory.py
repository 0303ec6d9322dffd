"""The facade: what the command line, the MCP server and other programs call."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gitmem.memory.context import Context

if TYPE_CHECKING:
    from gitmem.core.record import Json
    from gitmem.crypto.identity import Ask
    from gitmem.errors import GitmemError
    from gitmem.memory.auditing.audit import AuditReport
    from gitmem.memory.backups.create import Backup
    from gitmem.memory.backups.drill import DrillReport
    from gitmem.memory.backups.restore import RestoreReport
    from gitmem.memory.backups.rotate import RotationReport
    from gitmem.memory.backups.verify import BackupReport
    from gitmem.memory.members.removal import Removed
    from gitmem.memory.members.rotation import Rotated
    from gitmem.memory.reports import Committed, Member, Status, SyncReport
    from gitmem.memory.results import Hit, Match, Record
    from gitmem.memory.upkeep.gc import GcReport


class Memory:
    """An open store. Use it as a context manager:

        with Memory.open(".") as memory:
            for match in memory.match(error_text):
                ...

    Every write is on the disk when its method returns. All errors a caller can act on are `GitmemError`.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    @classmethod
    def open(  # noqa: PLR0913 (by name)
        cls,
        path: str | Path = ".",
        *,
        identity: Path | None = None,
        env: Mapping[str, str] | None = None,
        ask: Ask | None = None,
        agent: str | None = None,
        reopen: bool = False,
    ) -> Memory:
        """Open the store at or above `path`.

        `identity` names a key file, `env` is the environment to look for one in (the process's own by default), `ask` asks a
        person for the passphrase of an SSH key (None: such a key is passed over). `agent` is the name of the agent at work
        (GITMEM_AGENT by default): what it records goes to its own scope unless a call names another. `reopen` first puts back
        what a store is opened with, where a `git revert` took it: for who goes on to `sync` or to repair.
        Raises NoStore, InvalidRecord, UsageError for what is no name; keys are looked for only when one is needed.
        """
        from gitmem.crypto.lookup import find_identities
        from gitmem.memory.members.scopes import agent_name
        from gitmem.memory.privacy.redaction import own_names
        from gitmem.store.kinds import Kinds
        from gitmem.store.opening import open_store

        env = os.environ if env is None else env
        identities = find_identities(identity, env=env, ask=ask)
        if reopen:
            from gitmem.memory.syncing.reopening import reopened

            store, put_back = reopened(Path(path), identities)
        else:
            store, put_back = open_store(Path(path), identities), set()
        agent = agent_name(agent, env)
        return cls(Context(store, Kinds(store.root), agent=agent, put_back=put_back, names=own_names(env), env=env))

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open; nothing is pending that would be lost without it."""
        if self.context.index is not None:
            self.context.index.close()
        self.context.store.close()

    def learn(
        self,
        kind: str,
        fields: Mapping[str, Any],
        tags: Iterable[str] = (),
        scope: str | None = None,
        *,
        redact: bool | None = None,
    ) -> Record:
        """Record something learned. What has the same identity in its scope is updated; `created` tells which it was.

        Without a `scope` the whole team can read it, but what an agent records is its own (`agents/<name>`).
        Secrets and personal data are replaced first, by the policy of the store, and `redacted` tells what;
        `redact=False` keeps them.
        Raises InvalidRecord naming the field at fault, NoKey.
        """
        from gitmem.memory.recording.learn import learn, prepare

        return learn(self.context, prepare(self._writing(redact), kind, fields, tags, scope))

    def match(
        self, text: str, limit: int = 5, context: Mapping[str, str] | None = None, scope: str | None = None
    ) -> list[Match]:
        """The records that answer an error text (a line or a whole log), best first; empty when none is close enough.

        Here as below: records of one `scope`, or of every scope that the caller can open.
        """
        from gitmem.memory.recall import match

        return match(self.context, text, limit, context, scope)

    def used(self, id: str, *, fixed: bool, ms: int | None = None) -> None:  # noqa: A002 - the promised name
        """Count one try of a record: whether it fixed the problem, and how long that took in milliseconds."""
        from gitmem.memory.recording.counting import used

        used(self.context, id, fixed=fixed, ms=ms)

    def search(self, text: str, kind: str | None = None, limit: int = 10, scope: str | None = None) -> list[Hit]:
        """Records that hold the words, best first."""
        from gitmem.memory.recall import search

        return search(self.context, text, kind, limit, scope)

    def get(self, id: str) -> Record:  # noqa: A002 - the promised name
        """One record by its id or any unique beginning of it."""
        from gitmem.memory.showing import get

        return get(self.context, id)

    def records(
        self, kind: str | None = None, tag: str | None = None, scope: str | None = None, limit: int = 50
    ) -> list[Record]:
        """Records that stand, the latest changed first; those that no key of the caller opens are `sealed`."""
        from gitmem.memory.showing import listing

        return listing(self.context, kind, tag, scope, limit)

    def edit(
        self,
        id: str,  # noqa: A002 - the promised name
        fields: Mapping[str, Any],
        *,
        replace: bool = False,
        redact: bool | None = None,
    ) -> Record:
        """Change fields of a record; None removes one. With `replace` fields that are not named are removed.

        What is written is redacted as in `learn`.
        """
        from gitmem.memory.recording.learn import edit

        return edit(self._writing(redact), id, fields, replace=replace)

    def forget(self, id: str) -> Record:  # noqa: A002 - the promised name
        """Delete a record."""
        from gitmem.memory.recording.learn import forget

        return forget(self.context, id)

    def conflicts(self, scope: str | None = None) -> list[Record]:
        """Records with concurrent values that wait for a person."""
        from gitmem.memory.showing import conflicts

        return conflicts(self.context, scope)

    def resolve(
        self,
        id: str,  # noqa: A002 - the promised name
        field: str,
        *,
        pick: str | None = None,
        value: Json = None,
        redact: bool | None = None,
    ) -> Record:
        """Settle a field in conflict with the value of dot `pick`, or with a new `value`, redacted as in `learn`."""
        from gitmem.memory.recording.learn import resolve

        return resolve(self._writing(redact), id, field, pick, value)

    def keep(self, id: str) -> Record:  # noqa: A002 - the promised name
        """Settle a deletion that crossed somebody's edit: the record stands. `forget` settles it the other way."""
        from gitmem.memory.recording.learn import keep

        return keep(self.context, id)

    def commit(self, message: str | None = None, *, redact: bool | None = None) -> Committed | None:
        """Commit what was recorded; None when there was nothing. The `message` is redacted as in `learn`."""
        from gitmem.memory.committing.commit import commit
        from gitmem.memory.privacy.redaction import in_the_clear

        said, found = in_the_clear(self._writing(redact), "message", message)
        made = commit(self.context, said)
        return made and dataclasses.replace(made, redacted=found)

    def sync(self) -> SyncReport:
        """Commit, take in what the team has, and push."""
        from gitmem.memory.syncing.sync import sync

        return sync(self.context)

    def watch(self, every: float = 60.0) -> Iterator[SyncReport | GitmemError]:
        """Sync about every `every` seconds and soon after each write of this clone, for ever.

        Yields the report of each sync that moved something, and an error when syncs begin to fail; they are tried again.
        """
        from gitmem.memory.syncing.watch import watch

        return watch(self.context, every)

    def status(self) -> Status:
        """How the store stands on this replica."""
        from gitmem.memory.status import status

        return status(self.context)

    def gc(self, *, retire: str | None = None, dry_run: bool = False) -> GcReport:
        """Collect what is left of forgotten records that every replica has heard of, after retiring one by name."""
        from gitmem.memory.upkeep.gc import gc

        return gc(self.context, retire=retire, dry_run=dry_run)

    def members(self) -> Iterable[Member]:
        """Everybody who may read the store."""
        from gitmem.memory.members.roster import members

        return members(self.context)

    def invite(self, name: str, *, role: str = "member", days: int = 7, scopes: Iterable[str] = ()) -> str:
        """A line by which somebody knows this store and asks to become a member of it, once. Only an admin's counts.

        Whoever is accepted by it can read these scopes as well as the team's; we must belong to them.
        """
        from gitmem.memory.members.inviting import invite

        return invite(self.context, name, role, days, scopes).line()

    def join(self, name: str, invitation: str = "") -> str:
        """The line that asks for membership under a name, for an admin to accept; raises NoKey without an identity.

        With an invitation this clone is first held against what the inviter had seen.
        """
        from gitmem.memory.members.joining import ask

        return ask(self.context, name, invitation).line()

    def add_member(self, request: str, *, role: str = "member") -> Member:
        """Accept the line that somebody else's `join` gave. Compare the fingerprint with them first."""
        from gitmem.memory.members.joining import add_member
        from gitmem.memory.members.requesting import parse_request

        return add_member(self.context, parse_request(request), role)[0]

    def recover(self, name: str, recovery: Path | str) -> None:
        """Come back in as a member (a new admin, where nobody has the name) with the file of the recovery identity."""
        from gitmem.memory.members.joining import ask
        from gitmem.memory.members.recovery import read_identity, recover

        recover(self.context, read_identity(Path(recovery)), ask(self.context, name))

    def set_role(self, name: str, role: str) -> None:
        """Say what a member may do from here on: admin, member, service or reader."""
        from gitmem.memory.members.removal import set_role

        set_role(self.context, name, role)

    def remove_member(self, name: str, *, dry_run: bool = False) -> Removed:
        """Let a member go, with new keys for what they could read; the result lists that."""
        from gitmem.memory.members.removal import remove

        return remove(self.context, name, dry_run=dry_run)

    def rotate(self, *scopes: str) -> Rotated:
        """Make a new key for scopes (for all that we open), and seal with it what stands."""
        from gitmem.memory.members.rotation import rotate

        return rotate(self.context, scopes)

    def verify(self, *, full: bool = False) -> AuditReport:
        """Check the audit log against the history, offline; with `full` also what this clone has verified before."""
        from gitmem.memory.auditing.verifying import verify_store

        return verify_store(self.context, full=full)

    def backup(self, to: str | None = None, *, full: bool | None = None, sealed: bool = True) -> Backup:
        """Back up everything recorded so far to a directory or URL; `full` or what changed since, as fits unless it is said."""
        from gitmem.memory.backups.create import create

        return create(self.context, to, full=full, sealed=sealed)

    def backups(self, where: str | None = None) -> list[Backup]:
        """The backups at a directory or URL (where they went last by default), the oldest first."""
        from gitmem.memory.backups.create import backups

        return backups(self.context, where)

    def verify_backups(self, where: str | None = None, *, deep: bool = False) -> BackupReport:
        """Check all backups there: hashes, signatures, the chain; with `deep` by rebuilding each set. Problems are reported."""
        from gitmem.memory.backups.verify import verify

        return verify(self.context, where, deep=deep)

    def drill(self, where: str | None = None, *, at: str | None = None) -> DrillReport:
        """Restore a backup (the newest, or the one named) in a temporary directory, and open and validate all its records."""
        from gitmem.memory.backups.drill import drill

        return drill(self.context, where, at=at)

    def rotate_backups(
        self, where: str | None = None, *, last: int | None = None, days: int | None = None, dry_run: bool = False
    ) -> RotationReport:
        """Let old sets of backups go, but for the newest `last` and those of the last `days`: the store's policy by default."""
        from gitmem.memory.backups.rotate import rotate

        return rotate(self.context, where, last=last, days=days, dry_run=dry_run)

    def restore(  # noqa: PLR0913 (by name)
        self,
        at: str | None = None,
        *,
        scope: str | None = None,
        kind: str | None = None,
        id: str | None = None,  # noqa: A002 - the promised name
        replace: bool = False,
        dry_run: bool = False,
    ) -> RestoreReport:
        """Bring records back to what they were at a time, WRITER:SEQ, backup or snapshot; the newest backup by default.

        What was written since stands, unless with `replace`. Nothing is changed with `dry_run`.
        """
        from gitmem.memory.backups.restore import Selection, restore

        return restore(self.context, at, Selection(scope, kind, id), replace=replace, dry_run=dry_run)

    def _writing(self, redact: bool | None) -> Context:
        """The context to write with: it redacts unless it was told not to, for good or for this call."""
        return self.context if redact is None else dataclasses.replace(self.context, redact=redact)
