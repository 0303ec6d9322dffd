"""What was in the store stays there or is named: pins of branches, of remotes, and from somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.errors import UsageError
from gitmem.memory.auditing.audit import AuditReport
from gitmem.memory.auditing.pins import check_against, parse_pin, pin_of, take_pin
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share


@pytest.fixture
def team(tmp_path: Path, bare_remote: Path) -> tuple[Memory, Memory]:
    """Ada, who founded the store, and bob, each with a record that both have."""
    found(tmp_path / "ada")
    share(tmp_path / "ada", bare_remote)
    ada = open_memory(tmp_path / "ada")
    who = person(tmp_path / "bobs-home")
    join(ada, tmp_path / "bob", bare_remote, "bob", who)
    bob = open_memory(tmp_path / "bob", who)
    for memory, name in ((ada, "ada"), (bob, "bob"), (ada, "")):
        if name:
            memory.learn("pattern", {"pattern": f"an error of {name}", "fix": "restart"})
        memory.sync()
    return ada, bob


def roll_back(remote: Path, by: int) -> None:
    """What a host can do: the branch points at an older commit."""
    git = Git(remote)
    git("update-ref", "refs/heads/main", git("rev-parse", f"refs/heads/main~{by}"))


def names(report: AuditReport) -> set[str]:
    """What is wrong, by name."""
    return {problem.what for problem in report.problems}


def test_a_rollback_is_named_by_whoever_had_seen_more(team: tuple[Memory, Memory], bare_remote: Path, tmp_path: Path) -> None:
    """A reader's clone that follows a rolled back branch knows; a fresh clone alone says that it cannot."""
    clone(str(bare_remote), str(tmp_path / "eve"))
    with open_memory(tmp_path / "eve", person(tmp_path / "eves-home")) as eve:
        assert any("truncation is not excluded" in note for note in eve.verify().notes)
        second = eve.verify()
        assert second.ok
        assert not any("truncation" in note for note in second.notes)
        roll_back(bare_remote, 1)
        Git(tmp_path / "eve")("fetch", "--quiet", "origin", "+main:refs/remotes/origin/main")
        Git(tmp_path / "eve")("reset", "--quiet", "--hard", "origin/main")
        assert names(eve.verify()) == {"cut chain"}
        assert names(eve.verify()) == {"cut chain"}, "a pin does not follow what it found wrong"
    clone(str(bare_remote), str(tmp_path / "fresh"))
    with open_memory(tmp_path / "fresh") as fresh:
        assert fresh.verify().ok


def test_sync_names_what_the_remote_lost_and_gives_it_back(team: tuple[Memory, Memory], bare_remote: Path) -> None:
    """The branch goes back behind what it held at our last sync, also where git itself was made to follow."""
    ada, _ = team
    before = Git(bare_remote)("rev-parse", "main")
    roll_back(bare_remote, 1)
    Git(ada.context.store.root)("fetch", "--quiet", "origin", "+main:refs/remotes/origin/main")
    problems = ada.sync().problems
    assert len(problems) == 1
    assert "cut chain: log/audit/" in problems[0]
    assert "(kept here, and shared again)" in problems[0]
    assert Git(bare_remote)("rev-parse", "main") == before
    assert ada.sync().problems == []
    assert ada.verify().ok


def test_sync_claims_to_have_kept_only_what_it_has(team: tuple[Memory, Memory], bare_remote: Path) -> None:
    """The remote and this clone both went back behind the last sync: what is lost is named as lost."""
    ada, _ = team
    git = Git(ada.context.store.root)
    roll_back(bare_remote, 1)
    git("fetch", "--quiet", "origin", "+main:refs/remotes/origin/main")
    git("reset", "--quiet", "--hard", "origin/main")
    problems = ada.sync().problems
    assert ["last sync" in problem for problem in problems] == [True, False]
    assert not any("kept here" in problem for problem in problems)


def test_a_chain_that_was_cut_in_a_rewritten_history_is_named(team: tuple[Memory, Memory]) -> None:
    """One commit in place of all, without a last segment and what it was about: sound in itself, and less than there was."""
    ada, bob = team
    root = ada.context.store.root
    git = Git(root)
    mine = bob.context.store.replica.writer
    last = max(git("ls-files", f"log/audit/{mine}").split())
    touched = git("show", "--format=", "--name-only", git("log", "-1", "--format=%H", "--", last)).split()
    git("rm", "--quiet", *touched)
    git("reset", "--quiet", "--soft", git("commit-tree", git("write-tree"), "-m", "rewritten"))
    assert {(problem.what, problem.where) for problem in ada.verify().problems} == {("cut chain", f"log/audit/{mine}")}


def test_what_was_never_shared_may_be_taken_back(team: tuple[Memory, Memory]) -> None:
    """A reset of one's own commits that nobody has is no tampering, verified before or not."""
    ada, _ = team
    ada.learn("pattern", {"pattern": "a mistake of mine", "fix": "none"})
    ada.commit()
    assert ada.verify().ok
    Git(ada.context.store.root)("reset", "--quiet", "--hard", "HEAD~")
    ada.learn("pattern", {"pattern": "another error", "fix": "none"})
    ada.commit()
    assert ada.verify().problems == []


def test_a_pin_from_somebody_else(team: tuple[Memory, Memory], bare_remote: Path, tmp_path: Path) -> None:
    """A fresh clone of less than the pin names is found out at once, at its next sync, and by verification."""
    ada, _ = team
    text = pin_of(ada.context).text()
    clone(str(bare_remote), str(tmp_path / "good"))
    with open_memory(tmp_path / "good") as good:
        assert check_against(good.context, parse_pin(text)) == []
        take_pin(good.context, parse_pin(text))
        report = good.verify()
        assert report.ok
        assert not any("truncation" in note for note in report.notes)
    roll_back(bare_remote, 1)
    clone(str(bare_remote), str(tmp_path / "less"))
    with open_memory(tmp_path / "less") as less:
        pin = parse_pin(text)
        assert [problem.what for problem in check_against(less.context, pin)] == ["cut chain"]
        take_pin(less.context, pin)
        assert any("cut chain" in problem for problem in less.sync().problems)
        assert names(less.verify()) == {"cut chain"}


def test_a_pin_of_another_store_or_founder_is_refused(team: tuple[Memory, Memory], tmp_path: Path) -> None:
    """Whoever stands under the name of the store is the one who founded it."""
    ada, bob = team
    pin = pin_of(ada.context)
    found(tmp_path / "other")
    with open_memory(tmp_path / "other") as other:
        assert [problem.what for problem in check_against(other.context, pin)] == ["another beginning"]
        with pytest.raises(UsageError, match="another store"):
            take_pin(other.context, pin)
        theirs = pin_of(other.context)
    forged = type(pin)(pin.store, "SHA256:" + "A" * 43, pin.commit, pin.ends)
    assert theirs.genesis != forged.genesis
    assert [problem.what for problem in check_against(bob.context, forged)] == ["another beginning"]
    with pytest.raises(UsageError, match="another founder"):
        take_pin(bob.context, forged)


def test_verifying_needs_no_disk_that_takes_anything(team: tuple[Memory, Memory]) -> None:
    """The verdict stands where nothing can be noted, and that is said."""
    ada, _ = team
    (ada.context.store.local / "pins.json").unlink()
    for name in ("pins.json", "verified"):
        (ada.context.store.local / name).mkdir()
    said: list[str] = []
    ada.context.warn = said.append
    assert ada.verify().ok
    assert len(said) == 2
    assert all("could not be noted" in text for text in said)
