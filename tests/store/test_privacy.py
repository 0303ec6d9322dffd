"""What is logged of whom: chosen by each member, kept to in each of their clones; and commits that name nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.memory.committing.events import every_event
from gitmem.memory.members.granting import add_scope
from gitmem.memory.members.removal import remove, set_role
from gitmem.memory.privacy.choosing import choose
from gitmem.memory.privacy.consent import READS, USAGE
from gitmem.memory.privacy.overview import set_pseudonyms, status, tells_who
from tests.support.git import Git
from tests.support.team import Team, closed, make_team, quick


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Ada's and Bob's clones of a sealed store."""
    yield from closed(make_team(quick(tmp_path), ("ada", "bob"), plain=False))


def test_a_member_chooses_what_is_logged_of_them(team: Team) -> None:
    """No event says when Bob tried what, nothing counts what he looked up; others see his choice, and their own stands."""
    record = team.learn()
    bob = team["bob"]
    for what in (USAGE, READS):
        choose(bob.context, what, allowed=False)
    before = bob.get(record).usage
    assert bob.match("no route to host")
    bob.used(record, fixed=True, ms=20)
    team["ada"].used(record, fixed=True)
    team.agree()
    assert status(team["ada"].context).consent == {
        "ada": {"usage": True, "reads": True},
        "bob": {"usage": False, "reads": False},
    }
    after = team["ada"].get(record).usage
    assert (after.matched, after.fixed) == (before.matched, before.fixed + 2)
    assert sum(event["op"] == "used" for event in every_event(bob.context)) == 2  # Bob's before he chose, and Ada's
    choose(bob.context, USAGE, allowed=True)
    choose(bob.context, USAGE, allowed=True)
    bob.used(record, fixed=True)
    team.agree()
    assert sum(event["op"] == "used" for event in every_event(bob.context)) == 3
    assert [e.op for s in team.entries("ada") for e in s].count("consent") == 3


def test_a_choice_holds_in_the_other_clones_of_a_member(team: Team) -> None:
    """A clone takes note at its next sync."""
    ada = team["ada"]
    choose(ada.context, READS, allowed=False)
    ada.context.store.marks.set_note("opted out", "")
    team["bob"].learn("note", {"text": "x"})
    team.sync("bob", "ada")
    assert ada.context.store.marks.note("opted out") == "reads"


def test_commits_name_nobody(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the commit that says so on no commit of gitmem's has a name or an address, merges among them; git's own are told."""
    for name in ("ada", "bob"):
        git = Git(team.folder / name)
        git("config", "user.name", f"{name} of the lab")
        git("config", "user.email", f"{name}@lab.example")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME", raising=False)
        monkeypatch.delenv(f"GIT_{role}_EMAIL", raising=False)
    before = Git(team.folder / "ada")("rev-parse", "HEAD").strip()
    set_pseudonyms(team["ada"].context, on=True)
    team.sync()
    team["bob"].learn("note", {"text": "one"})
    team["bob"].commit()
    team["ada"].learn("note", {"text": "two"})
    team.agree()
    shown = Git(team.folder / "ada")("log", "--format=%an <%ae> %cn <%ce>", f"{before}..HEAD").splitlines()
    assert len(shown) >= 4
    assert all("lab" not in line and "ada" not in line and "bob" not in line for line in shown), shown
    people = {line.split(" <")[0] for line in shown}
    assert len(people) == 2
    assert status(team["bob"].context).commits_as.split(" <")[0] in people
    assert tells_who(team["bob"].context) == "bob of the lab"
    set_pseudonyms(team["bob"].context, on=False)
    assert not status(team["bob"].context).pseudonyms
    assert tells_who(team["bob"].context) is None


def test_no_message_names_a_member(team: Team) -> None:
    """Neither roles nor scopes nor who leaves stand in a message; without pseudonyms they do."""
    ada, folder = team["ada"].context, team.folder / "ada"
    set_role(ada, "bob", "reader")
    assert Git(folder)("log", "-1", "--format=%s").strip() == "gitmem: bob is reader"
    set_pseudonyms(ada, on=True)
    before = Git(folder)("rev-parse", "HEAD").strip()
    set_role(ada, "bob", "member")
    add_scope(ada, "ops", ["ada", "bob"])
    remove(ada, "bob")
    assert "bob" not in Git(folder)("log", "--format=%B", f"{before}..HEAD")


@pytest.mark.parametrize("heard", ["sync", "git merge"])
def test_a_name_does_not_reach_the_remote(team: Team, monkeypatch: pytest.MonkeyPatch, heard: str) -> None:
    """What bob committed before he heard of pseudonyms is shared without his name: by nobody's commit but a pseudonym's."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME", raising=False)
        monkeypatch.delenv(f"GIT_{role}_EMAIL", raising=False)
    git = Git(team.folder / "bob")
    git("config", "user.name", "bob in the lab")
    git("config", "user.email", "bob@lab.example")
    set_pseudonyms(team["ada"].context, on=True)
    one = team["bob"].learn("note", {"text": "one"}).id
    team["bob"].commit()
    git("config", "user.name", "bob of the lab")
    team["bob"].edit(one, {"text": "one more"})
    team["ada"].sync()
    if heard == "git merge":
        git("fetch", "--quiet", "origin")
        git("merge", "--quiet", "--no-edit", "origin/main")
    assert "bob in the lab" in git("log", "--format=%an", "origin/main..HEAD")
    report = team["bob"].sync()
    assert any("under a pseudonym" in note for note in report.notes)
    assert "lab" not in Git(team.folder / "bob")("log", "--format=%an %ae %cn %ce", "origin/main")
    team.agree()
    assert team["ada"].get(one).fields["text"] == "one more"
    assert team["ada"].verify().problems == team["bob"].verify(full=True).problems == []
    assert not any("pseudonym" in note for note in team["bob"].sync().notes)


def test_nor_does_it_in_a_side_ref(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting comes while bob is pushing, who is refused for the second time: what goes aside names nobody, either."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME", raising=False)
        monkeypatch.delenv(f"GIT_{role}_EMAIL", raising=False)
    Git(team.folder / "bob")("config", "user.name", "bob of the lab")
    team["ada"].learn("note", {"text": "hers"})
    team["ada"].commit()
    set_pseudonyms(team["ada"].context, on=True)
    push = f"git --git-dir='{team.folder}/ada/.git' push --quiet --no-verify '{team.folder}/remote.git'"
    hook = team.folder / "bob" / ".git/hooks/pre-push"
    _ = hook.write_text(
        "#!/bin/sh\nunset GIT_DIR\necho run >> runs\ncase $(wc -l < runs) in\n"
        f"1) {push} main~:main ;;\n2) {push} main ;;\nesac\n"
    )
    hook.chmod(0o755)
    team["bob"].learn("note", {"text": "his"})
    assert team["bob"].sync().attempts > 2
    assert "lab" not in Git(team.folder / "remote.git")("log", "--all", "--format=%an %cn")


def test_commits_of_others_files_keep_their_name(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the branch holds more than the store, nothing is made anew; the merge itself names nobody.

    A file is not the store's because its name begins as that of one of the store's directories does.
    """
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME", raising=False)
        monkeypatch.delenv(f"GIT_{role}_EMAIL", raising=False)
    Git(team.folder / "bob")("config", "user.name", "bob of the lab")
    Git(team.folder / "bob")("config", "user.email", "bob@lab.example")
    _ = (team.folder / "bob" / "logs.py").write_text("x = 1\n")
    Git(team.folder / "bob")("add", "logs.py")
    Git(team.folder / "bob")("commit", "--quiet", "--message", "code")
    set_pseudonyms(team["ada"].context, on=True)
    team["bob"].learn("note", {"text": "one"})
    team.sync("ada", "bob")
    merge, _ = Git(team.folder / "bob")("log", "-1", "--format=%an %cn|%s").strip().split("|")
    assert merge.count("member-") == 2
    assert "code" in Git(team.folder / "bob")("log", "--format=%s", "origin/main").splitlines()


def test_a_reader_chooses_as_well(team: Team) -> None:
    """Their own file is theirs to sign in: the choice holds everywhere, and the log is sound."""
    set_role(team["ada"].context, "bob", "reader")
    team.sync("ada", "bob")
    choose(team["bob"].context, READS, allowed=False)
    assert team["bob"].sync().problems == []
    assert team["ada"].sync().problems == []
    assert status(team["ada"].context).consent["bob"] == {"usage": True, "reads": False}
    assert team["ada"].verify().problems == []
