"""A batch of events that was reverted comes back, and no other takes its name meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.support.git import Git
from tests.support.stores import found, open_memory


def test_no_two_batches_share_a_name(tmp_path: Path) -> None:
    """A commit below one made by hand is reverted, so that the writer's log still ends where it did and no other is begun."""
    found(tmp_path / "store")
    git = Git(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        record = memory.learn("note", {"type": "semantic", "text": "worth a count"})
        memory.commit()
        memory.used(record.id, fixed=True)
        memory.commit()
        batch = git("ls-files", "log/events").splitlines()[-1]
        memory.edit(record.id, {"text": "worth two"})
        git("add", "--all")
        git("commit", "--quiet", "--message=by hand")
        git("revert", "--no-edit", "HEAD~1")
        assert not (tmp_path / "store" / batch).exists()
        memory.used(record.id, fixed=True)
        memory.commit()
        fresh = git("ls-files", "log/events").splitlines()[-1]
        assert (Path(fresh).parent, fresh > batch) == (Path(batch).parent, True)
        memory.sync()
        assert memory.verify().problems == []
