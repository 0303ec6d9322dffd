"""What this clone knows to have been in the store, kept outside the work tree: whatever loses any of it later is named.

For each branch a pin of its own, because branches differ honestly; for each remote and branch what was there last. Syncs and
successful verifications move them on. What this clone wrote and never shared is not pinned: taking that back is its own affair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from gitmem.core.auditing.audit import INIT, ROOT, Problem, Segment
from gitmem.core.auditing.pin import FOUNDED, Ends, Pin, frontier, held_against, parse_pin
from gitmem.errors import GitmemError, NoStore, Tampered, UsageError
from gitmem.git import remote
from gitmem.git.repo import Repo
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.context import Context
from gitmem.store.files import read_bounded, write_atomic

__all__ = ["Pin", "check_against", "parse_pin", "pin_of", "take_pin"]

_FILE: Final = "pins.json"
_MAX: Final = 16 << 20


def pin_of(context: Context) -> Pin:
    """A pin of what HEAD holds, as short as it can be. Raises NoStore without a commit, Tampered for a log that is broken."""
    head = context.store.repo.head()
    if head is None:
        raise NoStore("nothing was committed here yet", "`gitmem commit` first")
    log = LogAt(context.store.repo, context.store.prefix, head)
    ends = log.ends()
    return Pin(context.store.id, founder(log.beginnings()), head, frontier(log.segments(), ends) if len(ends) > 1 else ends)


def take_pin(context: Context, pin: Pin) -> None:
    """Hold this clone's branch against a pin from now on, as well as against what it knew before.

    Raises UsageError for a pin of another store, and for one of another founder than an earlier pin names.
    """
    if pin.store != context.store.id:
        raise UsageError(f"this pin is of another store ({pin.store})", "ask for one of this store")
    if context.store.repo.branch() is None:
        raise UsageError("HEAD is detached, and a pin is of a branch", "`git switch BRANCH`, then take the pin")
    known = kept(context)
    if known and known.genesis != pin.genesis:
        raise UsageError(f"this pin names another founder's key ({pin.genesis})", f"this clone knows {known.genesis}")
    _keep(context, pin if known is None else Pin(pin.store, pin.genesis, pin.commit, _latest(known.ends, pin.ends)))


def check_against(context: Context, pin: Pin) -> list[Problem]:
    """What HEAD lacks of all that was there when the pin was made; another founder is told as well."""
    repo, head = context.store.repo, context.store.repo.head()
    if pin.store != context.store.id or head is None:
        return [Problem(FOUNDED, ROOT, f"the pin is of the store {pin.store}, and this is {context.store.id}")]
    log = LogAt(repo, context.store.prefix, head)
    try:
        problems = other_founder(pin, log.beginnings())
    except Tampered as error:
        problems = [Problem(FOUNDED, ROOT, error.message)]
    return problems + held_against(pin.ends, log.hash_at, "the pin")


def other_founder(pin: Pin, beginnings: list[Segment]) -> list[Problem]:
    """Whether somebody else founded the store than the pin says. Raises Tampered where nobody can be told to have done so."""
    found = founder(beginnings)
    why = f"it was founded by the key {found}, and the pin names {pin.genesis}"
    return [] if found == pin.genesis else [Problem(FOUNDED, ROOT, why)]


def founder(beginnings: list[Segment]) -> str:
    """The fingerprint of the key that founded the store. Raises Tampered if there are two, or none."""
    from gitmem.crypto.signing import fingerprint

    keys = {segment.key for segment in beginnings if any(entry.op == INIT for entry in segment.entries)}
    if len(keys) != 1:
        raise Tampered(f"{len(keys)} keys begin the store, not one", "`gitmem audit verify`")
    return fingerprint(keys.pop())


def kept(context: Context) -> Pin | None:
    """The pin that this clone keeps for the branch that is checked out."""
    branch = context.store.repo.branch()
    return _pin(context.store.id, _load(context).get("branches", {}).get(branch)) if branch else None


def move_on(context: Context, ends: Mapping[str, tuple[int, str]], genesis: str, *, shared: bool) -> None:
    """Pin what HEAD holds, `ends`; of our own chains only where all of it is `shared`."""
    head, known = context.store.repo.head(), kept(context)
    mine = (context.store.replica.name, *context.store.marks.former())
    wanted = {writer: end for writer, end in ends.items() if shared or writer.rpartition("-")[0] not in mine}
    if head is not None and (wanted or known):
        _keep(context, Pin(context.store.id, genesis, head, _latest(known.ends if known else {}, wanted)))


def after_sync(context: Context, source: remote.Upstream, commit: str) -> list[str]:
    """Note what a remote and HEAD hold now, `commit`; in words what HEAD lacks of what this clone knew to be there."""
    repo, known = context.store.repo, kept(context)
    at = source.place
    if known is not None and known.commit == commit and _load(context).get("remotes", {}).get(at, {}).get("commit") == commit:
        return []
    log = LogAt(repo, context.store.prefix, commit)
    try:
        ends, genesis = log.ends(), founder(log.beginnings())
    except Tampered as error:
        return [error.message]
    problems: list[Problem] = []
    if known is not None and not holds(repo, commit, known.commit):
        problems = other_founder(known, log.beginnings()) + held_against(known.ends, log.hash_at, "this clone")
    if not problems:
        move_on(context, ends, genesis, shared=True)
    content = _load(context)
    content.setdefault("remotes", {})[at] = {"commit": commit, "ends": ends}
    _write(context, content)
    return [_told(problem) for problem in problems]


def lost_here(context: Context) -> list[Problem]:
    """What HEAD lacks of what this clone knew to be on its branch: a `git reset` went back behind it."""
    repo, head, known = context.store.repo, context.store.repo.head(), kept(context)
    if head is None or known is None or holds(repo, head, known.commit):
        return []
    return held_against(known.ends, LogAt(repo, context.store.prefix, head).hash_at, "this clone")


def lost_by(context: Context, source: remote.Upstream, commit: str | None) -> list[str]:
    """What a remote's branch, now at `commit`, has lost of what it held at our last sync, in words; HEAD may have it still."""
    repo, head = context.store.repo, context.store.repo.head()
    last = _load(context).get("remotes", {}).get(source.place)
    ends = _ends(last.get("ends")) if isinstance(last, dict) else {}
    if not ends or (commit is not None and holds(repo, commit, str(last.get("commit")))):
        return []
    if commit is None:
        return [f"{source.remote} has no {source.ref} any more, which held all that was shared; it is shared again from here"]
    last_sync = f"{source.remote} at the last sync"
    lost, lost_here = (
        held_against(ends, LogAt(repo, context.store.prefix, tip).hash_at, last_sync) for tip in (commit, head or commit)
    )
    return [_told(problem) + ("" if problem in lost_here else " (kept here, and shared again)") for problem in lost]


def _told(problem: Problem) -> str:
    return f"{problem.what}: {problem.where}: {problem.why}"


def holds(repo: Repo, commit: str, earlier: str) -> bool:
    """Whether `earlier` is among the ancestors of `commit`; one that is not there any more is not."""
    if commit == earlier:
        return True
    return repo.call("--no-replace-objects", "merge-base", "--is-ancestor", earlier, commit).code == 0


def _latest(*several: Mapping[str, tuple[int, str]]) -> Ends:
    found: Ends = {}
    for ends in several:
        found |= {writer: end for writer, end in ends.items() if end[0] >= found.get(writer, (0, ""))[0]}
    return found


def _keep(context: Context, pin: Pin) -> None:
    branch = context.store.repo.branch()
    if branch is not None:
        content = _load(context)
        told = {"genesis": pin.genesis, "commit": pin.commit, "ends": pin.ends, "time": context.now()}
        content.setdefault("branches", {})[branch] = told
        _write(context, content)


def _write(context: Context, content: dict[str, Any]) -> None:
    data = json.dumps({"v": 1} | content, sort_keys=True, separators=(",", ":")).encode()
    write_atomic(context.store.local / _FILE, data + b"\n", mode=0o600, durable=True)


def _load(context: Context) -> dict[str, Any]:
    """What is kept; nothing where it was lost or damaged, which `audit verify` tells by saying that nothing is pinned."""
    try:
        content = json.loads(read_bounded(context.store.local / _FILE, _MAX) or b"{}")
    except (ValueError, RecursionError, GitmemError):
        return {}
    return content if isinstance(content, dict) and content.get("v") == 1 else {}


def _pin(store: str, told: Any) -> Pin | None:
    if not isinstance(told, dict):
        return None
    return Pin(store, str(told.get("genesis")), str(told.get("commit")), _ends(told.get("ends")))


def _ends(told: Any) -> Ends:
    if not isinstance(told, dict):
        return {}
    return {str(writer): (int(end[0]), str(end[1])) for writer, end in told.items() if isinstance(end, list) and len(end) == 2}
