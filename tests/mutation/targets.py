"""What is mutated, which tests must notice, and the few mutants that are no faults."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]


class Target(NamedTuple):
    """Functions of one file, and the tests that hold them, the fastest first."""

    file: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]

    def mutants(self) -> list[Mutant]:
        """All of them."""
        return mutants(Path(self.file).stem, (ROOT / self.file).read_text("utf-8"), self.functions)


_LAWS = "tests/unit/test_merge_laws.py"
_MERGING = ("tests/unit/test_merge_cases.py", "tests/unit/test_dots.py", "tests/unit/test_token.py")
_ROTATING = ("tests/unit/test_store_marks.py", "tests/store/test_writer_for.py", "tests/store/test_rotation.py")
TARGETS = (
    Target(
        "gitmem/core/merge.py",
        ("merge", "merge_all", "normalise", "_edited", "_maximum", "_join_registers", "_join_sets", "_join", "_by_dot"),
        (*_MERGING, _LAWS),
    ),
    Target(
        "gitmem/core/dots.py", ("spell", "_order", "dot_of", "checked", "key_for"), (*_MERGING, "tests/unit/test_merge_laws.py")
    ),
    Target("gitmem/core/token.py", ("is_token", "epoch_of", "epoch_order"), _MERGING),
    Target("gitmem/store/marks.py", ("mark_of", "is_behind"), _ROTATING),
    Target("gitmem/store/store.py", ("writer_for", "rotate"), _ROTATING),
    Target("gitmem/store/replica.py", ("rotated",), _ROTATING),
)

_FASTER = "only faster: no dot that either side holds is dropped, and each is spelled as it was"
EXPLAINED = {
    f"merge._join: {what}": _FASTER
    for what in (
        "without `if a == b or not (b or seen_b): return dict(a)`",
        "without `if not (a or seen_a): return dict(b)`",
        "a == b or not (b or seen_b) -> a == b and (not (b or seen_b))",
    )
}
"""Mutants that behave as the original does, each with the reason."""
