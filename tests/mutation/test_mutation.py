"""A slice of `python -m tests.mutation`, which tries all mutants and takes minutes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.targets import EXPLAINED, ROOT, TARGETS, Target
from tests.mutation.trial import copied, noticed, passes

MERGE, SPELL, *_ = TARGETS
FASTEST = 2
SLICE = (
    (MERGE, "merge._join: seen_a.get(dot.writer, 0) >= dot.n -> seen_a.get(dot.writer, 0) > dot.n"),
    (MERGE, "merge.merge: without `a, b = (normalise(a), normalise(b))`"),
    (SPELL, "dots.spell: _order(texts[text]) == newest -> _order(texts[text]) != newest"),
)


def test_there_is_something_to_try() -> None:
    """At least thirty faults of the merge, each a program that differs from the original; what is explained is among all."""
    found = {target.file: target.mutants() for target in TARGETS}
    assert len(found["gitmem/core/merge.py"]) >= 30
    names = [mutant.name for some in found.values() for mutant in some]
    assert len(names) == len(set(names)) >= 100
    assert EXPLAINED.keys() <= set(names)
    for file, some in found.items():
        original = ast.unparse(ast.parse((ROOT / file).read_text("utf-8")))
        assert all(mutant.source != original for mutant in some)


def test_the_kinds_of_faults() -> None:
    """Comparisons, constants, statements, arguments, conditions; docstrings, errors and annotations are no code."""
    source = '''
def f(a: int = 1) -> "str":
    """Said to people."""
    if a < 2 and g(a, 3):
        raise ValueError("said to people")
    return [b for b in (a, True) if b]
'''
    told = sorted(mutant.name.removeprefix("m.f: ") for mutant in mutants("m", source, ["f"]))
    assert told == sorted(
        [
            "without `if a < 2 and g(a, 3): raise ValueError('said to people')`",
            "a < 2 and g(a, 3) -> a < 2 or g(a, 3)",
            "for b in (a, True) if b -> for b in (a, True)",
            "a < 2 -> a <= 2",
            "a < 2 -> a > 2",
            "2 -> 3",
            "g(a, 3) -> g(3, a)",
            "3 -> 4",
            "True -> False",
        ]
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package."""
    return copied(tmp_path_factory.mktemp("mutants") / "copy")


@pytest.mark.xdist_group("mutants")
@pytest.mark.parametrize(("target", "name"), SLICE, ids=[name.partition(" ")[0] for _, name in SLICE])
def test_a_fault_is_noticed(place: Path, target: Target, name: str) -> None:
    """By the fastest tests alone."""
    fast = target._replace(tests=target.tests[:FASTEST])
    [mutant] = [one for one in fast.mutants() if one.name == name]
    assert noticed(place, fast, mutant)


@pytest.mark.xdist_group("mutants")
def test_no_fault_is_no_alarm(place: Path) -> None:
    """The copy is whole again afterwards."""
    assert passes(place, MERGE.tests[:1])
