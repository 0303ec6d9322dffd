"""The index and files that go back to what git holds without a word: to neither HEAD nor the journal anything happens."""

from __future__ import annotations

from pathlib import Path

from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, open_memory


def _fixes(memory: Memory) -> list[str]:
    return [str(answer.fields["fix"]) for answer in memory.match("sh: cannot find gizmo")]


def _store_with_two_versions(top: Path) -> tuple[Git, str, str]:
    """A store in which a record was changed; its id, and its path."""
    found(top)
    with open_memory(top) as memory:
        record = memory.learn("pattern", {"pattern": "cannot find gizmo", "fix": "the first"}).id
        memory.commit()
        memory.edit(record, {"fix": "the second"})
        memory.commit()
        return Git(top), record, memory.context.paths[record]


def test_an_old_version_checked_out_while_head_moves_is_read_again_when_it_goes(tmp_path: Path) -> None:
    """`git checkout HEAD~1 -- file`, a commit of something else, `git checkout HEAD -- file`: match shows what get shows."""
    git, record, path = _store_with_two_versions(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        assert _fixes(memory) == ["the second"]
        git("checkout", "HEAD~1", "--", path)
        git("reset", "--quiet", "--soft", "HEAD~1")
        assert _fixes(memory) == ["the first"]
        git("reset", "--quiet", "--soft", "ORIG_HEAD")
        assert _fixes(memory) == ["the first"]
        git("checkout", "HEAD", "--", path)
        assert _fixes(memory) == [memory.get(record).fields["fix"]] == ["the second"]


def test_an_index_that_is_made_over_edited_files_reads_them_again(tmp_path: Path) -> None:
    """A whole index, too, is made from the files as they lie there, one of them missing."""
    git, _, path = _store_with_two_versions(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        other = memory.learn("pattern", {"pattern": "disk quota exceeded", "fix": "the other"}).id
        memory.commit()
        beside = memory.context.paths[other]
    git("checkout", "HEAD~2", "--", path)
    git("rm", "--quiet", beside)
    for file in (tmp_path / "store/.git/gitmem").glob("index.db*"):
        file.unlink()
    with open_memory(tmp_path / "store") as memory:
        assert _fixes(memory) == ["the first"]
        assert memory.match("disk quota exceeded") == []
        git("checkout", "HEAD", "--", path, beside)
        assert _fixes(memory) == ["the second"]
        assert [answer.id for answer in memory.match("disk quota exceeded")] == [other]


def test_what_is_remembered_goes_when_the_file_is_what_git_holds(tmp_path: Path) -> None:
    """Nothing is read again for ever, and nothing is remembered of a clean work tree."""
    git, _, path = _store_with_two_versions(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        _fixes(memory)
        assert memory.context.index is not None
        assert memory.context.index.get_meta("unlike") == "{}"
        git("reset", "--quiet", "--soft", "HEAD~1")
        _fixes(memory)
        assert path in str(memory.context.index.get_meta("unlike"))
        git("reset", "--quiet", "--hard")
        assert _fixes(memory) == ["the first"]
        assert memory.context.index.get_meta("unlike") == "{}"
