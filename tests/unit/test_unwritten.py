"""What a record's file says of writes that nobody made."""

from __future__ import annotations

import pytest

from gitmem.core.record import State
from gitmem.core.unwritten import forgotten, unwritten

TIME = "2026-11-20T10:00:00Z"


def state() -> State:
    """A record with a value, a use, and a place in the log."""
    return State(
        "pattern",
        1,
        "team",
        "p-a",
        {"abc-1": 2},
        {"fix": {"abc-1.1": "ENC[1-00a7766c,AAAA]"}},
        life={"abc-1.2": "alive"},
        counts={"fixed": {"abc-1": 1}},
        last={"used": TIME},
    )


@pytest.mark.parametrize(
    ("container", "changed", "told"),
    [
        ("counts", {"fixed": {"abc-1": 3}}, "`fixed` 3 times by abc-1"),
        ("counts", {"fixed": {"abd-1": 1}}, "`fixed` 1 times by abd-1"),
        ("last", {"used": "6026-11-20T10:00:00Z"}, "`used` at 6026-11-20T10:00:00Z"),
        ("seen", {"abc-1": 6}, "write 6 of abc-1"),
        ("life", {"abc-1.1": "alive"}, "a life by write 1 of abc-1"),
        ("schema", 3, "version 3 of its kind"),
    ],
)
def test_more_than_is_known(container: str, changed: object, told: str) -> None:
    """Each claim without a value that was written is named."""
    damaged = state()
    setattr(damaged, container, changed)
    assert unwritten(damaged, state()) == told


def test_less_than_is_committed() -> None:
    """A file with the values of the last commit, and less beside them, has lost something."""
    damaged = state()
    damaged.counts = {}
    assert forgotten(damaged, state()) == "`fixed` 1 times by abc-1"
    assert unwritten(damaged, state()) is None


def test_what_brings_a_write_is_somebodys() -> None:
    """An edit by hand, or a file from another clone, comes with values."""
    edited = state()
    edited.fields = {"fix": {"abc-1.1": "ENC[1-00a7766c,AAAA]", "xyz-1.1": "ENC[1-00a7766c,BBBB]"}}
    edited.seen = {"abc-1": 2, "xyz-1": 1}
    edited.counts = {"fixed": {"abc-1": 1, "xyz-1": 9}}
    assert unwritten(edited, state()) is None
    assert forgotten(edited, state()) is None
