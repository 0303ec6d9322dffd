"""A merge driver for tests: `record_merge.py OURS THEIRS` writes the join of two record files over the first."""

from __future__ import annotations

import sys
from pathlib import Path

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge

if __name__ == "__main__":
    ours, theirs = map(Path, sys.argv[1:])
    ours.write_bytes(emit(merge(parse(ours.read_bytes(), "ours"), parse(theirs.read_bytes(), "theirs"))))
