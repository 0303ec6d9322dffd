"""Backups of real stores: made, verified, and restored with nothing but the place where they lie and a key."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitmem.core.backups import parse_manifest, write_manifest
from gitmem.crypto.signing import SigningKey
from gitmem.errors import GitmemError, NoKey, NoStore, Tampered, UsageError
from gitmem.git.repo import Repo
from gitmem.memory.auditing.pins import kept
from gitmem.memory.backups.chain import destination_of, last_known, last_link
from gitmem.memory.backups.create import add_link, backups
from gitmem.memory.backups.drill import drill
from gitmem.memory.backups.restore_anew import restore_anew
from gitmem.memory.backups.rotate import rotate
from gitmem.memory.backups.verify import BackupReport, verify
from gitmem.memory.committing.events import every_event
from gitmem.memory.members.folded import members_of, standing_here
from gitmem.memory.members.person import Person
from gitmem.memory.members.recovery import read_identity
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.erase import erase
from gitmem.memory.privacy.erase_subject import erase_subject
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory, person, share
from tests.support.team import NAMES, closed, make_team, quick

ERRORS = ("no route to host", "cannot resolve the name", "connection refused")


@dataclass(frozen=True)
class Scene:
    """Ada's store, and backups of it."""

    folder: Path
    home: Path

    @property
    def who(self) -> Person:
        """Ada."""
        return person(self.home)

    @property
    def there(self) -> Path:
        """Where the backups are."""
        return self.folder / "there"

    @property
    def shelf(self) -> Path:
        """The directory of the store's own backups in it."""
        return next(self.there.iterdir())

    def open(self, name: str = "ada") -> Memory:
        """A clone of the store, opened by Ada."""
        return open_memory(self.folder / name, self.who)

    def verify(self, **how: bool) -> BackupReport:
        """What is found at the place of the backups."""
        with self.open() as memory:
            return verify(memory.context, **how)


def _learn(memory: Memory, error: str) -> str:
    return memory.learn("pattern", {"pattern": error, "fix": f"the fix of {error}"}, tags=["net"]).id


def _read(memory: Memory) -> dict[str, dict[str, object]]:
    return {one.id: memory.get(one.id).fields for one in memory.records()}


@pytest.fixture(scope="module", params=[True, False], ids=["plain", "sealed"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A store of three records with a full backup and two increments; not to be changed."""
    folder = quick(tmp_path_factory.mktemp("backup"))
    scene = Scene(folder, folder / "home")
    found(folder / "ada", plain=request.param, who=scene.who)
    with scene.open() as memory:
        for error in ERRORS:
            _learn(memory, error)
            memory.backup(str(scene.there))
    yield scene
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def scene(template: Scene) -> Iterator[Scene]:
    """The same with backups and a clone to be changed."""
    folder = quick(template.folder / "home")
    shutil.copytree(template.there, folder / "there")
    shutil.copytree(template.folder / "ada", folder / "ada", symlinks=True)
    Git(folder / "ada")("config", "gitmem.backup", folder / "there")
    yield Scene(folder, template.home)
    shutil.rmtree(folder, ignore_errors=True)
    (template.folder / "home" / "made").unlink(missing_ok=True)


def test_a_lost_laptop(template: Scene, tmp_path: Path) -> None:
    """From the backups alone: every record, a sound log, a pin, a clone that goes on under a name of its own."""
    done = restore_anew(str(template.there), tmp_path / "back", template.who.identities)
    assert (done.records, done.problems, done.erased, done.notes) == (3, [], [], [])
    with template.open() as old, open_memory(tmp_path / "back", template.who) as memory:
        assert _read(memory) == _read(old)
        assert memory.verify().problems == []
        assert kept(memory.context) is not None
        assert memory.status().replica != old.status().replica
        assert Git(tmp_path / "back")("status", "--porcelain") == ""
        assert Git(tmp_path / "back")("remote") == ""
        Git(tmp_path / "back")("fsck", "--strict")
        assert Git(tmp_path / "back")("for-each-ref", "refs/remotes") == ""
        _learn(memory, "learned after the loss")
        made = memory.backup()
        assert (made.type, made.records, made.id[-4:]) == ("incremental", 4, "0004")
    for left in template.shelf.glob("000004*"):
        left.unlink()


def test_an_earlier_backup_can_be_restored(template: Scene, tmp_path: Path) -> None:
    """By its name; what is no name of one is told with those there are."""
    with template.open() as memory:
        names = [one.id for one in backups(memory.context)]
        assert [one.type for one in backups(memory.context)] == ["full", "incremental", "incremental"]
    done = restore_anew(str(template.shelf), tmp_path / "back", template.who.identities, at=names[1])
    assert (done.backup, done.records) == (names[1], 2)
    with pytest.raises(UsageError, match=r"there is no backup b-x at"):
        restore_anew(str(template.there), tmp_path / "other", template.who.identities, at="b-x")
    with pytest.raises(UsageError, match="not empty"):
        restore_anew(str(template.there), tmp_path / "back", template.who.identities)
    with pytest.raises(NoStore, match="no backups of a store"):
        restore_anew(str(tmp_path), tmp_path / "other", template.who.identities)


def test_nobody_else_opens_a_backup(template: Scene, tmp_path: Path) -> None:
    """Whoever is no member reads nothing of it, and nothing is left behind; names and ids are in no file there."""
    with pytest.raises(NoKey, match=r"none of your keys opens b-"):
        restore_anew(str(template.there), tmp_path / "back", person(tmp_path / "eve").identities)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["eve"]
    with template.open() as memory:
        words = [record.id.encode() for record in memory.records()] + [b"memory/team", b"members/ada"]
    content = b"".join(path.read_bytes() for path in template.shelf.iterdir())
    assert [word for word in words if word in content.replace(template.shelf.name.encode(), b"")] == []


def test_the_recovery_identity_opens_a_backup(template: Scene, tmp_path: Path) -> None:
    """When every member's key is lost."""
    keys = [*template.home.rglob("recovery-*.txt")]
    if keys:  # an open store has none
        assert restore_anew(str(template.there), tmp_path / "back", [read_identity(keys[0])]).records == 3


def test_deep_verification_rebuilds_all(template: Scene) -> None:
    """What is sound is found sound, and every byte was read."""
    report = template.verify(deep=True)
    assert (report.ok, report.problems, report.backups, report.notes) == (True, [], 3, [])
    assert report.bytes == sum(path.stat().st_size for path in template.shelf.glob("*.bundle*"))


def test_the_facade(scene: Scene) -> None:
    """What the command line can do with backups, a program can: list, verify, drill, rotate."""
    with scene.open() as memory:
        made = memory.backup(full=True)
        assert memory.backups(str(scene.there))[-1].id == made.id
        assert memory.verify_backups(deep=True).backups == len(memory.backups())
        assert (memory.drill().backup, memory.drill(at=memory.backups()[0].id).ok) == (made.id, True)
        report = memory.rotate_backups(last=1, days=0, dry_run=True)
        assert [one.id for one in report.removed] == [one.id for one in memory.backups()[:-1]]
        assert memory.rotate_backups(last=1, days=0).kept == len(memory.backups()) == 1


def test_every_flipped_bit_is_found(scene: Scene) -> None:
    """In bundles as in manifests, wherever it is."""
    draw = random.Random(5)
    files = sorted(scene.shelf.iterdir())
    with scene.open() as memory:
        for pattern in ("*.json", "*.bundle*"):
            for _ in range(10 * EFFORT):
                file = draw.choice([file for file in files if file.match(pattern)])
                data = file.read_bytes()
                place = draw.randrange(len(data) * 8)
                changed = bytearray(data)
                changed[place // 8] ^= 1 << place % 8
                file.write_bytes(changed)
                report = verify(memory.context)
                assert not report.ok, (file, place)
                assert any(file.name.partition("-")[0][:6] in one.where for one in report.problems)
                file.write_bytes(data)
        assert verify(memory.context).ok


@pytest.mark.parametrize("name", ["000001", "000002", "000003"])
def test_what_is_missing_is_named(scene: Scene, name: str) -> None:
    """A bundle, or all of a backup: the newest, too, for this clone has seen it."""
    bundle, manifest = next(scene.shelf.glob(f"{name}-*")), scene.shelf / f"{name}.json"
    bundle.unlink()
    assert [one.what for one in scene.verify().problems] == ["missing backup"]
    manifest.unlink()
    assert {one.what for one in scene.verify().problems} >= {"missing backup"}


def test_what_was_put_back_from_another_time_is_named(scene: Scene) -> None:
    """The whole place as it was some backups ago: this clone knows better, and others learn it from the events."""
    shutil.copytree(scene.there, scene.folder / "before")
    with scene.open() as memory:
        _learn(memory, "learned later")
        made = memory.backup()
        _learn(memory, "tells of the backup by its commit")
        memory.commit()
        assert {event["id"] for event in every_event(memory.context) if event["op"] == "backup"} >= {made.id}
        shutil.rmtree(scene.there)
        (scene.folder / "before").rename(scene.there)
        assert [one.what for one in verify(memory.context).problems] == ["missing backup"] * 2
        with pytest.raises(Tampered, match="and does not any more"):
            memory.backup()
        (memory.context.store.local / "backups.json").unlink()
        assert [one.why for one in verify(memory.context).problems] == [
            f"{made.id} is not there, and the store's log tells of it"
        ]


def test_what_our_key_does_not_open_was_not_tampered_with(scene: Scene, tmp_path: Path) -> None:
    """Who became a member after a full backup cannot rebuild it: an error of its own, and no problem of the backup."""
    with open_memory(scene.folder / "ada", person(tmp_path / "eve")) as memory:
        assert verify(memory.context).problems == []
        with pytest.raises(NoKey, match=r"none of your keys opens b-"):
            verify(memory.context, deep=True)


def test_a_stranger_cannot_add_a_backup(scene: Scene, tmp_path: Path) -> None:
    """One that is signed by nobody of the store is named, whatever it holds."""
    eve = SigningKey.derive(b"eve".ljust(32, b"."), scene.shelf.name)
    last = parse_manifest((scene.shelf / "000003.json").read_bytes(), "000003.json")
    forged = replace(last.manifest, sequence=4, prev=last.digest, base=last.manifest.commit)
    shutil.copyfile(scene.shelf / last.manifest.bundle, scene.shelf / forged.bundle)
    (scene.shelf / forged.name).write_bytes(write_manifest(forged, eve.sign, eve.public))
    assert ["which is no member's" in one.why for one in scene.verify().problems] == [True]
    with scene.open() as memory, pytest.raises(Tampered, match="no member's"):
        memory.backup(full=True)
    with pytest.raises(Tampered, match="no member's"):
        restore_anew(str(scene.there), tmp_path / "back", scene.who.identities)
    assert not (tmp_path / "back").exists()


def test_a_place_that_was_emptied_begins_anew(scene: Scene) -> None:
    """A new disk under the old name: a warning, and a full backup."""
    assert scene.verify().ok
    shutil.rmtree(scene.there)
    with scene.open() as memory:
        warned: list[str] = []
        memory.context.warn = warned.append
        made = memory.backup()
        assert (made.type, made.id[-4:], len(warned)) == ("full", "0001", 1)
        known = last_known(memory.context)
        assert known is not None
        assert made.id.startswith(f"b-{known.chain}-")


def test_what_fits_is_chosen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing new: the one before. A set that is long: a full one. An increment that cannot be: a refusal."""
    monkeypatch.setattr("gitmem.memory.backups.create.INCREMENTS", 2)
    with scene.open() as memory:
        assert not memory.backup().created
        types = []
        for number in range(4):
            _learn(memory, f"error {number} of four")
            types.append(memory.backup().type)
        assert types == ["full", "incremental", "incremental", "full"]
        assert memory.backup(full=True).type == "full"
        assert verify(memory.context, deep=True).problems == []
        with pytest.raises(GitmemError, match=r"no backup at .* that an increment"):
            memory.backup(str(scene.folder / "elsewhere"), full=False)


@pytest.mark.parametrize(
    ("lost", "instead"),
    [("000002.json", ""), ("000002.json", "000001.json"), ("000002-*", ""), ("000002-*", "000001-*"), ("000001-*", "")],
)
def test_no_increment_on_a_set_that_lost_a_file(scene: Scene, tmp_path: Path, lost: str, instead: str) -> None:
    """What is made then has to restore: a full one, with a warning, also where nothing is new."""
    with scene.open() as memory:
        for error in ERRORS[:2]:
            _learn(memory, f"{error} again")
            memory.backup()
        [file] = scene.shelf.glob(lost)
        file.unlink()
        if instead:
            shutil.copy(next(scene.shelf.glob(instead)), file)
        with pytest.raises(GitmemError, match="that an increment of this clone could build on"):
            memory.backup(full=False)
        warned = list[str]()
        memory.context.warn = warned.append
        made = memory.backup()
        assert (made.type, made.created) == ("full", True)
        assert file.name in warned[0]
        _learn(memory, "one more")
        assert memory.backup().type == "incremental"
    done = restore_anew(str(scene.there), tmp_path / "back", scene.who.identities)
    assert done.records == made.records + 1


@pytest.mark.parametrize("place", [".", "memory/safe", ".git"])
def test_no_backup_in_the_store_itself(scene: Scene, place: str) -> None:
    """It would go with what it is a backup of; before anything is committed or written it is refused."""
    with scene.open() as memory:
        root = memory.context.store.root
        before = sorted(root.iterdir())
        with pytest.raises(UsageError, match="lies in the store"):
            memory.backup(str(root / place))
        assert sorted(root.iterdir()) == before


def test_what_is_no_regular_file_is_no_manifest(scene: Scene) -> None:
    """It is named as one that was altered, and verification goes on."""
    manifest = scene.shelf / "000001.json"
    manifest.unlink()
    manifest.mkdir()
    with scene.open() as memory:
        named = [one.what for one in verify(memory.context).problems if one.where.endswith(manifest.name)]
    assert named == ["altered manifest"]


def test_what_was_erased_stays_erased(scene: Scene, tmp_path: Path) -> None:
    """A backup that holds the erasure brings it along, whatever older bundles hold."""
    with scene.open() as memory:
        gone = memory.records()[0].id
        memory.backup()
        report = erase(memory.context, [gone])
        assert [one.where for one in report.remains if str(scene.there) in one.where] != []
        memory.backup()
    done = restore_anew(str(scene.there), tmp_path / "back", scene.who.identities)
    assert done.erased == [gone]
    with open_memory(tmp_path / "back", scene.who) as memory:
        assert gone not in _read(memory)
        assert len(_read(memory)) == 2


def test_what_a_later_backup_knows_to_be_erased_is_not_restored(scene: Scene, tmp_path: Path) -> None:
    """From an older backup as well; where the newest cannot be read, that is said."""
    with scene.open() as memory:
        gone = memory.records()[0].id
        older = memory.backup().id
        erase(memory.context, [gone])
        memory.backup()
    done = restore_anew(str(scene.there), tmp_path / "back", scene.who.identities, at=older)
    assert (done.backup, done.erased, done.problems) == (older, [gone], [])
    assert not list(
        Path(done.root).rglob(f"{gone}.yaml")
    )  # nor does its file lie there, which a plain store's has in the clear
    with open_memory(Path(done.root), scene.who) as back:
        back.commit()
        assert back.verify().problems == []
    Git(tmp_path)("init", "--quiet", "--bare", "remote.git")
    share(Path(done.root), tmp_path / "remote.git", scene.who)
    Git(tmp_path)("clone", "--quiet", "remote.git", "anew")
    with open_memory(tmp_path / "anew", scene.who) as memory:  # nor does anybody bring it back who clones that
        memory.sync()
        assert memory.verify().problems == []
    with open_memory(tmp_path / "back", scene.who) as back:
        back.sync()
        assert gone not in _read(back)
    assert len({Git(tmp_path / name)("rev-parse", "HEAD") for name in ("anew", "back")}) == 1
    max(scene.shelf.glob("*.bundle.age")).write_bytes(b"nothing")
    done = restore_anew(str(scene.there), tmp_path / "blind", scene.who.identities, at=older)
    assert "what was erased since then is not known" in done.problems[-1]


def test_what_was_redacted_since_is_told_of(scene: Scene, tmp_path: Path) -> None:
    """An older backup holds the mention still, and the newest one's log says of which record."""
    with scene.open() as memory:
        named = memory.learn("pattern", {"pattern": "the badge reader is offline", "fix": "Bo Lind has the key"}).id
        older = memory.backup().id
        erase_subject(memory.context, ["Bo Lind"], redact=True)
        memory.backup()
    done = restore_anew(str(scene.there), tmp_path / "back", scene.who.identities, at=older)
    assert (done.erased, [named in one for one in done.problems]) == ([], [True])
    assert restore_anew(str(scene.there), tmp_path / "newest", scene.who.identities).problems == []


def test_a_backup_that_was_cut_short_is_none(scene: Scene) -> None:
    """A bundle without its manifest is told of, and harms nothing; the next backup takes its number."""
    shutil.copyfile(next(scene.shelf.glob("000003-*")), scene.shelf / "000004-deadbeef.bundle.age")
    report = scene.verify()
    assert report.ok
    assert ["belongs to no backup" in note for note in report.notes] == [True]
    with scene.open() as memory:
        _learn(memory, "one more")
        assert memory.backup().id.endswith("0004")
        assert verify(memory.context, deep=True).problems == []


def test_only_open_stores_leave_bundles_open(scene: Scene, tmp_path: Path) -> None:
    """An unsealed bundle is one for plain git, which clones it as it lies."""
    with scene.open() as memory:
        if not memory.context.store.config.plain:
            with pytest.raises(UsageError, match="only backups of an open store"):
                memory.backup(str(scene.folder / "open"), sealed=False)
            return
        memory.backup(str(scene.folder / "open"), sealed=False)
        assert verify(memory.context, str(scene.folder / "open"), deep=True).problems == []
    bundle = next((scene.folder / "open").rglob("*.bundle"))
    Git(tmp_path)("clone", "--quiet", bundle, "cloned")
    assert Repo.find(tmp_path / "cloned").head() == Repo.find(scene.folder / "ada").head()


def test_who_was_slower_takes_nothing_of_the_others_away(scene: Scene) -> None:
    """Two clones at one commit make the same open bundle under the same name: the slower one's failure leaves it there."""
    with scene.open() as memory:
        place = destination_of(memory.context, None)
        last = last_link(place)
        assert last is not None
        (scene.shelf / "000003-aaaaaaaa.bundle.age").write_text("another")
        for told in (last.manifest, replace(last.manifest, sha256="a" * 64, sealed=True)):
            with pytest.raises(GitmemError, match="somebody else made a backup"):
                add_link(memory.context, place, told)
        assert (scene.shelf / last.manifest.bundle).exists()
        assert not (scene.shelf / "000003-aaaaaaaa.bundle.age").exists()


def test_a_drill_opens_everything_and_notices_its_canaries(template: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record is opened and valid; a drill that no longer looks is told by its canaries."""
    with template.open() as memory:
        report = drill(memory.context)
        sealed = not memory.context.store.config.plain
        assert (report.ok, report.problems, report.records, report.opened, report.sealed) == (True, [], 3, 3, 0)
        assert len(report.canaries) == 2 + sealed
        assert [*(template.folder / "ada" / ".git" / "gitmem").glob(".scratch*")] == []
        monkeypatch.setattr("gitmem.memory.backups.drill.check_record", lambda _context, _path: None)
        blind = drill(memory.context)
        assert (blind.ok, len(blind.canaries), [one.what for one in blind.problems]) == (False, 1, ["canary"] * (1 + sealed))


def test_old_sets_go_and_the_chain_stays_whole(scene: Scene, tmp_path: Path) -> None:
    """Whole sets by the policy, after a signed word; cut short, the next one tidies up; what is left restores."""
    with scene.open() as memory:
        memory.backup(full=True)
        _learn(memory, "later")
        newest = memory.backup()
        assert rotate(memory.context).removed == []
        dry = rotate(memory.context, last=1, days=0, dry_run=True)
        assert ([one.id[-4:] for one in dry.removed], dry.kept) == (["0001", "0002", "0003"], 2)
        assert len([*scene.shelf.glob("*.json")]) == 5
        left = next(scene.shelf.glob("000002-*"))
        kept_data = left.read_bytes()
        report = rotate(memory.context, last=1, days=0)
        assert report.removed == dry.removed
        assert sorted(path.name[:6] for path in scene.shelf.iterdir()) == ["000004"] * 2 + ["000005"] * 2 + ["000006"]
        assert verify(memory.context, deep=True).problems == []
        left.write_bytes(kept_data)
        again = rotate(memory.context, last=1, days=0)
        assert (again.removed, again.leftovers, left.exists()) == ([], 1, False)
        _learn(memory, "after the rotation")
        assert (memory.backup().type, verify(memory.context).problems) == ("incremental", [])
        assert [one.id[-4:] for one in backups(memory.context)] == ["0004", "0005", "0007"]
    assert restore_anew(str(scene.there), tmp_path / "back", scene.who.identities).records == 5
    assert restore_anew(str(scene.there), tmp_path / "older", scene.who.identities, at=newest.id).records == 4


def test_nothing_is_let_go_of_a_chain_that_is_not_whole(scene: Scene) -> None:
    """What is missing must not be taken for what was rotated."""
    (scene.shelf / "000002.json").unlink()
    with scene.open() as memory, pytest.raises(Tampered, match="number 2 of the chain is not there"):
        rotate(memory.context, last=1, days=0)


def test_members_are_the_same_by_less_reading(tmp_path: Path) -> None:
    """Who is told of by segments without a word about members, read at their ends alone, is who they are by all of it."""
    for team in closed(make_team(quick(tmp_path), NAMES, plain=True)):
        for name in NAMES:
            team[name].learn("pattern", {"pattern": f"an error of {name}", "fix": "one"})
            team[name].learn("pattern", {"pattern": f"another error of {name}", "fix": "two"})
            team.sync(name)
        team["ada"].set_role("bob", "reader")
        team["ada"].remove_member("cam")
        context = team["ada"].context
        whole, quick_look = members_of(context), standing_here(context)
        assert (quick_look.by_name, quick_look.removed) == (whole.by_name, whole.removed)
        assert (quick_look.holders, quick_look.recovery, quick_look.scopes) == (whole.holders, whole.recovery, whole.scopes)


def test_what_a_killed_backup_left_is_removed(scene: Scene) -> None:
    """The directory it worked in by the next one, a half-written bundle at its destination by a rotation."""
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    local = scene.folder / "ada" / ".git" / "gitmem"
    (local / f".scratch.x.{dead}.tmp").mkdir()
    (scene.shelf / f".bundle.{dead}.tmp").write_bytes(b"half")
    with scene.open() as memory:
        _learn(memory, "one more")
        memory.backup()
        assert [*local.glob(".scratch*")] == []
        assert rotate(memory.context).leftovers == 1
        assert verify(memory.context).problems == []
    assert [*scene.shelf.glob(".*")] == []
