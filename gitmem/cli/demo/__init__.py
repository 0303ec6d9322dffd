"""`gitmem demo`: the main job between two members, with commands that really fail, and every claim checked."""

from __future__ import annotations

import json as jsons
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitmem.cli.demo.narrator import Narrator


def run(*, keep: bool = False, json: bool = False) -> int:
    """Play the demo in a temporary directory and return the exit code: 1 if a claim does not hold.

    `keep` leaves the directory there and says where. With `json` the play is on stderr, all claims as a document on stdout.
    """
    from gitmem.cli.demo.narrator import Narrator

    tell = Narrator(sys.stderr if json else sys.stdout)
    root = Path(tempfile.mkdtemp(prefix="gitmem-demo-")).resolve()
    try:
        tell.title(f"gitmem demo: a bare remote and two members, in {root}")
        failures = _perform(tell, root)
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    kept = str(root) if keep else None
    tell.summary(failures, kept)
    if json:
        sys.stdout.write(jsons.dumps({"ok": not tell.broken, "claims": tell.claims, "kept": kept}, ensure_ascii=False) + "\n")
    return 1 if tell.broken else 0


def _perform(tell: Narrator, root: Path) -> int:
    """Play all acts; the number of commands that failed on purpose. An act that cannot go on is a claim that does not hold."""
    from gitmem.cli.demo import acts_alone, acts_proof, acts_together
    from gitmem.cli.demo.play import Interrupted, Play
    from gitmem.cli.demo.stage import build

    play = Play(tell, build(root))
    acts = (
        *(acts_alone.founds, acts_alone.learns_the_first, acts_alone.learns_the_rest),
        *(acts_together.joins, acts_together.finds, acts_together.work_at_once, acts_together.meet),
        *(acts_proof.log, acts_proof.secrecy),
    )
    try:
        for act in acts:
            act(play)
    except Interrupted as reason:
        tell.claim("the demo can go on", False, reason)
    return play.failures
