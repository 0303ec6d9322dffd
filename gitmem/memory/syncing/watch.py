"""Keeping a clone fresh: a sync now and then, and soon after something was recorded here."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from gitmem.errors import GitmemError, InvalidRecord, NoKey, NoStore, RemoteError, Tampered
from gitmem.memory.context import Context
from gitmem.memory.reports import SyncReport
from gitmem.memory.syncing.sync import sync

EVERY = 60.0
"""Seconds between two syncs when nothing happens here."""

_LOOK = 0.5  # seconds between two looks at the journal: two stats each
_SETTLE = 1.0  # seconds that are waited after a write for the next one: many writes make one commit
_MOST_SETTLING = 5  # times that
_LONGEST = 900.0  # seconds between two tries of a remote that does not answer
_FINAL = (InvalidRecord, NoKey, NoStore, Tampered)


def watch(context: Context, every: float = EVERY) -> Iterator[SyncReport | GitmemError]:
    """Sync again and again, for ever: each report of a sync that moved something, each error once until a sync succeeds.

    A sync follows soon after a write of this clone, else about `every` seconds after the one before. While the remote fails the
    pauses grow, up to a quarter of an hour. Raises NoStore, NoKey, InvalidRecord and Tampered, which no later sync would mend.
    """
    told: list[str] = []
    failures = 0
    left = ""
    while True:
        outcome = _outcome(context)
        failures = failures + 1 if isinstance(outcome, RemoteError) else 0
        news = _news(outcome)
        if (news and news != told) or _moved(outcome) or (not _failed(news) and _failed(told)):
            yield outcome
        told = news
        if failures:
            time.sleep(_pause(every, failures))
        else:
            left = _wait(context, _pause(every, 0), left)


def _outcome(context: Context) -> SyncReport | GitmemError:
    try:
        return sync(context)
    except _FINAL:
        raise
    except GitmemError as error:
        return error
    finally:
        context.store.repo.close()  # nothing is read for a while, and packs that are removed meanwhile are not to be held


def _news(outcome: SyncReport | GitmemError) -> list[str]:
    """What is said once, however often it happens in a row: a remote's failures are told in other words each time."""
    if isinstance(outcome, SyncReport):
        return outcome.problems
    return ["error: remote" if isinstance(outcome, RemoteError) else f"error: {outcome.message}"]


def _failed(news: list[str]) -> bool:
    return any(one.startswith("error: ") for one in news)


def _moved(outcome: SyncReport | GitmemError) -> bool:
    return isinstance(outcome, SyncReport) and bool(outcome.pushed or outcome.pulled or outcome.merged)


def _pause(every: float, failures: int) -> float:
    """The seconds until the next sync, drawn at random so that many clones do not come at once."""
    most = min(every * 2.0**failures, max(_LONGEST, every))
    return random.uniform(0.75 * most, 1.25 * most)  # noqa: S311 - jitter, not a secret


def _wait(context: Context, pause: float, left: str) -> str:
    """Wait `pause` seconds, less if something is recorded here; what of the journal waits although it was synced.

    That is what came while the sync was under way, which calls for the next one, or what cannot be committed and was `left`
    the last time as well.
    """
    until = time.monotonic() + pause
    known = _state(context)
    waiting = _uncommitted(context)
    if waiting in ("", left):
        while (rest := until - time.monotonic()) > 0 and _state(context) == known:
            time.sleep(min(_LOOK, rest))
        if _state(context) == known:
            return waiting
    _settle(context)
    return waiting


def _settle(context: Context) -> None:
    """Wait until nothing more is being recorded, or for a few moments."""
    now = _state(context)
    for _ in range(_MOST_SETTLING):
        time.sleep(_SETTLE)
        before, now = now, _state(context)
        if now == before:
            return


def _uncommitted(context: Context) -> str:
    """What the journal holds, as far as two looks tell it apart; empty when there is nothing."""
    pending = context.store.pending
    return f"{context.store.journal.position[1]} {context.store.repo.head()}" if len(pending) or pending.events else ""


def _state(context: Context) -> tuple[tuple[int, int], str | None]:
    """What changes when something is recorded or committed here: the end of the journal, and HEAD."""
    context.store.refresh()
    return context.store.journal.position, context.store.repo.head()
