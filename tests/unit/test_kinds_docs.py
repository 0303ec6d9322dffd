"""The page on kinds says what the schemas say."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

from gitmem.core.kinds.schema import Kind
from gitmem.store.kinds import Kinds

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_current() -> None:
    """docs/kinds.md is what docs/generate_kinds.py writes."""
    generate = runpy.run_path(str(DOCS / "generate_kinds.py"))
    assert (DOCS / "kinds.md").read_text() == generate["document"](Kinds())
    assert sorted(generate["ORDER"]) == Kinds().names()


def test_the_smallest_schema_of_the_page_works() -> None:
    """What the page tells a team to copy is a kind."""
    text = (DOCS / "kinds.md").read_text()
    found = re.search(r"The smallest one:\n\n```json\n(.*?)```", text, re.DOTALL)
    assert found
    kind = Kind("incident", 1, json.loads(found[1]))
    kind.validate({"what": "the build", "severity": "low", "tags": ["ci"]})
