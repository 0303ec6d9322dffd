"""What a git host or a member could try: each attempt is named, with the file it is in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import Change, Segment, segment_path
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import emit, parse
from gitmem.core.dots import json_line
from gitmem.core.merge import merge
from gitmem.store.layout import member_path
from tests.support.auditing import Scribe, change, counted, edited, enrolment, hexdigest, new_record, record_change
from tests.support.auditing_git import Member, path_of, team
from tests.support.git import Git

ONE = path_of("p-one")
KEY = ".gitmem/keys/team/1-00000000/ada.age"
LAST = segment_path("ada-1", 6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Member:
    """A store of two members: a record that was edited, then used, a key that was changed, nothing wrong."""
    place = tmp_path_factory.mktemp("made") / "ada"
    place.mkdir()
    ada, _ = team(Git(place), "ada", "bob")
    ada.learn("p-one", fix="old", meaning="m")
    ada.put(KEY, b"wrapped", "key")
    ada.put(KEY, b"wrapped again", "key")
    ada.edit("p-one", fix="new")
    assert ada.verify().ok
    return ada


@pytest.fixture
def ada(made: Member, tmp_path: Path) -> Member:
    """A copy of it."""
    return made.copied(tmp_path / "ada")


@pytest.fixture
def met(ada: Member, tmp_path: Path) -> tuple[Member, Member]:
    """Ada and bob, who both changed `p-one`; ada has merged bob's work."""
    bob = Member(ada.git.clone(tmp_path / "bob-2"), "bob")
    for member in (ada, bob):
        member.edit("p-one", fix=f"by {member.name}")
        member.use("p-one")
    ada.git("pull", "--quiet", "--no-rebase", bob.root, "main")
    assert ada.verify().ok
    return ada, bob


def rewrite(member: Member, files: dict[str, bytes | None]) -> None:
    """Change files and leave no trace of what was before: the whole history is replaced by one commit."""
    for path, data in files.items():
        if data is None:
            (member.root / path).unlink()
        else:
            (member.root / path).parent.mkdir(parents=True, exist_ok=True)
            (member.root / path).write_bytes(data)
    member.git("add", "--all")
    tree = member.git("write-tree")
    member.git("reset", "--quiet", "--soft", member.git("commit-tree", tree, "-m", "rewritten"))


def resigned(segment: Segment, scribe: Scribe) -> bytes:
    """The same entries, signed by another key."""
    return segment.body + json_line({"key": scribe.key.public, "sig": scribe.key.sign(segment.body)}).encode() + b"\n"


def last_segment(member: Member) -> Segment:
    """The newest segment of ada's chain."""
    path = segment_path("ada-1", member.scribe.head.segment if member.scribe.head else 0)
    return parse_segment((member.root / path).read_bytes(), path)


def test_an_edited_record(ada: Member) -> None:
    """A value replaced in the file, or a counter, or a time."""
    data = (ada.root / ONE).read_bytes()
    for wrong in (data.replace(b'"m"', b'"n"'), emit(counted(parse(data, ""), "ada-1", "fixed"))):
        ada.git.commit("host", {ONE: wrong})
        assert ("unsigned change", ONE) in ada.problems()
        ada.git("reset", "--quiet", "--hard", "HEAD~")


def test_a_change_that_was_undone(ada: Member) -> None:
    """Put in by one commit, taken out by the next: named with the commit."""
    data = (ada.root / ONE).read_bytes()
    bad = ada.git.commit("host", {ONE: data.replace(b'"m"', b'"n"')})
    ada.git.commit("host", {ONE: data})
    assert ada.problems() == [("unsigned change", f"{ONE} (commit {bad[:12]})")]


@pytest.mark.parametrize(
    "path", ["memory/team/pattern/xx/p-xxxx.yaml", "log/events/a-1/x", ".gitmem/schemas/x", "memory/README"]
)
def test_an_added_file(ada: Member, path: str) -> None:
    """A file nobody signed for, wherever it lies."""
    ada.git.commit("host", {path: emit(new_record("zed-1", "p-xxxx", fix="evil"))})
    assert ada.problems() == [("unsigned change", path)]


def test_a_name_that_steers_the_terminal(ada: Member) -> None:
    """A path with escapes, or one that is not UTF-8, is reported in printable form."""
    for name, shown in ((b"memory/\x1b[2J", r"memory/\x1b[2J"), (b"memory/\xff", r"memory/\udcff")):
        (ada.root / "memory" / os.fsdecode(name[7:])).write_bytes(b"x")
        ada.git.commit("host")
        assert ("unsigned change", shown) in ada.problems()


def test_a_removed_file(ada: Member) -> None:
    """A record taken out, with and without its history."""
    (ada.root / ONE).unlink()
    commit = ada.git.commit("host")
    assert set(ada.problems()) == {("missing file", ONE), ("removed file", f"{ONE} (commit {commit[:12]})")}
    rewrite(ada, {})
    assert ada.problems() == [("missing file", ONE)]


def test_a_record_rolled_back(ada: Member) -> None:
    """An older state, which was signed, in place of the newest; also when the history is rewritten."""
    ada.git("checkout", "--quiet", "HEAD~", "--", ONE)
    ada.git.commit("host")
    assert ada.problems() == [("rolled back", ONE)]
    rewrite(ada, {})
    assert ("rolled back", ONE) in ada.problems()


@pytest.mark.parametrize("writers", ["ada-1", "bob-1"])
def test_a_merged_record_rolled_back(met: tuple[Member, Member], writers: str) -> None:
    """One side's work taken out of a record that both changed."""
    ada, bob = met
    keep = ada if writers == "ada-1" else bob
    side = "HEAD^1" if keep is ada else "HEAD^2"
    ada.git("checkout", "--quiet", side, "--", ONE)
    ada.git.commit("host")
    assert ada.problems() == [("rolled back", ONE)]


def test_a_value_taken_out_of_a_merged_record(met: tuple[Member, Member]) -> None:
    """A field, a counter or the sign of life removed, a counter lowered, a time or a schema made up."""
    ada, _ = met
    genuine = ada.read("p-one")
    wrongs = [genuine.copy() for _ in range(7)]
    del wrongs[0].fields["meaning"]
    wrongs[1].fields["fix"].popitem()
    wrongs[2].counts["fixed"]["bob-1"] = 0
    wrongs[3].life = {"ada-1.3": "dead"}
    wrongs[4].schema = 7
    wrongs[5].last["changed"] = "2099-01-01T00:00:00Z"
    wrongs[6].seen["bob-1"] += 1
    for wrong in wrongs:
        ada.git.commit("host", {ONE: emit(wrong)})
        assert [where for _, where in ada.problems()] == [ONE]
        ada.git("reset", "--quiet", "--hard", "HEAD~")


def test_an_evil_merge(met: tuple[Member, Member]) -> None:
    """A merge commit that holds what neither side wrote, or drops a side."""
    ada, bob = met
    ada.git("reset", "--quiet", "--hard", "HEAD^1")
    ada.git("merge", "--quiet", "--no-commit", "FETCH_HEAD")
    ada.git.commit("evil", {ONE: emit(edited(ada.read("p-one"), "bob-1", fix="evil"))})
    assert ada.problems() == [("unsigned change", ONE)]
    ada.git("reset", "--quiet", "--hard", "HEAD^1")
    ada.git("merge", "--quiet", "-s", "ours", "-m", "evil", "FETCH_HEAD")
    found = ada.problems()
    assert ("removed segment", segment_path("bob-1", 1)) in found
    assert (
        "unsigned change",
        f"{ONE} (commit {bob.git('rev-parse', 'HEAD')[:12]})",
    ) in found, "bob's states are without their entries"


def test_a_record_under_another_name(ada: Member) -> None:
    """A genuine record copied over another."""
    ada.learn("p-two")
    ada.git.commit("host", {ONE: emit(ada.read("p-two"))})
    assert ("unsigned change", ONE) in ada.problems()


def test_a_key_file_replaced_or_rolled_back(ada: Member) -> None:
    """Another content, and an older one."""
    ada.git.commit("host", {KEY: b"evil"})
    assert ("unsigned change", KEY) in ada.problems()
    ada.git.commit("host", {KEY: b"wrapped"})
    assert ("rolled back", KEY) in ada.problems()
    rewrite(ada, {KEY: b"evil"})
    assert ("unsigned change", KEY) in ada.problems()


def test_links_and_submodules(ada: Member) -> None:
    """What is no plain file is not followed, and named."""
    (ada.root / "memory" / "link.yaml").symlink_to("/etc/passwd")
    commit = ada.git.commit("host")
    assert ("no plain file", f"memory/link.yaml (commit {commit[:12]})") in ada.problems()
    ada.git("update-index", "--add", "--cacheinfo", f"160000,{commit},log/audit/sub")
    ada.git("commit", "--quiet", "-m", "host")
    assert any(what == "no plain file" and where.startswith("log/audit/sub") for what, where in ada.problems())


def test_replaced_objects(ada: Member) -> None:
    """A clone set up to show other commits than it has."""
    old, new = ada.git("rev-parse", "HEAD"), ada.git("rev-parse", "HEAD~")
    ada.git("replace", old, new)
    assert ("replaced history", "refs/replace") in ada.problems()


def test_a_removed_segment(ada: Member) -> None:
    """One from the middle of a chain, and the last."""
    for number, follower in ((3, "missing segment"), (6, "rolled back")):
        (ada.root / segment_path("ada-1", number)).unlink()
        ada.git.commit("host")
        found = ada.problems()
        assert ("removed segment", segment_path("ada-1", number)) in found
        where = segment_path("ada-1", number) if follower == "missing segment" else ONE
        assert any(place == where for _, place in found)
        ada.git("reset", "--quiet", "--hard", "HEAD~")


def test_a_missing_segment_without_history(ada: Member) -> None:
    """The gap shows also where nothing tells that there was a file."""
    rewrite(ada, {segment_path("ada-1", 3): None})
    assert ("missing segment", segment_path("ada-1", 3)) in ada.problems()


def test_swapped_segments(ada: Member) -> None:
    """Two segments of one chain exchanged."""
    paths = segment_path("ada-1", 3), segment_path("ada-1", 4)
    a, b = ((ada.root / path).read_bytes() for path in paths)
    rewrite(ada, {paths[0]: b, paths[1]: a})
    assert ("broken chain", f"{paths[0]}:1") in ada.problems()


def test_a_doubled_segment(ada: Member) -> None:
    """The last one again, as the next: a replay."""
    path = segment_path("ada-1", 7)
    ada.git.commit("host", {path: (ada.root / LAST).read_bytes()})
    assert ("broken chain", f"{path}:1") in ada.problems()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-10],
        lambda data: data[: data.rindex(b'{"key"')],
        lambda data: data.replace(b'"op":"edit"', b'"op":"used"'),
        lambda data: data.replace(b'"op":"edit"', b'"op": "edit"'),
        lambda data: b"",
    ],
)
def test_a_changed_segment(ada: Member, damage: Callable[[bytes], bytes]) -> None:
    """Cut off or altered: named as changed and as what it is now."""
    ada.git.commit("host", {LAST: damage((ada.root / LAST).read_bytes())})
    found = ada.problems()
    assert ("changed segment", LAST) in found
    assert any(what in ("unreadable segment", "bad signature") and where.startswith(LAST) for what, where in found)


def test_a_file_that_is_no_segment(ada: Member) -> None:
    """Something else among the segments."""
    path = "log/audit/ada-1/000/notes.txt"
    ada.git.commit("host", {path: b"x"})
    assert ada.problems() == [("unreadable segment", path)]


def test_a_segment_signed_by_a_stranger(ada: Member) -> None:
    """A new one in ada's name, a new one of his own, and ada's own entries signed again."""
    mallory = Scribe("mallory", "mal-1")
    forged = Scribe("ada", "ada-1", ada.scribe.head)
    forged.key = mallory.key
    entry = [change("memory/x", None, b"x")]
    for segment in (forged.sign(entry), mallory.sign(entry)):
        ada.git.commit("host", {segment.path: segment.data, "memory/x": b"x"})
        assert ada.problems() == [("unknown signer", segment.path)]
        ada.git("reset", "--quiet", "--hard", "HEAD~")
    rewrite(ada, {LAST: resigned(last_segment(ada), mallory)})
    assert ada.problems() == [("unknown signer", LAST)]


def test_a_key_that_is_named_but_did_not_sign(ada: Member) -> None:
    """The last line names ada's key beside a stranger's signature."""
    mallory, segment = Scribe("mallory", "mal-1"), last_segment(ada)
    line = json_line({"key": ada.scribe.key.public, "sig": mallory.key.sign(segment.body)}).encode() + b"\n"
    rewrite(ada, {LAST: segment.body + line})
    assert ada.problems() == [("bad signature", LAST)]


def test_strangers_who_enrol_each_other(ada: Member) -> None:
    """Nobody becomes a member by the word of those who are none."""
    eve, mallory = Scribe("eve", "eve-1"), Scribe("mallory", "mal-1")
    segments = [eve.sign([enrolment("mallory")]), mallory.sign([enrolment("eve")])]
    ada.git.commit("host", {segment.path: segment.data for segment in segments})
    assert [what for what, _ in ada.problems() if what == "unknown signer"] == ["unknown signer"] * 2


def test_a_second_beginning(ada: Member) -> None:
    """A stranger founds the store once more, in front of the true beginning by the clock; a member does, too."""
    eve = Scribe("eve", "eve-1")
    segment = eve.sign([eve.genesis()], time="2001-01-01T00:00:00Z")
    ada.git.commit("host", {segment.path: segment.data})
    assert not ada.verify().ok
    ada.git("reset", "--quiet", "--hard", "HEAD~")
    bob = Scribe("bob", "bob-7")
    segment = bob.sign([bob.genesis()], [ada.scribe.head] if ada.scribe.head else [])
    ada.git.commit("bob", {segment.path: segment.data})
    assert ("not entitled", f"{segment.path}:1") in ada.problems()


def test_a_member_in_anothers_name(ada: Member) -> None:
    """Bob may not sign as ada, nor go on with her chain."""
    bob = Scribe("bob", "bob-1")
    bob.name = "ada"
    segment = bob.sign([change("memory/x", None, b"x")])
    ada.git.commit("bob", {segment.path: segment.data, "memory/x": b"x"})
    assert ada.problems() == [("not entitled", f"{segment.path}:1")]
    ada.git("reset", "--quiet", "--hard", "HEAD~")
    segment = Scribe("bob", "ada-1", ada.scribe.head).sign([change("memory/x", None, b"x")])
    ada.git.commit("bob", {segment.path: segment.data, "memory/x": b"x"})
    assert ada.problems() == [("not entitled", f"{segment.path}:1")]


def test_an_injected_member(ada: Member) -> None:
    """A member file nobody signed; a recipient added to one; an enrolled member's file taken away."""
    evil = (ada.root / member_path("bob")).read_bytes()
    ada.git.commit("host", {member_path("eve"): evil.replace(b"m-bob", b"m-eve")})
    assert {("wrong member file", member_path("eve")), ("unsigned change", member_path("eve"))} == set(ada.problems())
    ada.git("reset", "--quiet", "--hard", "HEAD~")
    ada.git.commit("host", {member_path("bob"): evil.replace(b"age1bob", b"age1eve")})
    assert ("wrong member file", member_path("bob")) in ada.problems()
    (ada.root / member_path("bob")).unlink()
    ada.git.commit("host")
    assert ("wrong member file", member_path("bob")) in ada.problems()


def test_a_member_file_signed_but_not_as_enrolled(ada: Member) -> None:
    """A member puts a recipient into another's file with an honest entry for the file, and no enrolment of it."""
    path = member_path("bob")
    data = (ada.root / path).read_bytes().replace(b"age1bob", b"age1eve")
    state = parse(data, path)
    old = parse((ada.root / path).read_bytes(), path)
    segment = ada.scribe.sign([record_change(path, old, merge(old, state), "config")])
    ada.git.commit("ada", {path: emit(merge(old, state)), segment.path: segment.data})
    assert ada.problems() == [("wrong member file", path)]


def test_an_end_cut_off_that_another_has_seen(met: tuple[Member, Member]) -> None:
    """Bob's newest segment is taken away with all it changed; ada had read it."""
    ada, _ = met
    ada.learn("p-two")
    last = segment_path("bob-1", 2)
    state = merge(ada.read("p-one"), ada.read("p-one"))
    del state.counts["fixed"]["bob-1"]
    rewrite(ada, {last: None, ONE: emit(state)})
    assert ada.problems() == [("missing entries", "log/audit/bob-1")]


def test_a_chain_told_in_two_ways(met: tuple[Member, Member]) -> None:
    """Bob signs another second segment after ada has seen the first one."""
    ada, _ = met
    ada.learn("p-two")
    path = segment_path("bob-1", 1)
    first = parse_segment((ada.root / path).read_bytes(), path)
    liar = Scribe("bob", "bob-1", first.head)
    second = liar.sign([Change("use", "memory/x", None, hexdigest(b"x"))])
    rewrite(ada, {second.path: second.data, "memory/x": b"x"})
    assert ("forked chain", "log/audit/bob-1") in ada.problems()


def test_a_segment_of_another_store(ada: Member) -> None:
    """A segment that a member signed for another store."""
    segment = last_segment(ada)
    lines = [json.loads(line) | {"store": "s-another"} for line in segment.body.splitlines()]
    body = b"".join(json_line(line).encode() + b"\n" for line in lines)
    end = json_line({"key": ada.scribe.key.public, "sig": ada.scribe.key.sign(body)}).encode() + b"\n"
    rewrite(ada, {LAST: body + end})
    assert ("not entitled", f"{LAST}:1") in ada.problems()


def test_an_entry_without_its_change(ada: Member) -> None:
    """An entry is signed and what it says was never in a commit."""
    old = ada.read("p-one")
    segment = ada.scribe.sign(
        [record_change(ONE, old, edited(old, "ada-1", fix="newest")), change(KEY, b"wrapped again", b"w3")]
    )
    ada.git.commit("ada", {segment.path: segment.data})
    assert ada.problems() == [("rolled back", KEY), ("rolled back", ONE)]


def test_many_problems_are_bounded(ada: Member) -> None:
    """A host that breaks everything does not get a report without end."""
    ada.git.commit("host", {f"memory/{n}": b"x" for n in range(150)})
    problems = ada.verify().problems
    assert len(problems) == 101
    assert problems[-1].where == "50 more places"


def test_no_store_behind_the_log(ada: Member) -> None:
    """All of the log taken away."""
    rewrite(ada, dict.fromkeys(ada.git("ls-files", "log").splitlines()))
    assert ("no beginning", "log/audit") in ada.problems()
