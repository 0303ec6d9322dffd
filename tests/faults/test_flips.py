"""Single bits that flip on the disk: each is found, costs the file it is in alone, and `doctor --fix` brings that file back."""

from __future__ import annotations

import os
import random
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.errors import GitmemError
from gitmem.git.damage import damage
from gitmem.memory.checkup.contents import faults, mend_files, mend_records, work_tree
from gitmem.memory.checkup.doctor import Check, doctor
from gitmem.memory.checkup.salvage import salvage
from gitmem.memory.memory import Memory
from gitmem.store.index import Index
from tests.support.git import Git
from tests.support.stores import EFFORT, found, learn_many, open_memory, person, share

FLIPS = 10
"""How many files are hit at once; all of it happens `EFFORT` times."""
LONG_AGO = 10**18  # nanoseconds: before git's index was written, so that it trusts what it noted of a file


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed store of two dozen used records in twelve commits, all of it shared, and a backup of all but the last."""
    folder = tmp_path_factory.mktemp("flips")
    Git(folder)("init", "--quiet", "--bare", folder / "remote.git")
    ada = person(folder / "home")
    found(folder / "ada", who=ada)
    share(folder / "ada", folder / "remote.git", ada)
    with open_memory(folder / "ada", ada) as memory:
        for number in range(12):
            learn_many(memory, [f"valve {number} is stuck", f"valve {number} is gone"])
            for record in memory.records(limit=2):
                memory.used(record.id, fixed=True)
            memory.commit()
            if number == 10:
                memory.backup(str(folder / "safe"))
        memory.sync()
        memory.records()  # the index is there
    git = Git(folder / "ada")
    git("config", "core.checkStat", "minimal")  # what else tells git of a file that a person wrote: a bad disk renews no time
    for file in _work_tree(folder / "ada"):
        os.utime(file, ns=(LONG_AGO, LONG_AGO))
    git("update-index", "--refresh")
    return folder


@pytest.fixture
def memory(template: Path, tmp_path: Path) -> Iterator[Memory]:
    """The template's store, opened in a copy of it."""
    shutil.copytree(template / "ada", tmp_path / "ada", symlinks=True)
    key = Path(os.environ["HOME"]) / ".config/gitmem"
    shutil.copytree(template / "home/.config/gitmem", key)
    with open_memory(tmp_path / "ada") as opened:
        yield opened


def _root(memory: Memory) -> Path:
    return memory.context.store.root


def _work_tree(root: Path) -> list[Path]:
    return [file for name in ("memory", "log", ".gitmem") for file in sorted((root / name).rglob("*")) if file.is_file()]


def _history(memory: Memory) -> set[str]:
    """All objects that any ref reaches; git lists those of one second in the order in which it meets them."""
    return set(Git(_root(memory))("rev-list", "--objects", "--all").splitlines())


def _contents(files: list[Path]) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in files}


def _flip(draw: random.Random, file: Path) -> None:
    """Flip one bit of a file, as a disk does: neither its size nor its time tells of it."""
    data, times = bytearray(file.read_bytes()), file.stat()
    place = draw.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    file.chmod(0o644)
    file.write_bytes(data)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def _ill(memory: Memory, *, fix: bool = False) -> dict[str, Check]:
    return {check.name: check for check in doctor(memory.context, fix=fix) if not check.ok}


def test_in_records(memory: Memory) -> None:
    """Those that were hit are named and no others; mended, every file is what it was, to the byte."""
    draw = random.Random(1)
    files = sorted((_root(memory) / "memory").rglob("*.yaml"))
    whole = _contents(_work_tree(_root(memory)))
    for _ in range(EFFORT):
        hit = draw.sample(files, FLIPS)
        for file in hit:
            _flip(draw, file)
        assert {_root(memory) / path for path in faults(memory.context)} == set(hit)
        mend_records(memory.context)
        assert _contents(_work_tree(_root(memory))) == whole
    assert _ill(memory) == {}
    assert len(list((memory.context.store.local / "damaged").iterdir())) == FLIPS * EFFORT


def test_in_the_number_of_the_format(memory: Memory) -> None:
    """A file that says to be of a newer format, and is what it was but for that, was written by no newer gitmem."""
    file = min((_root(memory) / "memory").rglob("*.yaml"))
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"gitmem: 1", b"gitmem: 3", 1))
    assert _ill(memory)["records"].fix == "gitmem doctor --fix"
    mend_records(memory.context)
    assert file.read_bytes() == whole


def test_no_flip_in_a_record_gets_into_a_commit(memory: Memory) -> None:
    """Damaged files that git takes for edits are left out by a commit; what they were stays in the history as it was."""
    draw = random.Random(2)
    files = sorted((_root(memory) / "memory").rglob("*.yaml"))
    whole, usage = _contents(files), [one.usage.fixed for one in memory.records(limit=99)]
    for _ in range(EFFORT):
        for file in draw.sample(files, FLIPS):
            _flip(draw, file)
            os.utime(file)
        made = memory.commit()
        assert made is None or made.records == 0, Git(_root(memory))("show", "-U0", "-m", "--first-parent")
        Git(_root(memory))("checkout", "--", "memory")
        assert _contents(files) == whole
    assert [one.usage.fixed for one in memory.records(limit=99)] == usage


def test_in_the_way_of_a_sync(memory: Memory, template: Path, tmp_path: Path) -> None:
    """Somebody changed the very record that is damaged here: the refusal names the damage, and doctor makes way."""
    file = min((_root(memory) / "memory").rglob("*.yaml"))
    shutil.copytree(template / "remote.git", tmp_path / "remote.git")
    Git(_root(memory))("remote", "set-url", "origin", tmp_path / "remote.git")
    shutil.copytree(_root(memory), tmp_path / "other", symlinks=True)
    with open_memory(tmp_path / "other") as other:
        other.edit(file.stem, {"fix": "replace it"})
        other.sync()
    file.write_bytes(file.read_bytes().replace(b"  fixed:", b"  fixee:").replace(b"life:", b"lifd:"))
    with pytest.raises(GitmemError, match=f"{file.stem}.*; not committed: .*{file.stem}") as told:
        memory.sync()
    assert told.value.hint == "gitmem doctor --fix"
    assert _ill(memory, fix=True) == {}
    assert memory.sync().problems == []
    assert memory.get(file.stem).fields["fix"] == "replace it"


def test_in_segments(memory: Memory) -> None:
    """Each is found by a look at its bytes, and written again as it was committed; the log verifies all along."""
    draw = random.Random(5)
    logs = [sorted((_root(memory) / "log" / name).rglob("*.*")) for name in ("audit", "events")]
    whole = _contents(_work_tree(_root(memory)))
    for _ in range(EFFORT):
        for file in [*draw.sample(logs[0], FLIPS), *draw.sample(logs[1], FLIPS)]:
            _flip(draw, file)
        assert f"{2 * FLIPS} files of the log" in work_tree(memory.context)[1]
        assert memory.verify().ok
        mend_files(memory.context)
        assert _contents(_work_tree(_root(memory))) == whole


def test_in_loose_objects(memory: Memory) -> None:
    """Each is named by its id, comes back from the work tree, the backup or the remote, and no other is touched."""
    draw = random.Random(3)
    objects = _root(memory) / ".git/objects"
    files = sorted(objects.glob("[0-9a-f][0-9a-f]/*"))
    history = _history(memory)
    for _ in range(EFFORT):
        hit = draw.sample([file for file in files if file.exists()], FLIPS)
        whole = _contents([file for file in files if file.exists()])
        untouched = {file: data for file, data in whole.items() if file not in hit}
        for file in hit:
            _flip(draw, file)
        told = "\n".join(damage(memory.context.store.repo))
        for file in hit:
            assert file.parent.name + file.name in told or _says_the_same(file, whole[file])
        salvage(memory.context)
        assert damage(memory.context.store.repo) == []
        assert _contents([*untouched]) == untouched
        assert _history(memory) == history
    assert memory.verify().ok


def _says_the_same(file: Path, whole: bytes) -> bool:
    """Whether the bit was one of the few that mean nothing, such as those that fill the last byte of what is compressed."""
    try:
        return zlib.decompress(file.read_bytes()) == zlib.decompress(whole)
    except zlib.error:
        return False


@pytest.mark.parametrize("suffix", ["pack", "idx"])
def test_in_packs(memory: Memory, tmp_path: Path, suffix: str) -> None:
    """A flip in a pack or its index is found wherever it is, and costs no object."""
    draw = random.Random(suffix)
    git = Git(_root(memory))
    git("repack", "-adq")
    history = _history(memory)
    packs = _root(memory) / ".git/objects/pack"
    shutil.copytree(packs, tmp_path / "whole")
    for number in range(FLIPS * EFFORT):
        [file] = packs.glob(f"*.{suffix}")
        _flip(draw, file)
        memory.context.store.repo.close()
        assert damage(memory.context.store.repo) != [], number
        if number % 10 == 0:
            salvage(memory.context)
            assert damage(memory.context.store.repo) == []
            assert _history(memory) == history
            assert memory.verify().ok
        shutil.rmtree(packs)
        shutil.copytree(tmp_path / "whole", packs)


@pytest.mark.parametrize("name", ["objects/info/commit-graph", "objects/pack/multi-pack-index", "index", "refs/heads/main"])
def test_in_what_git_works_out(memory: Memory, name: str) -> None:
    """What git derives from its objects is set aside and made again, and a branch stands where it stood; no object is lost.

    The few flips that are not found mean nothing: a letter of an id in upper case, a number that git does not use.
    """
    draw = random.Random(name)
    git, folder = Git(_root(memory)), _root(memory) / ".git"
    for words in (("repack", "-adq"), ("commit-graph", "write", "--reachable"), ("multi-pack-index", "write")):
        git(*words)
    whole = {path: (folder / path).read_bytes() for path in (name, "refs/heads/main")}
    history = _history(memory)
    memory.close()
    unfound = 0
    for number in range(2 * EFFORT):
        _flip(draw, folder / name)
        with open_memory(_root(memory)) as again:
            found = damage(again.context.store.repo) != []
            salvage(again.context)
            assert damage(again.context.store.repo) == [], number
        assert _history(memory) == history
        assert (folder / "refs/heads/main").read_bytes().lower() == whole["refs/heads/main"]
        unfound += not found
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(whole[name])
    assert unfound <= 1 + EFFORT // 5
    with open_memory(_root(memory)) as again:
        assert _ill(again) == {}


@pytest.mark.parametrize("suffix", ["bitmap", "rev"])
def test_beside_a_pack(memory: Memory, suffix: str) -> None:
    """git believes its notes on a pack, and older ones never check them; without them it reads the pack."""
    draw = random.Random(suffix)
    git, packs = Git(_root(memory)), _root(memory) / ".git/objects/pack"
    git("-c", "pack.writeReverseIndex=true", "repack", "-adbq")
    history = _history(memory)
    [file] = packs.glob(f"*.{suffix}")
    whole = file.read_bytes()
    for number in range(FLIPS * EFFORT):
        _flip(draw, file)
        assert f"{file.name} is damaged" in damage(memory.context.store.repo), number
        if number % 10 == 0:
            salvage(memory.context)
            assert damage(memory.context.store.repo) == []
            assert not file.exists()
            assert _history(memory) == history
        file.unlink(missing_ok=True)
        file.write_bytes(whole)
    assert _ill(memory) == {}


def test_in_the_index(memory: Memory, tmp_path: Path) -> None:
    """No page with a flipped bit is believed, wherever it is; the index is made anew, and answers as before."""
    draw = random.Random(4)
    answer = _answer(memory)
    key = memory.context.store.vault.index_key(memory.context.store.replica.name)
    memory.close()
    file = memory.context.store.local / "index.db"
    whole = file.read_bytes()
    for number in range(FLIPS * EFFORT):
        copy = tmp_path / "index.db"
        copy.write_bytes(whole)
        _flip(draw, copy)
        assert _refused(copy, key), number
    for _ in range(EFFORT):
        file.write_bytes(whole)
        _flip(draw, file)
        with open_memory(_root(memory)) as again:
            assert _ill(again, fix=True) == {}
            assert _answer(again) == answer


def _answer(memory: Memory) -> list[object]:
    hits = memory.search("valve stuck", limit=99)
    assert hits
    return [(one.id, one.fields) for one in hits]


def _refused(file: Path, key: bytes) -> bool:
    """Whether opening an index finds it useless and makes it anew, or reading all of it tells that it is damaged."""
    index = Index.open(file, key)
    try:
        if not index.fresh:
            index.check()
    except GitmemError:
        return True
    finally:
        index.close()
    return index.fresh
