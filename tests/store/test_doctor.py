"""`doctor`: each thing that breaks in a real store is named by its check, and `--fix` mends it or the command it names does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitmem.core.codec import emit, parse
from gitmem.errors import GitmemError, Locked
from gitmem.memory.checkup.doctor import Check, doctor
from gitmem.memory.memory import Memory
from gitmem.memory.syncing.reopening import make_way
from tests.support.auditing import Scribe, change
from tests.support.git import Git
from tests.support.stores import found, founded_here, open_memory, person, share

ERRORS = ("no route to host", "cannot resolve the name", "port already in use")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed store with a remote, a backup, and three records; one of them waits for a commit."""
    folder = tmp_path_factory.mktemp("doctor")
    Git(folder)("init", "--quiet", "--bare", folder / "remote.git")
    ada = person(folder / "home")
    found(folder / "ada", who=ada)
    share(folder / "ada", folder / "remote.git", ada)
    with open_memory(folder / "ada", ada) as memory:
        for error in ERRORS[:2]:
            memory.learn("pattern", {"pattern": error, "fix": "restart"})
        memory.sync()
        memory.backup(str(folder / "safe"))
        memory.commit()
    return folder


@pytest.fixture
def memory(template: Path, tmp_path: Path) -> Iterator[Memory]:
    """The template's store, opened in a copy of it that is broken at will."""
    shutil.copytree(template / "ada", tmp_path / "ada", symlinks=True)
    key_file().parent.mkdir(parents=True)
    shutil.copy(template / "home/.config/gitmem/identity.txt", key_file())
    with open_memory(tmp_path / "ada") as opened:
        opened.learn("pattern", {"pattern": ERRORS[2], "fix": "stop the other one"})
        assert ill(opened) == {}
        yield opened


def reopened(place: Path) -> Memory:
    """The store as `doctor --fix` opens it."""
    make_way(place)
    return Memory.open(place, reopen=True)


def ill(memory: Memory, *, fix: bool = False) -> dict[str, Check]:
    """The checks that are not ok."""
    return {check.name: check for check in doctor(memory.context, fix=fix) if not check.ok}


def key_file() -> Path:
    """Where the identity of whoever sits here is."""
    return Path(os.environ["HOME"]) / ".config/gitmem/identity.txt"


def root(memory: Memory) -> Path:
    """Where the store is."""
    return memory.context.store.root


def record_file(memory: Memory, error: str) -> Path:
    """The file of the record that was learned for an error."""
    [record] = [one for one in memory.records() if one.fields["pattern"] == error]
    return next((root(memory) / "memory").rglob(f"{record.id}.yaml"))


def record_id(memory: Memory, error: str) -> str:
    """The id of the record that was learned for an error."""
    return record_file(memory, error).stem


def all_stand(memory: Memory) -> bool:
    """Whether every record can be read, and every change is vouched for."""
    memory.commit()
    return {one.fields["pattern"] for one in memory.records()} == {*ERRORS} and memory.verify().ok


@pytest.mark.parametrize("content", [None, b"", b"\0" * 21, b"ref: rafs/heads/main\n"])
def test_a_damaged_head(memory: Memory, content: bytes | None) -> None:
    """git takes it for no repository at all then; the log of HEAD tells where it stood."""
    head = root(memory) / ".git/HEAD"
    before = head.read_bytes()
    head.unlink()
    if content is not None:
        head.write_bytes(content)
    assert ill(memory)["branch"].why == "HEAD is damaged: it names no branch and no commit"
    assert ill(memory, fix=True) == {}
    assert head.read_bytes() == before
    assert content is None or (memory.context.store.local / "damaged/HEAD").read_bytes() == content
    assert all_stand(memory)


def test_a_head_that_only_a_person_can_tell(memory: Memory) -> None:
    """Two branches at one commit, and no log: nothing is guessed, and what to write is said."""
    git = Git(root(memory))
    git("branch", "other")
    (root(memory) / ".git/logs/HEAD").unlink()
    (root(memory) / ".git/HEAD").write_bytes(b"")
    told = ill(memory)["branch"]
    assert told.fix.startswith("write the line `ref: refs/heads/BRANCH` into ")
    with pytest.raises(GitmemError, match="nothing tells which branch it was on"):
        doctor(memory.context, fix=True)
    Path(told.fix.rpartition(" ")[2]).write_text("ref: refs/heads/main\n")
    assert ill(memory, fix=True) == {}


def test_a_damaged_configuration_of_git(memory: Memory) -> None:
    """The file and its line are named; once a person has taken that line out, the rest is mended."""
    config = root(memory) / ".git/config"
    sound = config.read_text()
    config.write_text(f"{sound}[gar\n")
    line = sound.count("\n") + 1
    told = ill(memory)["git configuration"]
    assert told.why == f"git cannot read its configuration: .git/config is damaged in line {line}"
    assert told.fix.startswith("mend or delete that line")
    config.unlink()  # git does without it; what we need of it is set again
    assert [check.fix for check in ill(memory, fix=True).values()] == ["git remote add origin URL"]
    Git(root(memory))("remote", "add", "origin", "elsewhere")
    assert ill(memory) == {}
    assert all_stand(memory)


def test_a_killed_gits_locks(memory: Memory) -> None:
    """Lock files without a git are removed; while one is at work here they are left alone."""
    git = root(memory) / ".git"
    locks = [git / "index.lock", git / "refs/heads/main.lock"]
    for lock in locks:
        lock.touch()
    args = ["git", "hash-object", "--stdin"]
    with subprocess.Popen(args, cwd=root(memory) / "memory", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as alive:
        assert "locks" not in ill(memory)
        with pytest.raises(Locked):
            doctor(memory.context, fix=True)
        assert all(lock.exists() for lock in locks)
        alive.communicate(b"")
    assert "index.lock" in ill(memory)["locks"].why
    assert ill(memory, fix=True) == {}
    assert not any(lock.exists() for lock in locks)


def test_permissions(memory: Memory) -> None:
    """Others may read neither what is never committed nor the identity."""
    key = key_file()
    key.chmod(0o644)
    memory.context.store.local.chmod(0o755)
    with open_memory(root(memory)) as again:
        why = ill(again)["permissions"].why
        assert str(key) in why and str(again.context.store.local) in why  # noqa: PT018 - one sentence names both
        assert ill(again, fix=True) == {}
    assert key.stat().st_mode & 0o777 == 0o600


def test_permissions_of_a_shared_repository(memory: Memory) -> None:
    """What git shares with a group (core.sharedRepository) stays so; the key and our own directory are one person's."""
    git, key = Git(root(memory)), key_file()
    git("config", "core.sharedRepository", "group")
    shared = [root(memory) / ".git/objects", root(memory) / ".git/HEAD", root(memory) / "memory"]
    for path in (*shared, key, memory.context.store.local):
        path.chmod(path.stat().st_mode | 0o060)
    before = [path.stat().st_mode for path in shared]
    with open_memory(root(memory)) as again:
        assert ill(again, fix=True) == {}
    assert [path.stat().st_mode for path in shared] == before
    assert [path.stat().st_mode & 0o077 for path in (key, memory.context.store.local)] == [0, 0]


def test_a_clock_that_is_behind(memory: Memory) -> None:
    """The log's newest entries are from a time to come: this machine's clock is named."""
    memory.context.clock = lambda: datetime.now(UTC) - timedelta(days=3)
    assert "this machine's clock is behind" in ill(memory)["clock"].why


def test_a_clock_of_a_writer_that_no_clone_of_ours_is(memory: Memory) -> None:
    """A turn that is no number, which the form of a writer's name allows, is in nobody's way."""
    made = Scribe("eve", "eve-aa").sign([change("memory/x", None, b"x")])
    place = root(memory) / made.path
    place.parent.mkdir(parents=True)
    place.write_bytes(made.data)
    Git(root(memory))("add", made.path)
    Git(root(memory))("commit", "--quiet", "--no-verify", "--message=eve", "--", made.path)
    assert "clock" not in ill(memory)


def test_an_outdated_backup(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old backup is named once records changed since; another one mends it."""
    later = datetime.now(UTC) + timedelta(days=9)
    memory.context.clock = lambda: later
    assert "backup" not in ill(memory)  # nothing was committed since
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{later:%Y-%m-%dT%H:%M:%SZ}")
    memory.commit()
    check = ill(memory)["backup"]
    assert "9 days old" in check.why
    assert check.fix == "gitmem backup create"
    memory.backup()
    assert "backup" not in ill(memory)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@99999999999999 +0000")  # a year that there is not
    memory.learn("note", {"text": "one more"})
    memory.commit()
    assert "backup" not in ill(memory)


def _unpack(store: Path) -> None:
    """Have every object lie by itself."""
    for pack in (store / ".git/objects/pack").glob("*.pack"):
        data = pack.read_bytes()
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.unlink()
        Git(store).raw("unpack-objects", "-q", stdin=data)


@pytest.mark.parametrize("left", ["work tree", "backup", "remote"])
def test_damaged_objects(memory: Memory, left: str) -> None:
    """An empty, a cut and a missing object come back from whichever source is left, and what was damaged is kept."""
    git = Git(root(memory))
    path = record_file(memory, ERRORS[0]).relative_to(root(memory))
    blob, commit = git("rev-parse", f"HEAD:{path}"), git("rev-parse", "HEAD~1")
    _unpack(root(memory))
    wanted = [blob] if left == "work tree" else [blob, commit]
    for name in wanted:
        file = root(memory) / ".git/objects" / name[:2] / name[2:]
        file.chmod(0o644)
        file.write_bytes(b"" if name == blob else file.read_bytes()[:-9])
    if left != "backup":
        git("config", "--unset", "gitmem.backup")
    if left == "remote":
        record_file(memory, ERRORS[0]).unlink()
    else:
        git("remote", "remove", "origin")
    memory.context.store.repo.close()
    assert blob in ill(memory)["objects"].why
    assert ill(memory, fix=True) == {}
    assert all_stand(memory)
    assert len(list((memory.context.store.local / "damaged/objects").iterdir())) == len(wanted)


def test_a_commit_of_nothing_is_no_damage(memory: Memory) -> None:
    """git makes one in `pull --rebase=merges`, writes no tree for it, and its own fsck misses that."""
    git = Git(root(memory))
    git("branch", "nothing", git("commit-tree", "-m", "nothing", memory.context.store.repo.empty_tree()))
    assert git.run("fsck").returncode
    assert ill(memory) == {}


def test_a_flipped_bit_in_a_pack(memory: Memory) -> None:
    """What can be read of a damaged pack is put back, the rest comes from elsewhere."""
    memory.commit()
    Git(root(memory))("repack", "-adq")
    [pack] = (root(memory) / ".git/objects/pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 4
    pack.chmod(0o644)
    pack.write_bytes(data)
    memory.context.store.repo.close()
    assert "objects" in ill(memory)
    assert ill(memory, fix=True) == {}
    assert all_stand(memory)


def test_broken_record_files(memory: Memory) -> None:
    """Each is named, the last good version stands again, also of one that is in no commit; the broken file is kept."""
    files = [record_file(memory, error) for error in ERRORS[1:]]
    assert memory.match(ERRORS[1])  # which counts it, in the journal
    for file in files:
        file.write_bytes(b"\0" * 100)
    assert "records" in ill(memory)
    assert memory.match(ERRORS[0])  # the rest goes on
    assert ill(memory, fix=True) == {}
    assert all_stand(memory)
    assert len(list((memory.context.store.local / "damaged").glob("*.yaml"))) == 2


def test_a_broken_file_that_nothing_is_known_of(memory: Memory) -> None:
    """It is named, set aside and kept."""
    stray = record_file(memory, ERRORS[0]).with_name("p-stray.yaml")
    stray.write_bytes(b"not a record\n")
    assert "p-stray.yaml" in ill(memory)["records"].why
    assert ill(memory, fix=True) == {}
    assert (memory.context.store.local / "damaged/p-stray.yaml").read_bytes() == b"not a record\n"


def test_exposed_plaintext(memory: Memory) -> None:
    """A value in the clear in a sealed store is named as such, and sealed again by what the last commit holds."""
    file = record_file(memory, ERRORS[0])
    path = file.relative_to(root(memory)).as_posix()
    state = parse(file.read_bytes(), path)
    state.fields["fix"] = dict.fromkeys(state.fields["fix"], "in the clear")
    file.write_bytes(emit(state))
    names = ill(memory)
    assert "plaintext" in names
    assert "records" not in names
    assert ill(memory, fix=True) == {}
    assert b"in the clear" not in file.read_bytes()
    assert all_stand(memory)


def test_a_damaged_line_of_the_journal(memory: Memory) -> None:
    """It costs itself alone: the file it was about is still there, other lines stay, and the damaged journal is kept."""
    memory.used(record_id(memory, ERRORS[0]), fixed=True)
    file = max((memory.context.store.local / "journal").glob("*.log"))
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    with open_memory(root(memory)) as again:
        assert "is damaged" in ill(again)["journal"].why
        assert ill(again, fix=True) == {}
        assert all_stand(again)
        assert again.get(record_id(again, ERRORS[0])).usage.fixed == 1
    assert list((memory.context.store.local / "damaged").glob("*.log"))


def test_a_lost_tail_of_the_journal(memory: Memory) -> None:
    """What the index had read and the journal lost is told; the record's file has what it said."""
    assert memory.match(ERRORS[2])
    file = max((memory.context.store.local / "journal").glob("*.log"))
    file.write_bytes(b"")
    with open_memory(root(memory)) as again:
        assert "bytes at its end are gone" in ill(again)["journal"].why
        assert ill(again, fix=True) == {}
        assert all_stand(again)


def test_a_damaged_index(memory: Memory) -> None:
    """A page that does not authenticate is found without being asked for, and the index is made anew."""
    memory.match(ERRORS[0])
    memory.close()
    file = memory.context.store.local / "index.db"
    data = bytearray(file.read_bytes())
    data[-2000] ^= 1
    file.write_bytes(data)
    with open_memory(root(memory)) as again:
        assert "index" in ill(again)
        assert ill(again, fix=True) == {}
        assert all_stand(again)


def test_a_half_updated_work_tree(memory: Memory) -> None:
    """Files that a killed checkout had not written are named, and are there again."""
    file = record_file(memory, ERRORS[0])
    file.unlink()
    assert "work tree" in ill(memory)
    assert ill(memory, fix=True) == {}
    assert file.exists()


def test_hooks_and_strategy(memory: Memory) -> None:
    """A missing hook and a strategy that git does not know of are set up again."""
    (root(memory) / ".git/hooks/pre-commit").unlink()
    Git(root(memory))("config", "--unset", "pull.twohead")
    assert {"hooks", "git configuration"} <= ill(memory).keys()
    assert ill(memory, fix=True) == {}


def test_a_branch_that_holds_no_commit(memory: Memory) -> None:
    """A power loss emptied the branch's file: git's own log of it tells where it stood."""
    git = Git(root(memory))
    head = git("rev-parse", "HEAD")
    (root(memory) / ".git/refs/heads/main").write_bytes(b"")
    assert {"branch", "objects"} <= ill(memory).keys()
    assert ill(memory, fix=True) == {}
    git("merge-base", "--is-ancestor", head, "HEAD")
    assert all_stand(memory)


@pytest.mark.parametrize("copied", [False, True])
def test_a_branch_that_is_gone(memory: Memory, tmp_path: Path, copied: bool) -> None:
    """No second history is begun, nor in a copy that never wrote to the log; and git's own log of the branch has it back."""
    place = Path(shutil.copytree(root(memory), tmp_path / "copy", symlinks=True)) if copied else root(memory)
    git = Git(place)
    head = git("rev-parse", "HEAD")
    (place / ".git/refs/heads/main").unlink()
    with open_memory(place) as again:
        assert "stood at" in ill(again)["branch"].why
        with pytest.raises(GitmemError, match="main is gone") as refused:
            again.commit()
        assert "doctor --fix" in refused.value.hint
        assert ill(again, fix=True) == {}
        git("merge-base", "--is-ancestor", head, "HEAD")
        assert all_stand(again)


def test_packed_refs_without_their_directory(memory: Memory) -> None:
    """What copies no empty directories leaves such a clone, which git takes for none."""
    git = Git(root(memory))
    head = git("rev-parse", "HEAD")
    memory.close()
    git("pack-refs", "--all")
    shutil.rmtree(root(memory) / ".git/refs")
    with open_memory(root(memory)) as again:
        assert "refs is gone" in ill(again)["branch"].why
    with Memory.open(root(memory), reopen=True) as again:
        assert ill(again, fix=True) == {}
        git("merge-base", "--is-ancestor", head, "HEAD")
        assert all_stand(again)


def test_a_branch_begun_without_the_log(memory: Memory) -> None:
    """It has no log of git's that tells anything: whoever began it is told to switch back."""
    git = Git(root(memory))
    git("checkout", "--quiet", "--orphan", "anew")
    before = git("status", "--porcelain")
    assert ill(memory, fix=True)["branch"].fix == "git switch BRANCH"
    assert git("status", "--porcelain") == before
    with pytest.raises(GitmemError, match="begins on another"):
        memory.commit()


@pytest.mark.parametrize("left", [None, b"", b"DIRC", b"\0" * 4096])
def test_an_index_that_is_gone(memory: Memory, left: bytes | None) -> None:
    """Without one git takes every file for removed, and one that a power loss hit says nothing: it is read from HEAD again."""
    index = root(memory) / ".git/index"
    index.unlink()
    if left is not None:
        index.write_bytes(left)
    assert "index" in ill(memory)["objects"].why
    assert ill(memory, fix=True) == {}
    assert Git(root(memory))("status", "--porcelain") == ""


def test_log_and_keys_that_git_was_told_to_forget(memory: Memory) -> None:
    """They lie there as they should, and the next commit by git would remove them."""
    git = Git(root(memory))
    git("rm", "--quiet", "--cached", "-r", "log", ".gitmem/keys")
    assert "work tree" in ill(memory)
    assert ill(memory, fix=True) == {}
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
@pytest.mark.parametrize("path", [".gitmem/config.yaml", ".gitmem/members/ada.yaml", ".gitmem/keys/team/*/ada.age"])
def test_what_a_store_is_opened_with(memory: Memory, path: str, damage: str) -> None:
    """The work tree alone lacks it, or has it cut off: the last commit has it, for who repairs."""
    [file] = root(memory).glob(path)
    whole = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(whole[:99] if damage == "cut" else b"")
    with Memory.open(root(memory), reopen=True) as again:
        assert ill(again, fix=True) == {}
        assert all_stand(again)
    assert file.read_bytes() == whole
    assert (memory.context.store.local / "damaged" / file.name).exists() == (damage != "gone")


@pytest.mark.parametrize("by", ["commit", "doctor"])
@pytest.mark.parametrize("path", [".gitmem/members/ada.yaml", ".gitmem/keys/team/*/recovery.age", ".gitattributes"])
def test_no_commit_removes_what_a_hand_removed(memory: Memory, path: str, by: str) -> None:
    """Without a member's file nobody is a member, without a wrapped key its holder reads nothing: they are written again."""
    [file] = root(memory).glob(path)
    whole = file.read_bytes()
    file.unlink()
    if by == "doctor":
        assert ill(memory, fix=True) == {}
    memory.commit()
    assert file.read_bytes() == whole
    assert Git(root(memory))("status", "--porcelain") == ""
    assert ill(memory) == {}
    assert all_stand(memory)


@pytest.mark.parametrize(
    "name", ["HEAD", "index", "gitmem/marks", "gitmem/lock", "gitmem/acts", "gitmem/index.db", "gitmem/journal"]
)
def test_a_directory_where_a_file_belongs(memory: Memory, name: str) -> None:
    """Whoever only looks is told, and no bug is met; repaired, it is kept beside and made anew, without a loss."""
    file = root(memory) / ".git" / name
    memory.close()
    if file.is_dir():
        shutil.rmtree(file)
        file.touch()
    else:
        file.unlink(missing_ok=True)
        file.mkdir()
    assert named_in(root(memory)) or name == "gitmem/index.db"
    with reopened(root(memory)) as again:
        assert ill(again, fix=True) == {}
        again.commit()
        assert ill(again, fix=True) == {}
        assert all_stand(again)


def test_a_pipe_where_a_file_belongs(memory: Memory) -> None:
    """Whoever opened it would wait for ever: each is named, and many are mended at once."""
    memory.commit()
    memory.used(record_id(memory, ERRORS[0]), fixed=True)
    memory.close()
    git = [root(memory) / ".git" / name for name in ("HEAD", "index", "config", "packed-refs")]
    branch = root(memory) / ".git/refs/heads/main"
    journal, segment = (max((root(memory) / below).rglob("*.*l*")) for below in (".git/gitmem/journal", "log/audit"))
    [config, wrapped] = (next(root(memory).glob(name)) for name in (".gitmem/config.yaml", ".gitmem/keys/team/*/ada.age"))
    own = [journal, segment, config, wrapped, root(memory) / ".gitattributes", record_file(memory, ERRORS[1])]
    for files in (own, git, [branch]):
        for file in files:
            whole = _pipe(file)
            assert file.name in named_in(root(memory)), file
            file.unlink()
            if whole is not None:
                file.write_bytes(whole)
        for file in files:
            _pipe(file)
        with reopened(root(memory)) as again:
            assert {check.fix for check in ill(again, fix=True).values()} <= {"git remote add origin URL"}
            assert all_stand(again)


def test_a_pipe_above_the_store(tmp_path: Path) -> None:
    """git reads the attributes of each directory above, also where the store lies in a repository of code."""
    (tmp_path / "code").mkdir()
    git, file = Git(tmp_path / "code"), tmp_path / "code/.gitattributes"
    git("init", "--quiet")
    git.commit("code", {".gitattributes": "*.c text\n"})
    founded_here(tmp_path / "code/memory-of-ours")
    before = _pipe(file)
    assert named_in(tmp_path / "code/memory-of-ours") == ".gitattributes is no regular file"
    with reopened(tmp_path / "code/memory-of-ours") as again:
        assert ill(again, fix=True) == {}
        assert file.read_bytes() == before


def test_two_at_once_that_nothing_opens_without(memory: Memory) -> None:
    """HEAD and the configuration that it holds are damaged, and a file lies where our own directory does: both are kept."""
    memory.commit()
    local, config = root(memory) / ".git/gitmem", root(memory) / ".gitmem/config.yaml"
    before = config.read_bytes()
    config.write_bytes(b"")
    (root(memory) / ".git/HEAD").write_bytes(b"")
    with reopened(root(memory)) as again:
        assert ill(again, fix=True) == {}
        assert (config.read_bytes(), (local / "damaged/HEAD").read_bytes()) == (before, b"")
    shutil.rmtree(local)
    local.write_text("a file")
    assert "gitmem is no directory" in named_in(root(memory))
    with reopened(root(memory)) as again:
        assert {*ill(again, fix=True)} == {"backup"}  # what this clone knew of those went with the directory
        assert (local / "damaged/gitmem").read_text() == "a file"
        assert all_stand(again)


def _pipe(file: Path) -> bytes | None:
    """Put a pipe in the place of a file, whose content is returned."""
    whole = file.read_bytes() if file.exists() else None
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    return whole


def named_in(place: Path) -> str:
    """What somebody is told who only looks at a store, be it that it does not open."""
    try:
        with open_memory(place) as looking:
            return " ".join(check.why for check in ill(looking).values())
    except GitmemError as error:
        return error.message


def test_a_repository_without_objects(memory: Memory) -> None:
    """All are gone: git sees no repository; the remote has what is in none of the files here."""
    memory.sync()
    shutil.rmtree(root(memory) / ".git/objects")
    with open_memory(root(memory)) as again:
        assert "objects is gone" in ill(again)["branch"].why
    with Memory.open(root(memory), reopen=True) as again:
        assert ill(again, fix=True) == {}
        assert all_stand(again)


def test_a_member_file_that_is_gone_is_named(memory: Memory) -> None:
    """Whoever it was about is not sent to join again."""
    (root(memory) / ".gitmem/members/ada.yaml").unlink()
    assert {check.fix for check in ill(memory).values()} == {"gitmem doctor --fix"}


@pytest.mark.parametrize("below", ["log/audit", "log/events", ".gitmem/keys"])
def test_damaged_files_of_the_log_and_of_keys(memory: Memory, below: str) -> None:
    """Nobody changes one in place: it is written again as the last commit has it, and what lay there is kept."""
    files = [file for file in sorted((root(memory) / below).rglob("*.*")) if file.is_file()]
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:-20] + b"?" * 20)
    with open_memory(root(memory)) as again:
        assert files[0].name in ill(again)["work tree"].why
        assert ill(again, fix=True) == {}
        assert files[0].read_bytes() == whole
        assert all_stand(again)
    assert (memory.context.store.local / "damaged" / files[0].name).exists()


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_uses_that_went_with_the_journal(memory: Memory, how: str) -> None:
    """Nothing had read them since they were acknowledged: that they are gone is told all the same, once."""
    memory.used(record_id(memory, ERRORS[0]), fixed=True)
    folder = memory.context.store.local / "journal"
    if how == "removed":
        shutil.rmtree(folder)
    else:
        max(folder.glob("*.log")).write_bytes(b"")
    with open_memory(root(memory)) as again:
        assert "gone" in ill(again)["journal"].why
        told: list[str] = []
        again.context.warn = told.append
        assert ill(again, fix=True) == {}
        assert any("uses that were in no commit yet are lost" in one for one in told)
        assert ill(again) == {}


@pytest.mark.parametrize("link", [False, True])
def test_what_is_no_file_gives_way(memory: Memory, link: bool) -> None:
    """A directory or a link in the place of a file of the store is kept elsewhere, and the file is there again."""
    memory.commit()
    member = next((root(memory) / ".gitmem/members").iterdir())
    segment = max((root(memory) / "log/audit").rglob("*.jsonl"))
    files = {file: file.read_bytes() for file in (member, segment, record_file(memory, ERRORS[0]))}
    for file in files:
        file.unlink()
        if link:
            file.symlink_to("/etc/hostname")
        else:
            file.mkdir()
    assert ill(memory)
    assert ill(memory, fix=True) == {}
    assert {file: file.read_bytes() for file in files if not file.is_symlink()} == files


def test_a_directory_that_is_a_link_gives_way(memory: Memory, tmp_path: Path) -> None:
    """What lies where it leads to is somebody's own: nothing is moved from there or written to it."""
    memory.commit()
    folder = root(memory) / ".gitmem/members"
    name, data = next((file.name, file.read_bytes()) for file in folder.iterdir())
    (tmp_path / "elsewhere" / name).mkdir(parents=True)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "elsewhere")
    assert ill(memory, fix=True) == {}
    assert (folder / name).read_bytes() == data
    assert not folder.is_symlink()
    assert [file.name for file in (tmp_path / "elsewhere").rglob("*")] == [name]


@pytest.mark.parametrize("packed", [False, True])
def test_a_snapshot_that_is_gone(memory: Memory, packed: bool) -> None:
    """Its ref names what is in no place; git stops at it, so it goes, by name, and the others stay."""
    git = Git(root(memory))
    blob = git("hash-object", "-w", "--stdin", stdin="only there")
    tree = git("mktree", stdin=f"100644 blob {blob}\tfile\n")
    for name in ("lost", "kept"):
        git(
            "update-ref",
            f"refs/gitmem/snapshots/{name}",
            git("commit-tree", "-m", name, tree if name == "lost" else "HEAD^{tree}"),
        )
    if packed:
        git("pack-refs", "--all")
    (root(memory) / ".git/objects" / blob[:2] / blob[2:]).unlink()
    told: list[str] = []
    memory.context.warn = told.append
    assert ill(memory).keys() == {"objects"}
    assert ill(memory, fix=True) == {}
    assert told == ["the snapshot lost is lost: nothing has its objects any more"]
    assert "snapshots/kept" in git("for-each-ref")
