"""What the merge of one record costs before it begins: git starts the driver once a file."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gitmem.core.codec import emit
from gitmem.core.record import State
from tests.unit.strategies import new_state, plain

COSTLY = {
    "typing",
    "dataclasses",
    "inspect",
    "json",
    "hashlib",
    "datetime",
    "pathlib",
    "subprocess",
    "difflib",
    "contextlib",
    "math",
}
SCRIPT = """
import sys
before = set(sys.modules)
from gitmem.plumbing import driver
from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge
data = sys.stdin.buffer.read()
assert emit(merge(parse(data, "x"), parse(data, "x"))) == data
print(*sorted(set(sys.modules) - before))
"""


def _sealed() -> State:
    state = new_state()
    state.fields = {"fix": {"a-1.1": "ENC[1-9f3a1c07,AAAA]", "b-1.1": "ENC[1-9f3a1c07,BBBB]"}}
    state.seen, state.counts = {"a-1": 1, "b-1": 2}, {"fixed": {"a-1": 1}}
    state.life, state.last = {"b-1.2": "alive"}, {"used": "2026-11-20T10:00:00Z"}
    return state


def _imported(state: State) -> set[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # measuring imports a lot itself
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=emit(state), env=env, capture_output=True, check=True)
    return set(done.stdout.decode().split())


def test_a_sealed_record_is_merged_without_costly_imports() -> None:
    """Each of them would cost as much as all of the merging."""
    imported = _imported(_sealed())
    assert "gitmem.plumbing.driver" in imported
    assert not imported & COSTLY
    assert not [
        name for name in imported if name.startswith("gitmem.") and name.split(".")[1] not in ("core", "plumbing", "errors")
    ]


@pytest.mark.parametrize("needed", ["json", "hashlib"])
def test_a_record_in_the_clear_takes_what_it_needs(needed: str) -> None:
    """The test above can see an import."""
    assert needed in _imported(plain(fix="a value"))
