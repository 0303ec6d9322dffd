"""What the check before a commit loads: every `git commit` in a store waits for it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import gitmem.plumbing.hooks, gitmem.memory.privacy.overview, gitmem.memory.committing.staged
print(*sorted(name for name in sys.modules if name.startswith(("gitmem.", "click"))))
"""
UNUSED = {
    "click",
    "gitmem.cli.ui",
    "gitmem.core.usage",
    "gitmem.memory.auditing.log",
    "gitmem.memory.recording.learn",
    "gitmem.memory.privacy.redaction",
    "gitmem.memory.reports",
    "gitmem.memory.results",
}


def test_the_check_loads_what_it_needs() -> None:
    """Neither what records and recalls nor what the command line says with: a third of its time."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "gitmem.memory.committing.commit" in loaded
    assert not loaded & UNUSED
