"""Erasing from git's history: the text is in no object of any clone that walked over, and nothing else is lost by it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.errors import RemoteError, UsageError
from gitmem.git.repo import Repo
from gitmem.memory.auditing.keyless import check_stores
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erase_history import HistoryReport, erase_history
from gitmem.memory.syncing.heal import unhealed
from tests.support.git import Git
from tests.support.stores import found, open_memory, person
from tests.support.team import Team, closed, make_team, quick

SECRET = "plug in at Marlow street 7"
LATER = "call Bo Lind, second floor"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Three clones of a plain store, so that what is erased can be looked for."""
    yield from closed(make_team(quick(tmp_path), ("ada", "bob", "cam"), plain=True))


def _holds(repository: Path, text: str = SECRET) -> bool:
    """Whether any object of a repository, reachable or not, holds a text."""
    repo = Repo(repository, repository, repository) if (repository / "HEAD").exists() else Repo.find(repository)
    names = repo.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return text.encode() in repo.run("cat-file", "--batch", input=names)


def _secret(team: Team) -> tuple[str, str]:
    """A record with a past of several versions, and one that stays."""
    record, stays = team.learn(fix=SECRET), team.learn("disk full", fix="make room")
    team["bob"].edit(record, {"fix": LATER})
    team["bob"].edit(stays, {"fix": "make more room"})
    team.sync()
    return record, stays


def _rewrite(team: Team, record: str) -> HistoryReport:
    erase(team["ada"].context, [record])
    report = erase_history(team["ada"].context)
    assert report.sync is not None
    assert report.sync.problems == []
    return report


def test_nothing_of_it_is_left_where_a_clone_walked_over(team: Team) -> None:
    """Every clone follows at its next sync, with what it had not shared yet; counts, the log and other records stand."""
    record, stays = _secret(team)
    before = team.hashes("ada")
    team["cam"].edit(stays, {"tags": ["disk"]})
    team["cam"].commit()
    late = team["cam"].learn("pattern", {"pattern": "late", "fix": "but mine"}).id
    erase(team["ada"].context, [record])
    team.sync("ada", "bob")
    assert Git(team.folder / "remote.git")("for-each-ref", "refs/gitmem/heard")
    report = erase_history(team["ada"].context)
    assert (report.records, report.versions > 1, report.backup) == (1, True, None)
    assert not _holds(team.folder / "ada")
    assert not _holds(team.folder / "ada", LATER)
    assert not list((team.folder / "ada" / ".git" / "gitmem").glob("*.bundle"))
    team.agree()
    for name in team.clones:
        assert not _holds(team.folder / name), name
        assert team[name].get(late).fields["fix"] == "but mine"
        assert team[name].get(stays).fields["fix"] == "make more room"
        assert team[name].verify().problems == []
        assert unhealed(team[name].context) == []
        assert team[name].match("disk full")
    assert before <= team.hashes("ada")
    Git(team.folder / "remote.git")("gc", "--quiet", "--prune=now")
    assert not _holds(team.folder / "remote.git")
    assert erase_history(team["ada"].context, dry_run=True).versions == 0
    with pytest.raises(UsageError, match="administrator"):
        erase_history(team["bob"].context, dry_run=True)


def test_an_old_history_is_not_taken_in_again(team: Team) -> None:
    """A clone that merged by plain git and pushed, a side ref, a remote that was put back: the next sync takes the content."""
    record, _ = _secret(team)
    old = Git(team.folder / "bob")
    shutil.copytree(team.folder / "remote.git", team.folder / "kept.git")
    _rewrite(team, record)
    team["bob"].learn("pattern", {"pattern": "unshared", "fix": "yet"})
    team["bob"].commit()
    old("-c", "pull.rebase=false", "pull", "--quiet", "--no-edit")
    old("push", "--quiet")
    assert _holds(team.folder / "remote.git")
    old("push", "--quiet", "origin", f"HEAD:refs/gitmem/{team['bob'].context.store.replica.writer}")
    team["ada"].sync()
    assert not _holds(team.folder / "ada")
    team.agree()
    Git(team.folder / "remote.git")("gc", "--quiet", "--prune=now")
    for name in (*team.clones, "remote.git"):
        assert not _holds(team.folder / name), name
    shutil.rmtree(team.folder / "remote.git")
    (team.folder / "kept.git").rename(team.folder / "remote.git")
    assert "shared again" in "".join(team["cam"].sync().problems)
    team["ada"].sync()
    Git(team.folder / "remote.git")("gc", "--quiet", "--prune=now")
    assert not _holds(team.folder / "remote.git")
    assert team["ada"].search("unshared")


def test_a_rewriting_without_a_notice_is_none(team: Team) -> None:
    """Whoever forces another history upon the remote takes nothing away: it is joined again, as ever."""
    record, _ = _secret(team)
    git = Git(team.folder / "bob")
    git("push", "--quiet", "--force", "origin", "HEAD~3:refs/heads/" + git("branch", "--show-current").strip())
    assert "shared again" in "".join(team["ada"].sync().problems)
    assert team["ada"].get(record).fields["fix"] == LATER
    assert _holds(team.folder / "remote.git", LATER)


def test_what_is_kept_elsewhere_is_named(team: Team) -> None:
    """A tag on the old history keeps it; the sync says so. The bundle is kept if asked for."""
    record, _ = _secret(team)
    Git(team.folder / "ada")("tag", "v1")
    erase(team["ada"].context, [record])
    report = erase_history(team["ada"].context, keep_backup=True)
    assert report.backup
    assert Path(report.backup).stat().st_mode & 0o077 == 0
    assert "refs/tags/v1" in "".join(report.problems)


def test_a_remote_that_refuses_is_tried_again(team: Team) -> None:
    """Where the host forbids to replace history, nothing is half done: it is told, and any later sync does it."""
    record, stays = _secret(team)
    config = Git(team.folder / "remote.git")
    config("config", "receive.denyNonFastForwards", "true")
    erase(team["ada"].context, [record])
    with pytest.raises(RemoteError, match="does not let its history be replaced"):
        erase_history(team["ada"].context)
    team.sync("bob")
    config("config", "receive.denyNonFastForwards", "false")
    team["bob"].edit(stays, {"fix": "meanwhile"})
    team.sync("bob", "ada")
    team.agree()
    assert team["ada"].get(stays).fields["fix"] == "meanwhile"
    config("gc", "--quiet", "--prune=now")
    for name in (*team.clones, "remote.git"):
        assert not _holds(team.folder / name), name


def test_one_clone_alone_needs_no_remote(tmp_path: Path) -> None:
    """A sealed store of one person: the blobs of the record are gone, the others and the log stand."""
    found(tmp_path / "store")
    with open_memory(tmp_path / "store") as memory:
        record = memory.learn("pattern", {"pattern": "no route", "fix": SECRET}).id
        stays = memory.learn("pattern", {"pattern": "disk full", "fix": "make room"}).id
        memory.commit()
        memory.edit(record, {"fix": LATER})
        memory.commit()
        git = Git(tmp_path / "store")
        path = f"memory/team/pattern/{record[2:4]}/{record}.yaml"
        blobs = {git("rev-parse", f"{commit}:{path}").strip() for commit in git("rev-list", "HEAD", "--", path).split()}
        erase(memory.context, [record])
        assert erase_history(memory.context, dry_run=True).versions == len(blobs) == 2
        report = erase_history(memory.context)
        left = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
        assert not blobs & set(left)
        assert report.versions == 2
        assert memory.verify().problems == []
        [keyless] = check_stores(tmp_path / "store", "HEAD")
        assert keyless.problems == [], "the notice is no plaintext"
        assert memory.get(stays).fields["fix"] == "make room"
        assert "reflogs" not in {place.what for place in report.remains}


def test_a_killed_rewriting_is_finished(team: Team) -> None:
    """Killed when the branch had moved and nothing was signed: the next sync signs the notice, and all follow."""
    record, _ = _secret(team)
    erase(team["ada"].context, [record])
    team.sync("ada")
    script = (
        "import os\nfrom gitmem.memory.privacy import erase_history as e\nfrom gitmem.memory.memory import Memory\n"
        "e.finish_rewriting = lambda _: os._exit(9)\nwith Memory.open('.') as m: e.erase_history(m.context, keep_backup=True)\n"
    )
    env = dict(person(team.folder / "home-ada").env)
    done = subprocess.run([sys.executable, "-c", script], cwd=team.folder / "ada", env=env, check=False)
    assert done.returncode == 9
    team.reopen("ada")
    team.agree()
    (bundle,) = (team.folder / "ada" / ".git" / "gitmem").glob("before-*.bundle")
    bundle.unlink()
    Git(team.folder / "remote.git")("gc", "--quiet", "--prune=now")
    for name in (*team.clones, "remote.git"):
        assert not _holds(team.folder / name), name
