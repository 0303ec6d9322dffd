"""Bad content that somebody pushed is set aside file by file: it is named once, and everything else goes on."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import EMPTY, Entry, segment_path
from gitmem.core.codec import emit, parse
from gitmem.core.dots import checked, json_line
from gitmem.core.record import Json
from gitmem.memory.auditing.attest import attest
from gitmem.memory.auditing.files import heads
from gitmem.memory.auditing.show import show
from gitmem.memory.checkup.doctor import doctor
from gitmem.memory.checkup.machine import clock
from gitmem.memory.members.keys import key_status
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.remains import remains
from gitmem.memory.upkeep.gc import gc
from gitmem.memory.upkeep.prune_undo import archives
from gitmem.store.layout import KEYS
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import found, open_memory, share

TIME = "2026-11-20T10:00:00Z"
BASE = {"pattern": "no route to host", "fix": "plug it in"}


class Site:
    """A store, its remote, and a plain clone from which anything can be pushed."""

    def __init__(self, folder: Path, memory: Memory) -> None:
        self.memory = memory
        self.root = folder / "ada"
        self.plain = Git(folder / "remote.git").clone(folder / "plain")

    def push(self, files: dict[str, bytes | str], message: str = "bad") -> None:
        """Push files as they are."""
        self.plain("pull", "--quiet")
        self.plain.commit(message, files)
        self.plain("push", "--quiet", "origin", "HEAD:main")

    def path(self, record: str) -> str:
        """A record's file."""
        self.plain("pull", "--quiet")
        return self.plain("ls-files", f"memory/*{record}.yaml")

    def tree(self) -> list[str]:
        """What HEAD holds in memory/."""
        return Git(self.root)("ls-tree", "-r", "--name-only", "HEAD", "memory").splitlines()


@contextmanager
def _site(*, plain: bool) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name:
        folder = Path(name)
        Git(folder)("init", "--quiet", "--bare", folder / "remote.git")
        found(folder / "ada", plain=plain)
        share(folder / "ada", folder / "remote.git")
        with open_memory(folder / "ada") as memory:
            yield Site(folder, memory)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A plain store, or what the test asks for."""
    with _site(plain=getattr(request, "param", True)) as made:
        yield made


def test_what_stands_in_the_place_of_a_file_is_set_aside(site: Site) -> None:
    """A directory for a record, one too large to read, what no store opens without: the rest comes in, and all stands again."""
    first, second = (site.memory.learn("pattern", BASE | {"pattern": one}).id for one in ("no route", "disk full"))
    site.memory.sync()
    site.plain("rm", "--quiet", folder := site.path(first))
    large = (site.plain.path / site.path(second)).read_bytes() + b"#" * (2 << 20)
    spoiled = {".gitmem/config.yaml": "junk", ".gitmem/members/ada.yaml": "<<<<<<< ours\n"}
    site.push({f"{folder}/notes.txt": "x", site.path(second): large, **spoiled, "hello.txt": "hi"})
    problems = " ".join(site.memory.sync().problems)
    assert all(
        word in problems
        for word in ("a directory is where", "more than 1,048,576 bytes", "config.yaml was quarantined", "ada.yaml was")
    )
    assert (site.root / "hello.txt").read_text() == "hi"
    assert [site.memory.get(one).fields["fix"] for one in (first, second)] == [BASE["fix"]] * 2
    assert Git(site.root)("status", "--porcelain") == ""
    assert {problem.where.partition(" ")[0] for problem in site.memory.verify().problems} == {f"{folder}/notes.txt"}
    assert site.memory.sync().problems == []


def test_a_broken_record_is_quarantined_and_the_rest_goes_on(site: Site) -> None:
    """The last sound version stands again, what came with it is taken in, and the next sync has nothing to say."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.sync()
    path = site.path(record)
    beside = f"{path[:-6]}{'y' if path[-6] == 'z' else 'z'}.yaml"  # ids are random, and one in 32 ends in z
    good = (site.plain.path / path).read_bytes()
    site.push({path: b"<<<<<<< HEAD\n" + good, "other.txt": b"fine\n", beside: b"no record\n"})
    report = site.memory.sync()
    assert [problem.split(" was quarantined")[0] for problem in report.problems] == sorted([path, beside])
    assert site.memory.get(record).fields["fix"] == "plug it in"
    assert (site.root / "other.txt").read_text() == "fine\n"
    assert site.tree() == [path]
    assert (site.root / path).read_bytes() == good
    kept = list((site.memory.context.store.local / "quarantine").iterdir())
    assert {file.read_bytes() for file in kept if not file.suffix} == {b"<<<<<<< HEAD\n" + good, b"no record\n"}
    assert site.memory.verify().problems == []
    assert site.memory.sync().problems == []


@pytest.mark.parametrize("site", [False], indirect=True, ids=["sealed"])
def test_plaintext_and_forged_values_are_quarantined(site: Site) -> None:
    """In a sealed store neither a value in the clear nor one sealed for another place is taken over."""
    records = [site.memory.learn("pattern", BASE | {"pattern": text}).id for text in ("first error", "second error")]
    site.memory.sync()
    states = {path: parse((site.plain.path / path).read_bytes(), path) for path in map(site.path, records)}
    first, second = states.values()
    [dot] = first.fields["fix"]
    first.fields["fix"] = {checked("fields/fix", dot, "in the clear"): "in the clear"}
    second.fields["fix"], second.fields["pattern"] = second.fields["pattern"], second.fields["fix"]
    site.push({path: emit(state) for path, state in states.items()})
    assert len(site.memory.sync().problems) == 2
    assert [site.memory.get(record).fields["fix"] for record in records] == ["plug it in"] * 2
    assert site.memory.verify().problems == []
    assert site.memory.sync().problems == []


def _line(site: Site, **other: Json) -> bytes:
    """A segment of one entry that eve has made up, in a form of her own."""
    entry = Entry(site.memory.context.store.id, "evilevil-1", 1, EMPTY, {}, TIME, "learn", "eve", "x", None, None, {}, "")
    fields: dict[str, Json] = {name: value for name, value in asdict(entry).items() if name != "hash"}
    return b"".join(json_line(line).encode() + b"\n" for line in ({"v": 1} | fields | other, {"key": "k", "sig": "s"}))


def test_what_is_no_segment_of_the_log_keeps_nobody_from_work(site: Site) -> None:
    """Anybody who can push can put it there: it is named, nobody quotes it, and the next commits are sound."""
    site.memory.learn("pattern", BASE)
    site.memory.sync()
    odd = [b"junk\n", b"", _line(site, op="No!"), *(_line(site, seq=n) for n in (0, -3, 10**16, 10**4000))]
    site.push({segment_path(f"evil{n}-1", 1): data for n, data in enumerate(odd)})
    assert len(site.memory.sync().problems) == 1  # the first of them
    for text in ("disk full", "no space left"):
        site.memory.learn("pattern", BASE | {"pattern": text})
        site.memory.sync()
    found = {problem.where.partition(":")[0]: problem.what for problem in site.memory.verify().problems}
    assert found == dict.fromkeys((segment_path(f"evil{n}-1", 1) for n in range(len(odd))), "unreadable segment")


def test_what_is_odd_in_the_log_ends_no_command(site: Site) -> None:
    """Numbers that go back, a time that is a number, a key file where none lies, junk: all that reads the log goes on."""
    site.memory.sync()
    context, pruned = site.memory.context, {"op": "prune", "object": "memory/team/pattern/aa/p-aaaaaa.yaml"}
    odd = [
        *(_line(site, writer="evil0-1", time=time, **pruned) for time in (5, TIME)),
        _line(site, writer="evil0-1", object=f"{KEYS}/x", after="0" * 64),
        b"junk\n",
    ]
    back = [_line(site, writer="evil1-1", prev="0" * 64, seq=seq) for seq in (9, 2)]
    chains = {"evil0-1": odd, "evil1-1": back}
    site.push({segment_path(name, n): data for name, some in chains.items() for n, data in enumerate(some, 2)})
    site.memory.sync()
    assert show(context, "evil1-1:2").entry["seq"] == 2
    assert [one.name for one in archives(context)] == ["evil0-1.3"]
    assert key_status(context).scopes == []
    assert gc(context).problems == []
    assert remains(context, [])
    assert clock(context)[0]


@pytest.mark.parametrize("way", ["sync", "pull"])
def test_what_is_put_into_ones_own_chain(site: Site, way: str) -> None:
    """This clone goes on under another name; a number that nobody can count up to is no loss of all that lies between."""
    site.memory.learn("pattern", BASE)
    site.memory.sync()
    own = site.memory.context.store.replica.writer
    end = heads(site.root)[own].segment
    site.push({segment_path(own, end + 1): b"junk\n", segment_path(own, 10**14): _line(site, op="No!")})
    if way == "sync":
        site.memory.sync()
    else:
        Git(site.root)("pull", "--quiet", "origin", "main")
    site.memory.learn("pattern", BASE | {"pattern": "disk full"})
    site.memory.sync()
    assert site.memory.context.store.replica.writer != own
    assert {problem.what for problem in site.memory.verify().problems} == {"unreadable segment"}


def test_what_cannot_be_checked_out_is_left_out(site: Site) -> None:
    """Links, submodules, names that are too long, too deep or no text: named once, and the records beside them come in."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.sync()
    path = site.path(record)
    state = parse((site.plain.path / path).read_bytes(), path)
    state.counts = {"fixed": {"zzzzzzzz-1": 3}}
    git = site.plain
    blob = git("hash-object", "-w", "--stdin", stdin="x")
    good = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=git.path, input=emit(state), capture_output=True, check=True
    )
    head = git("rev-parse", "HEAD")
    entries = [
        (b"120000", blob, b"memory/link.yaml"),
        (b"160000", head, b"memory/module"),
        (b"100644", blob, b"memory/" + b"n" * 300 + b".yaml"),
        (b"100644", blob, b"memory/" + b"/".join([b"d"] * 1500)),
        (b"100644", blob, b"memory/bad-\xff.yaml"),
        (b"100644", good.stdout.decode().strip(), path.encode()),
    ]
    git.raw("update-index", "-z", "--index-info", stdin=b"".join(b"%s %s\t%s\0" % (m, i.encode(), p) for m, i, p in entries))
    tree = git("write-tree")
    made = git("commit-tree", tree, "-p", head, "-m", "hostile")
    git("push", "--quiet", "origin", f"{made}:main")
    report = site.memory.sync()
    assert len(report.problems) == 5, report.problems
    assert site.tree() == [path]
    assert site.memory.get(record).usage.fixed == 3
    again = site.memory.sync()
    assert (again.problems, again.pushed) == ([], 0)


def test_a_huge_file_is_quarantined(site: Site) -> None:
    """Five megabytes where a record belongs cost no more than a line in the report."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.sync()
    path = site.path(record)
    site.push({path: b"a" * 5_000_000})
    [problem] = site.memory.sync().problems
    assert "the last sound version stands again" in problem
    assert site.memory.get(record).fields["fix"] == "plug it in"
    assert site.memory.sync().problems == []


def test_a_record_of_a_newer_format_is_left_alone(site: Site) -> None:
    """It is named, and stays: a newer gitmem reads it."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.sync()
    path = site.path(record)
    good = (site.plain.path / path).read_bytes()
    site.push({path: b"gitmem: 2\nwhatever: comes\n"})
    assert site.memory.sync().problems == [f"{path} was left alone: line 1: format 2 is newer than this gitmem reads (1)"]
    assert (site.root / path).read_bytes().startswith(b"gitmem: 2")
    site.push({path: b"gitmem: 2\nmore: comes\n"})
    site.push({path: good})
    assert site.memory.sync().problems == []


def test_what_a_merge_could_not_join_goes_into_quarantine(site: Site) -> None:
    """Both sides change a record, one of them breaks it: the sound one stays, the broken one is set aside for good."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.sync()
    path = site.path(record)
    site.push({path: b"broken\n"})
    site.memory.edit(record, {"fix": "mine"})
    site.memory.sync()
    assert site.memory.get(record).fields["fix"] == "mine"
    assert site.tree() == [path]
    assert site.memory.verify().problems == []
    assert site.memory.sync().problems == []


def test_a_kept_version_does_not_block_a_commit(site: Site) -> None:
    """A file that a merge has put beside a record passes the check before a commit, coming and going."""
    record = site.memory.learn("pattern", BASE).id
    site.memory.commit()
    git = Git(site.root)
    path = git("ls-files", f"memory/*{record}.yaml")
    aside = f"{path}.kept-0123456789ab"
    git.commit("a merge kept it", {aside: b"broken\n"})
    git("rm", "--quiet", aside)
    git("commit", "--quiet", "-m", "and it goes")
    assert site.memory.verify().problems == []


def test_hand_edits_without_hooks_are_signed_by_doctor(site: Site) -> None:
    """A colleague without gitmem changes a value, adds a record's tag and pushes: doctor --fix signs for it, in our name."""
    record = site.memory.learn("pattern", BASE, tags=["net"]).id
    site.memory.sync()
    path = site.path(record)
    before = (site.plain.path / path).read_bytes()
    site.push({path: before.replace(b"plug it in", b"plug it in twice")})
    site.push({".gitattributes": (site.plain.path / ".gitattributes").read_bytes() + b"*.bin binary\n"})
    site.memory.sync()
    assert site.memory.verify().problems != []
    assert all(check.ok for check in doctor(site.memory.context, fix=True) if check.name in {"history", "records", "merge"})
    assert site.memory.verify().problems == []
    assert site.memory.get(record).fields["fix"] == "plug it in twice"
    assert attest(site.memory.context) == []
