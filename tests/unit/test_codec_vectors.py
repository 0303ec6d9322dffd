"""Frozen files of every format version: they are read, written and merged as on the day they were made."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge_all, normalise

VECTORS = Path(__file__).parents[1] / "vectors"
RECORDS = sorted(VECTORS.glob("format-*/records/*.yaml"))
MERGES = sorted(VECTORS.glob("format-*/merges/*"))


def test_the_vectors_are_there() -> None:
    """A renamed directory must not empty the tests below."""
    assert len(RECORDS) >= 13
    assert len(MERGES) >= 25


@pytest.mark.parametrize(
    "path", [*RECORDS, *sorted(VECTORS.glob("format-*/merges/*/*.yaml"))], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_a_frozen_file_is_read_and_written_the_same(path: Path) -> None:
    """Byte for byte."""
    data = path.read_bytes()
    assert emit(parse(data, str(path))) == data


@pytest.mark.parametrize("case", MERGES, ids=lambda path: path.name)
def test_frozen_states_merge_into_the_frozen_result(case: Path) -> None:
    """In any order."""
    result = (case / "merged.yaml").read_bytes()
    states = [parse(path.read_bytes(), str(path)) for path in sorted(case.glob("?.yaml"))]
    assert len(states) >= 2
    assert {emit(merge_all(order)) for order in permutations(states)} == {result}


def test_a_frozen_hand_edit_is_stamped_the_same() -> None:
    """The write that a hand edit becomes is named by its content, on every machine and in every version."""
    found = VECTORS / "format-1" / "records"
    edited = parse((found / "hand-edited.yaml").read_bytes(), "hand-edited.yaml")
    assert emit(normalise(edited)) == (found / "hand-edited-stamped.yaml").read_bytes()
