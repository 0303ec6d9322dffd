"""The record files shown in docs/merging.md are real, and merge as it says."""

from __future__ import annotations

import re
from pathlib import Path

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge

PAGE = Path(__file__).parents[2] / "docs" / "merging.md"


def test_the_example_merges_as_shown() -> None:
    """Ada's file and Ben's give the third, on either side."""
    ada, ben, merged = (block.encode() for block in re.findall(r"^```\n(gitmem: 1\n.*?)^```$", PAGE.read_text(), re.M | re.S))
    assert emit(merge(parse(ada, "Ada"), parse(ben, "Ben"))) == merged
    assert emit(merge(parse(ben, "Ben"), parse(ada, "Ada"))) == merged
    assert parse(merged, "merged").total("fixed") == 48
