"""The settings a store may have: each takes what it says, and everything else is refused with the nearest right name."""

from __future__ import annotations

import pytest

from gitmem.core.retention import Rules
from gitmem.errors import UsageError
from gitmem.store.settings import setting, settings


def test_every_threshold_is_a_setting() -> None:
    """With its default, and words on it."""
    known = settings()
    for name, default in Rules()._asdict().items():
        assert (known[f"prune.{name}"].default, known[f"prune.{name}"].parse("0")) == (default, 0)
    assert all(one.about and (one.words or one.most) for one in known.values())


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("prune.unused_days", 90),
        ("prune.unused_days.kind.decision", 180),
        ("prune.unused_days.kind.note", 90),
        ("prune.max_records.scope.agents.ci", 0),
        ("prune.success_percent.agent.ci", 20),
        ("redact.ip", "replace"),
        ("snapshots.last", 10),
    ],
)
def test_names_and_defaults(name: str, default: str | int) -> None:
    """A threshold may be set for a kind, a scope or an agent."""
    assert (setting(name).name, setting(name).default) == (name, default)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("prune.unused_day", "prune.unused_days?"),
        ("prune.unsed_days.kind.note", "prune.unused_days.kind.note?"),
        ("redact.emial", "redact.email?"),
        ("prune.unused_days.kind.../x", ""),
        ("prune.unused_days.kin.note", ""),
        ("redact.ip.kind.note", ""),
        ("core.fsmonitor", ""),
        ("", ""),
    ],
)
def test_what_is_no_setting(name: str, near: str) -> None:
    """It is named, with the nearest where there is one."""
    with pytest.raises(UsageError, match="there is no setting") as caught:
        setting(name)
    assert near in caught.value.message


@pytest.mark.parametrize(
    ("name", "text"),
    [("prune.unused_days", "ninety"), ("prune.unused_days", "-1"), ("prune.success_percent", "101"), ("redact.ip", "yes")],
)
def test_values_that_do_not_fit(name: str, text: str) -> None:
    """The error says what it takes."""
    with pytest.raises(UsageError, match=f"{name} (is a number|can be)"):
        setting(name).parse(text)
