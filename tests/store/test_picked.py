"""Commits that are picked out of a line: a chain of the log then has a hole until the rest comes."""

from __future__ import annotations

from pathlib import Path

from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


def test_a_commit_picked_without_the_one_before_it(tmp_path: Path, bare_remote: Path) -> None:
    """Bob picks the second of two commits on Ada's branch: both go on syncing, and in the end the log is whole."""
    ada, bob = person(tmp_path / "home-ada"), person(tmp_path / "home-bob")
    found(tmp_path / "ada", plain=True, name="ada", who=ada)
    share(tmp_path / "ada", bare_remote, ada)
    git = Git(tmp_path / "ada")
    with open_memory(tmp_path / "ada", ada) as first:
        join(first, tmp_path / "bob", bare_remote, "bob", bob)
        with open_memory(tmp_path / "bob", bob) as second:
            second.learn("note", {"type": "semantic", "text": "three"})
            second.sync()
        git("switch", "--quiet", "-c", "side")
        ids = []
        for text in ("one", "two"):
            ids.append(first.learn("note", {"type": "semantic", "text": text}).id)
            first.commit()
        Git(tmp_path / "bob")("fetch", "--quiet", tmp_path / "ada", "side")
        Git(tmp_path / "bob")("cherry-pick", "FETCH_HEAD")
        git("switch", "--quiet", "main")
        first.learn("note", {"type": "semantic", "text": "what Bob's sync brings, so that it looks for deletions in the log"})
        assert first.sync().problems == []
        with open_memory(tmp_path / "bob", bob) as second:
            assert second.sync().problems == []
            git("merge", "--quiet", "--no-edit", "side")
            for memory in (first, second, first):
                assert memory.sync().problems == []
            for memory in (first, second):
                assert [memory.get(record).fields["text"] for record in ids] == ["one", "two"]
                assert memory.verify().problems == []


def test_what_the_commit_before_it_took_away_stays_away(tmp_path: Path, bare_remote: Path) -> None:
    """Ada drops a tag and then forgets the record; Bob picks the second commit alone and syncs, and the tag does not return."""
    ada, bob = person(tmp_path / "home-ada"), person(tmp_path / "home-bob")
    found(tmp_path / "ada", name="ada", who=ada)
    share(tmp_path / "ada", bare_remote, ada)
    git = Git(tmp_path / "ada")
    with open_memory(tmp_path / "ada", ada) as first:
        record = first.learn("pattern", {"pattern": "no route to host", "fix": "plug it in"}, tags=["net", "old"]).id
        first.sync()
        join(first, tmp_path / "bob", bare_remote, "bob", bob)
        first.edit(record, {"tags": ["net"]})
        first.commit()
        first.forget(record)
        first.commit()
        Git(tmp_path / "bob")("fetch", "--quiet", tmp_path / "ada", "main")
        Git(tmp_path / "bob")("cherry-pick", "FETCH_HEAD")
        with open_memory(tmp_path / "bob", bob) as second:
            second.learn("note", {"type": "semantic", "text": "so that there is something to share"})
            assert second.sync().problems == []
            for memory in (first, second):
                assert memory.sync().problems == []
                assert memory.verify().problems == []
                assert list(memory.get(record).sets["tags"]) == ["net"]
    assert git("status", "--porcelain") == ""
