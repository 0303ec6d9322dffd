"""What `doctor` looks at around a store: locks, permissions, the clock, the disk, backups."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gitmem.crypto.lookup import not_meant
from gitmem.errors import GitmemError
from gitmem.git.locks import stale_locks
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.backups.chain import last_known, place_here
from gitmem.memory.context import Context
from gitmem.memory.syncing.reopening import in_the_way
from gitmem.store.layout import MEMORY

Told = tuple[bool, str, str]
"""What a check tells: whether all is well, what was found, and the next command where it is not."""

_SHOWN: Final = 5
_FIX: Final = "gitmem doctor --fix"
_OTHERS: Final = 0o077
_SKEW: Final = timedelta(minutes=5)  # more than clocks that are kept by NTP differ, and less than harms an order by time
_ROOM: Final = 64 << 20  # bytes: a commit needs a few, a repack about as much as the store has
_BACKUP_AGE: Final = timedelta(days=7)


def locks(context: Context) -> Told:
    """Whether a git that was killed left a lock file. gitmem's own lock is the kernel's, which lets go by itself."""
    stale = stale_locks(context.store.repo)
    return not stale, f"no git holds {', '.join(map(str, stale[:_SHOWN]))}" if stale else "none is stale", _FIX


def mend_locks(context: Context) -> None:
    """Remove lock files that no git holds. Under our own lock: then no other gitmem starts a git meanwhile."""
    with context.store.lock:
        for path in stale_locks(context.store.repo):
            path.unlink(missing_ok=True)


def places(context: Context) -> Told:
    """Whether what lies where git and we keep a file for this clone is one."""
    odd = in_the_way(context.store.repo)
    some = ", ".join(map(str, odd[:_SHOWN]))
    return not odd, f"not what belongs there: {some}" if odd else "each is what belongs there", _FIX


def permissions(context: Context) -> Told:
    """Whether others can read the identity file or what is never committed, and whether we can write where we must."""
    open_to_all = list(_open_to_others(context))
    if open_to_all:
        return False, "; ".join(f"others can read {path} (mode {mode:04o})" for path, mode in open_to_all), _FIX
    store = context.store
    places = (store.root, store.local, store.repo.git_dir, store.repo.common_dir / "objects", store.repo.index_file)
    shut = [str(path) for path in places if path.exists() and not os.access(path, os.W_OK)]
    if shut:
        return False, f"cannot write to {', '.join(shut)}", f"sudo chown -R $(id -u) {store.repo.common_dir} {store.root}"
    return True, "the key and what is never committed are yours alone", ""


def mend_permissions(context: Context) -> None:
    """Take from others what is ours alone."""
    for path, mode in _open_to_others(context):
        with suppress(OSError):
            path.chmod(mode & ~_OTHERS)


def _open_to_others(context: Context) -> Iterator[tuple[Path, int]]:
    identities = context.store.vault.identities
    with suppress(GitmemError):
        _ = context.store.vault.identity  # looked up now, if it was not before: only then its file is known
    warned = [Path(warning.place) for warning in getattr(identities, "warnings", [])]
    for path in (context.store.local, *warned):
        with suppress(OSError):
            info = path.stat()
            if info.st_mode & (_OTHERS if path == context.store.local else not_meant(info)):
                yield path, info.st_mode & 0o777


def clock(context: Context) -> Told:
    """Whether somebody's last word in the log, a replica's each, is from a time that has not come yet."""
    head, now = context.store.repo.head(), context.clock()
    latest: dict[str, tuple[int, datetime, str]] = {}
    for segment in LogAt(context.store.repo, context.store.prefix, head).lasts() if head else ():
        entry = segment.entries[-1]
        replica, _, turn = entry.writer.rpartition("-")
        number = int(turn) if turn.isdecimal() else 0  # no clone of ours signs as a turn that is no number
        latest[replica] = max(latest.get(replica, (0, now, "")), (number, _time(entry.time), entry.subject))
    ahead = {replica: (when - now, who) for replica, (_, when, who) in latest.items() if when - now > _SKEW}
    if not ahead:
        return True, "no entry of the log is from a time to come", ""
    gap, who = max(ahead.values())
    why = f"the log has an entry of {who}'s that is {_span(gap)} ahead of this machine's clock"
    mine = context.store.replica.name in ahead or 2 * len(ahead) > len(latest)
    whose = "this machine's clock is behind" if mine else f"the clock of {who}'s machine was ahead"
    return (
        False,
        f"{why}; it seems that {whose}",
        "set it by NTP (`timedatectl set-ntp true`); the next commit there mends this",
    )


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _span(gap: timedelta) -> str:
    return f"{gap.days} days" if gap.days > 1 else f"{gap.total_seconds() / 60:,.0f} minutes"


def disk(context: Context) -> Told:
    """Whether there is room for what comes next."""
    room = shutil.disk_usage(context.store.local)
    low = room.free < min(_ROOM, room.total // 10)
    why = f"{room.free / (1 << 20):,.0f} MiB are free"
    return not low, why, "make room on that disk; `gitmem backup rotate` and `git gc` free some"


def backup(context: Context) -> Told:
    """Whether what was recorded is in a backup that is not too old; of no concern where none was ever asked for."""
    known, place = last_known(context), place_here(context)
    if known is None:
        none = "none was ever asked for in this clone" if place is None else f"this clone knows of none at {place}"
        return place is None, none, "gitmem backup create"
    made, last = _time(known.time), _last_change(context)
    age = context.clock() - made
    said = f"the last one this clone knows of is of {known.time}, at {known.where}"
    if age < _BACKUP_AGE or last is None or last <= made:
        return True, said, ""
    return False, f"{said}: {age.days} days old, and records changed since", "gitmem backup create"


def _last_change(context: Context) -> datetime | None:
    """When a commit last changed records; now, where a clock that was far ahead says when."""
    where = context.store.prefix + MEMORY
    said = context.store.repo.run("log", "-1", "--format=%ct", "HEAD", "--", where) if context.store.repo.head() else b""
    return datetime.fromtimestamp(min(int(said), context.clock().timestamp()), UTC) if said.strip() else None
