"""What happens without gitmem: hand edits of plain records, and clones in which git merges text and people settle it badly."""

from __future__ import annotations

from random import Random

from gitmem.store.layout import CONFIG
from tests.sim.clone import Clone, Role
from tests.sim.gitwork import record_file, settle
from tests.sim.oracle import Deed, Key, Proof
from tests.sim.switches import OFF, action
from tests.sim.world import Skip, World

BADLY = ("ours", "theirs", "union", "hunks ours", "hunks theirs", "markers")
"""Ways to settle a conflict of records that lose or break something."""


@action(1.5, Role.MEMBER, Role.GIT_ONLY, plain=True)
def hand_edit(world: World, clone: Clone, rng: Random) -> None:
    """Change a value in the file itself and commit that, with the hook or without."""
    settle(clone, rng)
    file = record_file(world, clone, rng)
    text = file.read_text()
    lines = [line for line in text.splitlines() if line.startswith("    ") and ': "fix ' in line]
    if not lines or "<<<<<<<" in text:
        raise Skip("no fix to change")
    line = rng.choice(lines)
    old, value = line.split('"')[1], world.text("fix by hand")
    file.write_text(text.replace(line, line.replace(f'"{old}"', f'"{value}"')))
    clone.git("add", "--all")
    hook = ["--no-verify"] if rng.random() < 0.5 else []
    record, checked = file.stem, not hook and clone.role is not Role.GIT_ONLY and _has_store(clone)
    if clone.git("commit", "--quiet", "-m", f"edited by hand {world.step}", *hook).returncode:
        clone.git("checkout", "--quiet", "--force", "HEAD", "--", ".")
        raise Skip("refused")
    if not checked:
        world.notes.add("a hand edit without the hook")
    key = Key(record, "fix", value)
    deed = Deed(
        world.step,
        clone.name,
        record,
        Proof(value=key),
        wrote=frozenset([key]),
        replaced=frozenset([Key(record, "fix", old)]),
        by_hand=True,
    )
    world.oracle.deeds.append(deed)
    clone.said.append(str(deed))


def _has_store(clone: Clone) -> bool:
    """Whether the hook checks anything: where the store's founding was reverted it takes the branch for one without a store."""
    return (clone.path / CONFIG).exists() or clone.git("cat-file", "-e", f"HEAD:{CONFIG}").returncode == 0


@action(4, Role.GIT_ONLY)
def plain_pull(world: World, clone: Clone, rng: Random) -> None:
    """`git pull` where git knows nothing of records: it merges their text."""
    clone.git("pull", "--quiet", "--no-rebase", "origin", "main")
    clear_up(world, clone, rng)


@action(2, Role.GIT_ONLY)
def plain_pull_from_a_peer(world: World, clone: Clone, rng: Random) -> None:
    """What a host's merge button does with somebody's branch."""
    peer = rng.choice(world.configured)
    clone.git("pull", "--quiet", "--no-rebase", "--no-ff", "--no-edit", str(peer.path), peer.main)
    clear_up(world, clone, rng)


def clear_up(world: World, clone: Clone, rng: Random) -> None:
    """Settle a conflict of records as somebody would who does not know what they are."""
    if clone.under_way() is None:
        return
    badly = [way for way in BADLY if way not in OFF]
    if not badly or rng.random() < 0.2:
        clone.git("merge", "--abort")
        return
    paths = clone.ask("diff", "--name-only", "--diff-filter=U").splitlines()
    for path in paths:
        way = rng.choice(badly)
        _settle_badly(clone, path, way)
        world.oracle.spoiled.add(path.rpartition("/")[2].removesuffix(".yaml"))
        clone.said.append(f"{path}: {way}")
    world.notes.add("a merge that somebody spoiled")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--no-verify", "--no-edit", ok=True)


def _settle_badly(clone: Clone, path: str, way: str) -> None:
    stages = {line.split()[2]: line.split()[1] for line in clone.ask("ls-files", "--unmerged", "--", path).splitlines()}
    sides = [stages.get(stage) for stage in ("1", "2", "3")]
    if way == "markers" or None in sides[1:]:
        return  # as git left it
    if way in ("ours", "theirs"):
        clone.git("checkout", "--quiet", f"--{way}", "--", path)
        return
    names = []
    for number, blob in enumerate(sides):
        name = clone.path.parent / f"side-{number}"
        name.write_bytes(clone.git("cat-file", "blob", blob).stdout if blob else b"")
        names.append(str(name))
    base, ours, theirs = names
    option = {"union": "--union", "hunks ours": "--ours", "hunks theirs": "--theirs"}[way]
    merged = clone.git("merge-file", "-p", option, ours, base, theirs).stdout
    (clone.path / path).write_bytes(merged)


@action(1, Role.GIT_ONLY)
def delete_files(world: World, clone: Clone, rng: Random) -> None:
    """Commit the deletion of a record's file."""
    path = record_file(world, clone, rng).relative_to(clone.path).as_posix()
    clone.git("rm", "--quiet", path)
    clone.git("commit", "--quiet", "--no-verify", "-m", "deleted")
    world.notes.add("a deleted file")
    world.oracle.spoiled.add(path.rpartition("/")[2].removesuffix(".yaml"))
