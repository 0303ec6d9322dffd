"""Pins: their text, and what they say of a log that lost something."""

from __future__ import annotations

import pytest

from gitmem.core.auditing.audit import Segment
from gitmem.core.auditing.pin import Pin, frontier, held_against, parse_pin
from gitmem.errors import UsageError
from tests.support.auditing import STORE, Scribe, change

PIN = Pin(STORE, "SHA256:" + "a/B+" * 10 + "abc", "0" * 40, {"ada-1": (12, "ab" * 32), "bob-1": (1, "ff" * 32)})


def test_a_pin_is_one_word() -> None:
    """Printed and read back it is the same, and nothing in it splits a line or a shell's word."""
    text = PIN.text()
    assert parse_pin(f" {text}\n") == PIN
    assert not set(text) & set(" \t\n'\"$`\\;&|<>*?")


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t.replace("pin:1", "pin:2"), lambda t: t + "/x", lambda _: ""])
def test_what_is_no_pin_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    """Cut off, of another version, or with something behind it."""
    with pytest.raises(UsageError):
        parse_pin(change(PIN.text()))


def _two_chains() -> list[Segment]:
    ada, bob = Scribe("ada", "ada-1"), Scribe("bob", "bob-1")
    first = ada.sign([ada.genesis(), change("memory/x", None, b"1")])
    second = bob.sign([change("memory/y", None, b"1")], [first.head])
    third = ada.sign([change("memory/z", None, b"1")])
    return [first, second, third]


def test_few_ends_stand_for_all() -> None:
    """A chain that another one quotes up to its end need not be named."""
    first, second, third = _two_chains()
    ends = {"ada-1": (2, first.entries[-1].hash), "bob-1": (1, second.entries[-1].hash)}
    assert frontier([first, second], ends) == {"bob-1": ends["bob-1"]}
    ends["ada-1"] = (3, third.entries[-1].hash)
    assert frontier([first, second, third], ends) == ends


def test_what_a_log_lost_is_named() -> None:
    """An entry that is not there, and one that is another."""
    hashes = {("ada-1", 12): "cd" * 32}
    found = held_against(PIN.ends, lambda writer, seq: hashes.get((writer, seq)), "the pin")
    assert [(problem.what, problem.where) for problem in found] == [
        ("forked chain", "log/audit/ada-1"),
        ("cut chain", "log/audit/bob-1"),
    ]
    hashes = {("ada-1", 12): "ab" * 32, ("bob-1", 1): "ff" * 32}
    assert held_against(PIN.ends, lambda writer, seq: hashes.get((writer, seq)), "the pin") == []
