"""What may go: three policies over what is known of a record without opening it, and how a pruned record meets others.

Time: nobody has changed, matched or tried a record for long, or a pattern has never helped. Performance: it was tried often and
hardly ever works, or is shown often and hardly ever tried. Space: its scope holds more than it should; the least valuable go.

To prune is to forget, by the ordinary algebra, except that the write has a name that follows from what it deletes:
`p-<hash of the record and its life>.1`. So replicas that prune a record separately make the same write, and a pruning can be
told from somebody's decision. With it goes, as the counter `pruned` of that name, how often the record had been tried. From
these two, and no clock, follows what becomes of it when others did something meanwhile (`settled`; docs/pruning.md numbers the
cases).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from gitmem.core.dots import dot_of, long_hash
from gitmem.core.record import ALIVE, DEAD, State

PRUNED: Final = "pruned"
"""The counter that says how often a record had been tried when it was pruned."""
KEPT: Final = "kept"
"""The time at which somebody brought a pruned record back."""
UNUSED, FAILED, SUCCESS, CONFIDENCE, USAGE, SPACE = "unused", "failed", "success", "confidence", "usage", "space"
REASONS: Final = (UNUSED, FAILED, SUCCESS, CONFIDENCE, USAGE, SPACE)
_MARK: Final = "p-"
_EVER: Final = ("changed", "matched", "used")


class Rules(NamedTuple):
    """The thresholds that hold for a record; 0 turns a rule off. Days, percent, or numbers of records, tries and matches."""

    unused_days: int = 90
    failed_days: int = 30
    min_tries: int = 5
    success_percent: int = 20
    confidence_percent: int = 5
    min_matches: int = 50
    usage_percent: int = 1
    max_records: int = 0
    keep_percent: int = 85
    fresh_days: int = 14
    kept_days: int = 90


BY_KIND: Final[Mapping[str, Mapping[str, int]]] = {
    "decision": {"unused_days": 180},
    "preference": {"unused_days": 0},
    "runbook": {"unused_days": 0},
    "environment": {"unused_days": 0},
    "experiment": {"unused_days": 0},
}
"""Thresholds that are others for a kind unless the store says so: what stands until it changes is not old by standing."""


class Known(NamedTuple):
    """What pruning needs of a record that stands: summed counters, and times (RFC 3339, UTC)."""

    id: str
    kind: str
    scope: str
    counts: Mapping[str, int]
    last: Mapping[str, str]

    @property
    def tries(self) -> int:
        """How often its fix was tried."""
        return self.counts.get("fixed", 0) + self.counts.get("failed", 0)

    @property
    def confidence(self) -> float:
        """How surely it works, from 0 to 1 (`core.recall.rank.confidence`)."""
        # Loaded here because it takes a tenth of a second, and every commit asks `is_pruned`.
        from gitmem.core.recall.rank import confidence

        return confidence(self.counts.get("fixed", 0), self.counts.get("failed", 0))

    @property
    def active(self) -> str:
        """When it was last changed, matched or tried; empty where nothing is known."""
        return max(self.last.get(name, "") for name in _EVER)


class Doomed(NamedTuple):
    """A record that may go: for which of `REASONS`, and the figures behind it in words."""

    known: Known
    reason: str
    why: str


def choose(records: Iterable[Known], rules_of: Callable[[Known], Rules], now: datetime) -> list[Doomed]:
    """What may go of `records`, in the order of their ids. The same records, rules and time give the same answer."""
    doomed: list[Doomed] = []
    staying: dict[str, list[tuple[Known, Rules]]] = defaultdict(list)
    for known in records:
        rules = rules_of(known)
        verdict = None if _recent(known.last.get(KEPT, ""), now, rules.kept_days) else _judge(known, rules, now)
        if verdict:
            doomed.append(Doomed(known, *verdict))
        else:
            staying[known.scope].append((known, rules))
    for some in staying.values():
        doomed += _crowded(some, now)
    return sorted(doomed, key=lambda one: (one.known.id, one.known.scope))


def _judge(known: Known, rules: Rules, now: datetime) -> tuple[str, str] | None:
    """The first of the rules of time and performance that speaks against a record."""
    return _by_time(known, rules, now) or (
        None if _recent(known.last.get("changed", ""), now, rules.fresh_days) else _by_use(known, rules)
    )


def _by_time(known: Known, rules: Rules, now: datetime) -> tuple[str, str] | None:
    active, tried = known.active, known.last.get("used", "")
    if rules.unused_days and active and not _recent(active, now, rules.unused_days):
        return UNUSED, f"last heard of on {active[:10]}"
    never = known.kind == "pattern" and known.counts.get("failed", 0) and not known.counts.get("fixed", 0)
    if rules.failed_days and never and tried and not _recent(tried, now, rules.failed_days):
        return FAILED, f"failed {known.counts['failed']:,} of {known.counts['failed']:,} times, last on {tried[:10]}"
    return None


def _by_use(known: Known, rules: Rules) -> tuple[str, str] | None:
    fixed, matched, tries = known.counts.get("fixed", 0), known.counts.get("matched", 0), known.tries
    if tries and tries >= rules.min_tries:
        if 100 * fixed < rules.success_percent * tries:
            return SUCCESS, f"worked {fixed:,} of {tries:,} times"
        if 100 * known.confidence < rules.confidence_percent:
            return CONFIDENCE, f"worked {fixed:,} of {tries:,} times, which is sure to {100 * known.confidence:.0f} %"
    if matched and matched >= rules.min_matches and 100 * tries < rules.usage_percent * matched:
        return USAGE, f"matched {matched:,} times and tried {tries:,}"
    return None


def _crowded(some: list[tuple[Known, Rules]], now: datetime) -> list[Doomed]:
    """The least valuable of one scope's records, as many as exceed `max_records`; protected ones are left out."""
    limit = min((rules.max_records for _, rules in some if rules.max_records), default=0)
    surplus = len(some) - limit
    if not limit or surplus <= 0:
        return []
    may_go = [known for known, rules in some if not _protected(known, rules, now)]
    why = f"{some[0][0].scope} holds {len(some):,} records, more than {limit:,}"
    return [Doomed(known, SPACE, why) for known in sorted(may_go, key=_value)[:surplus]]


def _protected(known: Known, rules: Rules, now: datetime) -> bool:
    sure = rules.keep_percent and 100 * known.confidence > rules.keep_percent
    new = _recent(known.last.get("changed", ""), now, rules.fresh_days)
    return bool(sure) or new or _recent(known.last.get(KEPT, ""), now, rules.kept_days)


def _value(known: Known) -> tuple[float, int, int, str, str]:
    return known.confidence, known.tries, known.counts.get("matched", 0), known.active, known.id


def _recent(time: str, now: datetime, days: int) -> bool:
    return time > _cutoff(now, days)


@lru_cache(64)  # asked for each record, and there are few
def _cutoff(now: datetime, days: int) -> str:
    return (now.astimezone(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pruned(state: State) -> State:
    """A standing record as it is once pruned: the same on every replica that prunes it in this life."""
    result = state.copy()
    writer = f"{_MARK}{long_hash(state.id, *sorted(state.life))[:16]}"
    result.seen[writer] = 1
    result.life = {f"{writer}.1": DEAD}
    result.counts.setdefault(PRUNED, {})[writer] = _tries(state)
    return result


def is_pruned(state: State) -> bool:
    """Whether nothing but pruning has deleted a record."""
    return not state.alive and all(map(_is_pruning, state.life))


def settled(state: State) -> State:
    """What becomes of a record that was pruned here and written to or tried there; itself where there is nothing to settle.

    An edit wins over a pruning that had not seen it, and nobody is asked. A record that was tried more often than whoever
    pruned it knew stands again, unless its values were collected meanwhile.
    """
    prunings = [key for key, value in state.life.items() if value == DEAD and _is_pruning(key)]
    if prunings and state.alive and DEAD not in {value for key, value in state.life.items() if key not in prunings}:
        result = state.copy()
        result.life = {key: value for key, value in state.life.items() if key not in prunings}
        return result
    if is_pruned(state) and _tries(state) > _tries_known(state) and (state.fields or state.sets):
        return _revived(state)
    return state


def _revived(state: State) -> State:
    result = state.copy()
    result.life = {}
    for dot in map(dot_of, state.life):
        result.seen[dot.writer] = max(result.seen.get(dot.writer, 0), dot.n + 1)
        result.life[f"{dot.writer}.{dot.n + 1}"] = ALIVE
    return result


def _tries_known(state: State) -> int:
    """How often the record had been tried as far as those knew who pruned it."""
    known = state.counts.get(PRUNED, {})
    return max((known.get(dot_of(key).writer, 0) for key in state.life), default=0)


def _tries(state: State) -> int:
    return state.total("fixed") + state.total("failed")


def _is_pruning(key: str) -> bool:
    return key.startswith(_MARK)
