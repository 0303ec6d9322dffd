"""The settings a store may have in its configuration, each with what it takes; everything else is refused by name.

A setting comes from the repository, so from whoever may push: it is a number or one of a few words, and never names a program
or a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gitmem.core.nearest import nearest, shown
from gitmem.core.record import KIND, Json, name_problem
from gitmem.core.redacting.placeholder import KINDS
from gitmem.core.retention import BY_KIND, Rules
from gitmem.errors import UsageError
from gitmem.store.config import KEEP, MOST, REPLACE, StoreConfig, redact_setting

_PRUNE: Final = "prune."
_LEVELS: Final = ("kind", "scope", "agent")
# The slash of a scope is a dot in the name of a setting.
_SCOPE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}(?:\.[a-z0-9][a-z0-9_-]{0,63})?")
_AGENT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_RECORDS: Final = 10**9
_PERCENT: Final = 100


class Setting(NamedTuple):
    """One setting: its name, what it is without being set, the words it may be or the largest number, and what it says."""

    name: str
    default: str | int
    words: tuple[str, ...]
    most: int
    about: str

    def parse(self, text: str) -> str | int:
        """The value that `text` gives it. Raises UsageError saying what it takes."""
        if self.words:
            if text not in self.words:
                raise UsageError(
                    f"{self.name} can be {' or '.join(self.words)}, not {shown(text)}", f"gitmem config explain {self.name}"
                )
            return text
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > self.most:
            raise UsageError(
                f"{self.name} is a number from 0 to {self.most:,}, not {shown(text)}", f"gitmem config explain {self.name}"
            )
        return int(text)


_ABOUT: Final[Mapping[str, tuple[int, str]]] = {
    "unused_days": (MOST, "days without a change, match or try after which a record may go; 0: never"),
    "failed_days": (MOST, "days after its last try after which a pattern that never helped may go; 0: never"),
    "min_tries": (MOST, "tries before a record is judged by them"),
    "success_percent": (_PERCENT, "a record that works less often than this may go; 0: never"),
    "confidence_percent": (_PERCENT, "a record less sure to work than this may go; 0: never"),
    "min_matches": (MOST, "matches before a record is judged by how rarely it is tried"),
    "usage_percent": (_PERCENT, "a record that is tried less often than this when it is shown may go; 0: never"),
    "max_records": (_MOST_RECORDS, "records a scope may hold before the least valuable may go; 0: any number"),
    "keep_percent": (_PERCENT, "a record surer to work than this never goes for want of space; 0: none is kept for that"),
    "fresh_days": (MOST, "days after its last change in which a record is not judged by its use"),
    "kept_days": (MOST, "days in which a record stays that was brought back by `gitmem prune --undo`"),
}


def settings() -> dict[str, Setting]:
    """Every setting by name, but for those of one kind, scope or agent (`prune.unused_days.kind.note`)."""
    found = [
        Setting(redact_setting(kind), REPLACE, (REPLACE, KEEP), 0, f"what becomes of a {kind} that is recorded")
        for kind in KINDS
    ]
    found.append(Setting("snapshots.last", 10, (), MOST, "snapshots that are kept whatever their age"))
    found.append(Setting("snapshots.days", 30, (), MOST, "days of each of which the newest snapshot is kept"))
    found.append(Setting("archive.days", 90, (), MOST, "days after which the events of a month are archived; 0: never"))
    defaults = Rules()._asdict()
    found += [Setting(_PRUNE + name, defaults[name], (), *about) for name, about in _ABOUT.items()]
    return {one.name: one for one in found}


def setting(name: str) -> Setting:
    """The setting of that name, those of one kind, scope or agent included. Raises UsageError with the nearest right name."""
    known = settings()
    if name in known:
        return known[name]
    general, level, which = _split(name)
    if general in known and general.startswith(_PRUNE) and level and _names(level, which):
        one = known[general]
        default = BY_KIND.get(which, {}).get(general.removeprefix(_PRUNE), one.default) if level == "kind" else one.default
        return one._replace(name=name, default=default, about=f"{one.about} ({level} {which})")
    near = nearest(general or name, [*known])
    rest = f".{level}.{which.replace('/', '.')}" if near and general and near.startswith(_PRUNE) and level else ""
    meant = f"; did you mean {near}{rest}?" if near and near + rest != name else ""
    raise UsageError(f"there is no setting {shown(name)}{meant}", "`gitmem config list` shows those there are")


def narrowed(name: str) -> tuple[str, str, str] | None:
    """(the general setting, level, which) of a setting for one kind, scope or agent, None for a general one."""
    general, level, which = _split(name)
    return (general, level, which) if level else None


def is_personal(one: Setting) -> bool:
    """Whether a member may set it for themselves as well: numbers are; what is redacted is for the store to say."""
    return not one.words


def rules_for(values: Callable[[str], list[int]], kind: str, scope: str) -> Rules:
    """The thresholds for records of a kind in a scope: what is said of the agent counts before the scope, then the kind.

    `values` gives the concurrent values of a setting, none where nothing sets it.
    """
    by_kind = BY_KIND.get(kind, {})
    names = [f".kind.{kind}", f".scope.{scope.replace('/', '.')}"]
    if scope.startswith("agents/"):
        names.append(f".agent.{scope.removeprefix('agents/')}")
    found: dict[str, int] = {**Rules()._asdict(), **by_kind}
    for threshold in found:
        for suffix in names if threshold in by_kind else ["", *names]:
            if said := values(f"{_PRUNE}{threshold}{suffix}"):
                found[threshold] = _safest(threshold, said)
    return Rules(**found)


def _number(config: StoreConfig, name: str, most: int) -> int | None:
    """Of concurrent values of a setting that is a number the one that holds; None where none of them is one."""
    if name.startswith(_PRUNE):
        said = numbers(config, name)
        return _safest(name.split(".")[1], said) if said else None
    value = config.number(name, -1)
    return value if 0 <= value <= most else None


def numbers(config: StoreConfig, name: str) -> list[int]:
    """The concurrent values of a setting that are numbers it may be."""
    most = _ABOUT[name.split(".")[1]][0]
    return [value for value in config.state.fields.get(name, {}).values() if type(value) is int and 0 <= value <= most]


def given(config: StoreConfig) -> dict[str, Json]:
    """What the store's configuration sets, of the settings there are, by name."""
    found: dict[str, Json] = {}
    for name, value in config.values.items():
        try:
            one = setting(name)
            found[name] = value if one.words else _number(config, name, one.most)
        except UsageError:
            continue
    return found


def _safest(threshold: str, values: list[int]) -> int:
    """Of concurrent values the one that takes away less: 0 turns a rule off, and a floor is safe when it is low."""
    if threshold.endswith("_percent") and threshold != "keep_percent":
        return min(values)
    if threshold in ("unused_days", "failed_days", "max_records") and 0 in values:
        return 0
    return min(values) if threshold == "keep_percent" else max(values)


def _split(name: str) -> tuple[str, str, str]:
    """(general setting, level, which) of `prune.unused_days.kind.note`; empty level for a general one."""
    parts = name.split(".", 3)
    return (".".join(parts[:2]), parts[2], parts[3]) if len(parts) == 4 and parts[2] in _LEVELS else (name, "", "")


def _names(level: str, which: str) -> bool:
    if level == "kind":
        return name_problem("kind", which, KIND) is None
    return bool((_SCOPE if level == "scope" else _AGENT).fullmatch(which))
