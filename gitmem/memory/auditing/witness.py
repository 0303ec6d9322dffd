"""Witnesses of the log: statements that anybody can keep, and a second remote that only ever goes forward."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import ROOT, Problem
from gitmem.core.auditing.pin import CUT, FOUNDED, REWRITTEN, held_against
from gitmem.core.auditing.witness import Witness, check_witness, parse_witness, signed, witnessed
from gitmem.errors import GitmemError, NoStore, RemoteError, UsageError
from gitmem.git import remote
from gitmem.git.remote import WITNESSED
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.pins import founder, holds
from gitmem.memory.context import Context
from gitmem.memory.members.roster import my_name
from gitmem.memory.privacy.rewritten import explained, leave, tidy_up

_REF = "refs/gitmem/witness/"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What came of having a remote witness the log: the ref there, whether it took HEAD, and what HEAD lacks of it.

    `notes` say what of a history that was rewritten to erase records could not be forgotten here.
    """

    remote: str
    ref: str
    pushed: bool
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def state(context: Context, key: Path | None = None) -> bytes:
    """A statement of what HEAD's log holds, signed by this member, or by the SSH key in a file.

    Raises NoKey, NoStore without a commit, Tampered for a log that cannot be read.
    """
    log = _log(context)
    ends, roots = witnessed(log.segments())
    head, genesis = context.store.repo.head() or "", founder(log.beginnings())
    if key is None:
        mine = context.store.vault.signing_key()
        seen = Witness(context.store.id, genesis, head, context.now(), my_name(context), ends, roots)
        return signed(seen, mine.sign, mine.public)
    from gitmem.crypto.signing import fingerprint
    from gitmem.crypto.ssh_tool import public_of, sign_with

    public = public_of(key)
    seen = Witness(context.store.id, genesis, head, context.now(), fingerprint(public), ends, roots)
    return signed(seen, lambda data: sign_with(key, data), public)


def check(context: Context, statement: bytes) -> tuple[list[Problem], str]:
    """What HEAD's log lacks of what a statement says, and in words who signed it when.

    Raises UsageError for what is no statement about this store, Tampered where its signature does not hold.
    """
    from gitmem.crypto.signing import fingerprint, verify

    seen, body, key, signature = parse_witness(statement)
    if seen.store != context.store.id:
        raise UsageError(f"this witness statement is about another store ({seen.store})", "name one about this store")
    verify(key, body, signature)
    log = _log(context)
    problems = check_witness(seen, log.segments())
    if founder(log.beginnings()) != seen.genesis:
        problems.append(Problem(FOUNDED, ROOT, f"the witness saw the founder's key {seen.genesis}"))
    return problems, f"witnessed {seen.time} by {seen.by}, key {fingerprint(key)}"


def push_to(context: Context, name: str) -> Witnessed:
    """Hold HEAD's log against what a remote witnessed last, and have it witness HEAD now.

    What it holds is replaced only where an administrator signed that this history was rewritten to erase records.
    Raises UsageError for a remote there is not, RemoteError where it cannot be reached.
    """
    repo, head = context.store.repo, context.store.repo.head()
    if repo.config_get(f"remote.{name}.url") is None:
        raise UsageError(f"there is no remote {name!r}", f"git remote add {name} URL")
    source = remote.Upstream(name, _REF + context.store.id, f"{WITNESSED}{name}")
    before = repo.ref(source.tracking)
    fetched = remote.fetch(repo, source)
    if fetched.rewritten:
        fetched = remote.fetch(repo, source, force=True)
    problems = [problem for commit in {before, fetched.commit} - {None} for problem in _lost(context, str(commit))]
    where = f"{name} {source.ref}"
    if before is not None and (fetched.commit is None or not _goes_on(context, before, fetched.commit)):
        problems.append(Problem(CUT, where, f"it held the commit {before[:12]} and does not any more"))
    if head is None or problems:
        return Witnessed(name, source.ref, pushed=False, problems=problems)
    if fetched.commit is not None and not _goes_on(context, fetched.commit, head):
        return Witnessed(name, source.ref, pushed=False, problems=[_unexplained(where, source.tracking, fetched.commit)])
    return Witnessed(name, source.ref, pushed=True, notes=_offer(context, source, head, fetched.commit))


def _goes_on(context: Context, before: str, after: str) -> bool:
    """Whether a history goes on from a commit, or is that one without what was erased, by a signed notice."""
    return holds(context.store.repo, after, before) or explained(context, before, after)


def _unexplained(where: str, tracking: str, commit: str) -> Problem:
    why = f"it holds the commit {commit[:12]}, which this history does not go on from, and no administrator signed that it"
    return Problem(REWRITTEN, where, f"{why} was rewritten; `git merge {tracking}` takes in honest work")


def _offer(context: Context, source: remote.Upstream, head: str, held: str | None) -> list[str]:
    """Push HEAD, in place of the history that a remote `held` if that is an old one; what still reaches that here, in words."""
    over = held if held is not None and not holds(context.store.repo, head, held) else None
    pushed = remote.push(context.store.repo, source, head, over)
    if pushed.outcome is not remote.Push.OK:
        raise RemoteError(f"{source.remote} did not take {source.ref}: {pushed.why}", "check the right to write there")
    context.store.repo.run("update-ref", source.tracking, head)
    if over is None:
        return []
    leave(context)
    return tidy_up(context)


def _lost(context: Context, commit: str) -> list[Problem]:
    """What HEAD's log lacks of that of a commit which was witnessed."""
    store, head = context.store, context.store.repo.head()
    if head is not None and holds(store.repo, head, commit):
        return []
    try:
        ends = LogAt(store.repo, store.prefix, commit).ends()
    except GitmemError as error:
        return [Problem("wrong witness", commit[:12], error.message)]
    return held_against(ends, _log(context).hash_at, "the witness")


def _log(context: Context) -> LogAt:
    head = context.store.repo.head()
    if head is None:
        raise NoStore("nothing was committed here yet", "`gitmem commit` first")
    return LogAt(context.store.repo, context.store.prefix, head)
