"""What plain git takes into the history without our hook is signed for by the next commit of gitmem."""

from __future__ import annotations

from pathlib import Path

from tests.support.git import Git
from tests.support.stores import found, open_memory


def test_a_write_committed_without_the_hook_is_vouched_for(tmp_path: Path) -> None:
    """`git commit --no-verify` of a journalled write leaves it unsigned; the next `gitmem commit` mends that."""
    root = tmp_path / "a"
    found(root)
    git = Git(root)
    with open_memory(root) as memory:
        memory.learn("pattern", {"pattern": "disk full", "fix": "empty it"})
        git("add", "--all")
        git("commit", "--quiet", "--no-verify", "-m", "by hand")
        assert [problem.what for problem in memory.verify().problems] == ["unsigned change"]
        memory.commit()
        assert memory.verify().problems == []
