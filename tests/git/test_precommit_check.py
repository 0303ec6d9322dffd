"""What the pre-commit hook does to a real `git commit`: it refuses, stamps, merges again, signs and makes a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.errors import GitmemError
from gitmem.memory.founding.cloning import clone
from gitmem.memory.memory import Memory
from tests.support.git import Git
from tests.support.stores import found, open_memory

Store = Callable[..., tuple[Git, str]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """`store(plain=True)` founds a store with one committed record: (git in it, the record's path)."""

    def make(*, plain: bool) -> tuple[Git, str]:
        root = tmp_path / "store"
        found(root, plain=plain)
        with open_memory(root) as memory:
            memory.learn("pattern", {"pattern": "disk full", "fix": "empty the trash"}, tags=["disk"])
            memory.commit()
        return Git(root), next(root.glob("memory/team/pattern/*/*.yaml")).relative_to(root).as_posix()

    return make


def _edit(git: Git, path: str, old: str, new: str) -> None:
    file = git.path / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _commit(git: Git) -> tuple[int, str]:
    git("add", "--all")
    done = git.run("commit", "--quiet", "-m", "by hand")
    return done.returncode, done.stderr.decode()


def _problems(memory: Memory) -> list[str]:
    return [f"{p.what}: {p.where}: {p.why}" for p in memory.verify().problems]


def test_a_hand_edit_is_stamped_and_signed(store: Store) -> None:
    """In a plain store an edited value becomes a write of its own in the commit, with its entry in the log."""
    git, path = store(plain=True)
    _edit(git, path, "empty the trash", "buy a disk")
    code, said = _commit(git)
    assert code == 0, said
    state = parse(git.raw("show", f"HEAD:{path}"), path)
    (key,) = state.fields["fix"]
    assert key.startswith("h-")
    assert git("status", "--porcelain") == ""
    with open_memory(git.path) as memory:
        (record,) = memory.records()
        assert record.fields["fix"] == "buy a disk"
        assert _problems(memory) == []


def test_a_secret_in_a_hand_edit_is_named(store: Store) -> None:
    """What a hand puts into a plain store was not redacted: the hook says so, without the secret, and lets it pass."""
    git, path = store(plain=True)
    _edit(git, path, "empty the trash", "curl -u ada:hunter2 https://disk.example.org")
    code, said = _commit(git)
    assert code == 0, said
    assert f"warning: {path} was edited by hand and holds 1 password, 1 user name in the clear" in said
    assert "hunter2" not in said
    _edit(git, path, "hunter2", "$PASSWORD")
    assert "holds 1 user name in the clear" in _commit(git)[1]


def test_a_commit_that_was_given_up_leaves_nothing_behind(store: Store) -> None:
    """An aborted commit has staged a segment; the next one replaces it and the log still adds up."""
    git, path = store(plain=True)
    _edit(git, path, "empty the trash", "buy a disk")
    git("add", "--all")
    assert git.run("-c", "core.editor=false", "commit").returncode != 0
    _edit(git, path, "buy a disk", "buy two")
    code, said = _commit(git)
    assert code == 0, said
    with open_memory(git.path) as memory:
        assert _problems(memory) == []


def test_a_commit_that_stays_on_its_branch_keeps_its_place_in_the_log(store: Store) -> None:
    """The hook signs on a side branch; what gitmem then commits on the main one is no second segment of that number."""
    git, path = store(plain=True)
    with open_memory(git.path) as memory:
        git("switch", "--quiet", "-c", "side")
        memory.edit(Path(path).stem, {"fix": "buy a disk"})
        code, said = _commit(git)
        assert code == 0, said
        git("switch", "--quiet", "main")
        memory.commit()
    git("merge", "--quiet", "--no-edit", "side")
    with open_memory(git.path) as memory:
        assert _problems(memory) == []
    assert git("ls-files", "*.kept-*") == ""


def test_a_merge_puts_back_what_a_revert_took_out_of_the_log(store: Store) -> None:
    """A side branch reverts a commit, segment and all; merging it is not refused, and takes nothing back."""
    git, path = store(plain=True)
    with open_memory(git.path) as memory:
        memory.edit(Path(path).stem, {"fix": "buy a disk"})
        memory.commit()
        git("switch", "--quiet", "-c", "side")
        git("revert", "--no-edit", "HEAD")
        git("switch", "--quiet", "main")
        memory.edit(Path(path).stem, {"meaning": "it is full"})
        memory.commit()
        git("merge", "--quiet", "--no-edit", "side")
        assert memory.sync().problems == []
        assert memory.get(Path(path).stem).fields["fix"] == "buy a disk"
        assert _problems(memory) == []


def test_a_revert_that_waits_for_its_commit(store: Store) -> None:
    """Every hint leads on: the hook names the sync that puts back the log, and that the command that ends the revert."""
    git, path = store(plain=True)
    with open_memory(git.path) as memory:
        memory.edit(Path(path).stem, {"fix": "buy a disk"})
        memory.commit()
        git("revert", "--no-commit", "HEAD")
        assert "`gitmem sync`" in git.run("commit", "-m", "as it was").stderr.decode()
        for act in (memory.commit, memory.sync):
            with pytest.raises(GitmemError, match="under way") as raised:
                act()
            assert ("`gitmem sync`" in raised.value.hint) == (act == memory.commit)
        git(*raised.value.hint.split("`")[1].split()[1:])
        memory.sync()
        assert memory.get(Path(path).stem).fields["fix"] == "buy a disk"
    assert git("status", "--porcelain") == ""


def test_what_the_hook_puts_back_is_told_as_that(store: Store) -> None:
    """A record alone is committed after a reset: its log comes along, and was neither merged nor stamped."""
    git, _ = store(plain=True)
    git("reset", "--quiet", "HEAD~1")
    git("add", "memory")
    said = git.run("commit", "-m", "only the record").stderr.decode()
    assert said.count("was put back") == 2
    assert "merged or stamped" not in said


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("gitmem: 1", "gitmem: 1\nx: 1", "unknown key"),
        ("  fix:", "\tfix:", "a tab"),
        ("scope: team", "scope: other", "holds the record"),
        ('"empty the trash"', "42", "must be text"),
        ("  fix:", "  fixx:", "did you mean 'fix'"),
    ],
)
def test_a_bad_record_is_refused(store: Store, old: str, new: str, reason: str) -> None:
    """What breaks the format, its place or its schema does not enter the history, and the error names it."""
    git, path = store(plain=True)
    before = git("rev-parse", "HEAD")
    _edit(git, path, old, new)
    code, said = _commit(git)
    assert code != 0
    assert reason in said
    assert path in said
    assert "hint: " in said
    assert git("rev-parse", "HEAD") == before


def test_plaintext_in_a_sealed_store_is_refused(store: Store) -> None:
    """A secret field in the clear never becomes an object that is pushed."""
    git, path = store(plain=False)
    text = (git.path / path).read_text()
    token = next(word for word in text.split() if word.startswith("ENC["))
    (git.path / path).write_text(text.replace(token, '"the password is swordfish"'))
    code, said = _commit(git)
    assert code != 0
    assert "holds plaintext" in said
    assert "swordfish" not in said


@pytest.mark.parametrize("name", ["record", "segment", "stranger"])
def test_what_a_store_may_not_lose_or_take_in(store: Store, name: str) -> None:
    """A record is not deleted, a log segment not changed, and nothing else put among the records."""
    git, path = store(plain=True)
    segment = next(git.path.glob("log/audit/*/*/*.jsonl"))
    if name == "record":
        (git.path / path).unlink()
    elif name == "segment":
        segment.write_bytes(segment.read_bytes() + b"{}\n")
    else:
        (git.path / "memory/notes.txt").write_text("mine\n")
    code, said = _commit(git)
    assert code != 0
    assert {"record": "would be deleted", "segment": "logs are only added to", "stranger": "is no place for a record"}[
        name
    ] in said


def test_an_older_state_takes_nothing_back(store: Store) -> None:
    """A file checked out from an older commit is joined with what HEAD holds."""
    git, path = store(plain=True)
    old = git("rev-parse", "HEAD")
    with open_memory(git.path) as memory:
        memory.edit(memory.records()[0].id, {"fix": "buy a disk"})
        memory.commit()
    git("checkout", "--quiet", old, "--", path)
    git.run("commit", "--quiet", "-m", "back")
    assert b"buy a disk" in git.raw("show", f"HEAD:{path}")


def test_what_was_counted_of_a_record_that_a_reset_took_is_merged(store: Store) -> None:
    """A use of it waits in the journal and gets into a commit without it; with its commit back it is whole, and used once."""
    git, path = store(plain=False)
    whole = git("rev-parse", "HEAD")
    with open_memory(git.path) as memory:
        memory.used(Path(path).stem, fixed=True)
    git("reset", "--quiet", "--hard", "HEAD~1")
    git("switch", "--quiet", "-c", "side")
    with open_memory(git.path) as memory:
        memory.learn("note", {"type": "semantic", "text": "what else there is"})
        memory.commit()
    assert path in git("ls-files")
    git("switch", "--quiet", "main")
    git.commit("of the team's", {"README": "read me"})
    git("merge", "--quiet", "--no-edit", "side")
    git("merge", "--quiet", "--no-edit", whole)
    with open_memory(git.path) as memory:
        assert memory.get(Path(path).stem).usage.fixed == 1
        assert _problems(memory) == []


def _squashed(git: Git) -> None:
    git("switch", "--quiet", "--detach", "HEAD~1")
    git("merge", "--quiet", "--squash", "main")


def _picked(git: Git) -> None:
    git("switch", "--quiet", "--detach", "HEAD~1")
    git("cherry-pick", "--no-commit", "main")


def _reset(git: Git) -> None:
    git("reset", "--quiet", "--soft", "HEAD~1")


@pytest.fixture
def used(store: Store, tmp_path: Path) -> tuple[Git, str]:
    """A clone whose newest commit holds a use that was counted elsewhere: (git in it, the record's path)."""
    git, path = store(plain=False)
    with open_memory(git.path) as memory:
        memory.used(Path(path).stem, fixed=True)
        memory.commit()
    clone(str(git.path), str(tmp_path / "clone"))
    return Git(tmp_path / "clone"), path


@pytest.mark.parametrize("again", [_squashed, _picked, _reset])
def test_events_are_committed_again(used: tuple[Git, str], again: Callable[[Git], None]) -> None:
    """What brings a commit's changes without a parent that has them brings its batch of events, which the log tells of."""
    git, path = used
    batches = git("ls-files", "log/events")
    again(git)
    git("commit", "--quiet", "-m", "again")
    git("switch", "--quiet", "-C", "main")
    assert git("ls-files", "log/events") == batches
    with open_memory(git.path) as memory:
        assert memory.get(Path(path).stem).usage.fixed == 1
        assert _problems(memory) == []


def test_a_batch_that_nobody_signed_for_is_refused(used: tuple[Git, str]) -> None:
    """A file of events that the log does not know like this was not written by gitmem."""
    git, _ = used
    batch = git("diff", "--name-only", "HEAD~1", "--", "log/events")
    git("reset", "--quiet", "--soft", "HEAD~1")
    (git.path / batch).write_bytes((git.path / batch).read_bytes() + b"more: of it\n")
    code, said = _commit(git)
    assert code != 0
    assert "was not written by gitmem" in said


def test_a_merge_without_gitmem_is_merged_again(store: Store) -> None:
    """A driver that crashed left our side in place; `git add` would have lost theirs, the hook joins both again."""
    git, path = store(plain=True)
    git("switch", "--quiet", "-c", "side")
    for branch, fix in (("side", "buy a disk"), ("main", "delete logs")):
        git("switch", "--quiet", branch)
        with open_memory(git.path) as memory:
            memory.edit(memory.records()[0].id, {"fix": fix})
            memory.used(memory.records()[0].id, fixed=True)
            memory.commit()
    broken = ("-c", "pull.twohead=ort", "-c", "merge.gitmem.driver=false")
    assert git.run(*broken, "merge", "--quiet", "--no-edit", "side").returncode != 0
    assert b"buy a disk" not in (git.path / path).read_bytes()
    code, said = _commit(git)
    assert code == 0, said
    state = parse(git.raw("show", f"HEAD:{path}"), path)
    assert sorted(map(str, state.fields["fix"].values())) == ["buy a disk", "delete logs"]
    assert state.total("fixed") == 2
    assert (git.path / path).read_bytes() == emit(state)
    with open_memory(git.path) as memory:
        assert _problems(memory) == []


def test_a_snapshot_comes_first(store: Store) -> None:
    """Before the commit the state of index and work tree is kept under refs/gitmem/snapshots."""
    git, path = store(plain=True)
    _edit(git, path, "empty the trash", "buy a disk")
    edited = (git.path / path).read_bytes()
    code, said = _commit(git)
    assert code == 0, said
    ref = git("for-each-ref", "--format=%(refname)", "refs/gitmem/snapshots")
    assert git.raw("show", f"{ref}:{path}") == edited


def test_a_record_that_is_broken_in_the_history_can_be_mended(store: Store) -> None:
    """What a commit without the hook broke does not stand in the way of the commit that mends it."""
    git, path = store(plain=True)
    sound = (git.path / path).read_text()
    (git.path / path).write_text("<<<<<<< broken\n")
    git("commit", "--quiet", "--all", "--no-verify", "-m", "broken")
    (git.path / path).write_text(sound.replace("empty the trash", "buy a disk"))
    code, said = _commit(git)
    assert code == 0, said
    assert b"buy a disk" in git.raw("show", f"HEAD:{path}")
