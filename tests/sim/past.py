"""What brings the past back: resets, old files, reverts, forced pushes, history begun anew, restored backups."""

from __future__ import annotations

import shutil
from random import Random

from tests.sim.clone import Clone, Role
from tests.sim.gitwork import back, commits, maybe_settle, ready, record_file, settle, unpushed
from tests.sim.switches import OFF, action
from tests.sim.world import Skip, World

_SET_UP = (Role.MEMBER, Role.KEYLESS)
_COPIES = 2


@action(3, *_SET_UP)
def reset_hard(world: World, clone: Clone, rng: Random) -> None:
    """Go back some commits, pushed ones or not."""
    settle(clone, rng)
    clone.git("reset", "--quiet", "--hard", back(clone, rng.randint(1, 3)))


@action(2)
def reset_soft(world: World, clone: Clone, rng: Random) -> None:
    """Make one commit of the last two that nobody else has."""
    ready(clone, rng)
    if len(unpushed(clone)) < 2:
        raise Skip("nothing of ours")
    clone.git("reset", "--quiet", "--soft", "HEAD~2")
    clone.git("commit", "--quiet", "-m", "both at once")


@action(2, *_SET_UP, Role.GIT_ONLY)
def revert(world: World, clone: Clone, rng: Random) -> None:
    """Revert the last commit or an older one, at times what founded the store or let somebody in."""
    ready(clone, rng, commit=clone.role is not Role.GIT_ONLY)
    founding = rng.random() < 0.25
    found = commits(clone, "HEAD", "--", ".gitmem") if founding else commits(clone, "HEAD", "--", "memory", limit=4)
    if not found:
        raise Skip("nothing to revert")
    clone.git("revert", "--no-edit", rng.choice(found))
    if clone.role is not Role.GIT_ONLY:
        maybe_settle(clone, rng)
    elif clone.under_way():
        clone.git("revert", "--abort")


@action(2)
def old_file(world: World, clone: Clone, rng: Random) -> None:
    """Check an old or the committed version of a record's file out, and perhaps commit that."""
    settle(clone, rng)
    path = record_file(world, clone, rng).relative_to(clone.path).as_posix()
    old = rng.choice(["HEAD", "HEAD~1", "HEAD~2", "HEAD~3"])
    clone.git("checkout", "--quiet", *([] if old == "HEAD" else [old]), "--", path)
    if rng.random() < 0.5:
        unchecked = rng.random() < 0.5 and "unchecked" not in OFF
        clone.git("commit", "--quiet", "-m", "an old file", *(["--no-verify"] if unchecked else []))


@action(1, *_SET_UP)
def delete_branch(world: World, clone: Clone, rng: Random) -> None:
    """Throw a side branch away, whatever is on it."""
    sides = [name for name in clone.branches() if name != clone.branch()]
    if not sides:
        raise Skip("no branch")
    clone.git("branch", "-D", rng.choice(sides))


@action(1)
def forced_push(world: World, clone: Clone, rng: Random) -> None:
    """Push an older state over what the remote has."""
    ready(clone, rng)
    clone.git("push", "--quiet", "--force", "origin", f"{back(clone, rng.randint(1, 3))}:main")


@action(1)
def begin_anew(world: World, clone: Clone, rng: Random) -> None:
    """Make one commit without parents of all there is, and push that over the remote's history."""
    ready(clone, rng)
    if clone.branch() != clone.main or clone.main != "main":
        raise Skip("on a side branch")
    clone.git("checkout", "--quiet", "--orphan", "anew")
    if clone.git("commit", "--quiet", "-m", "begun anew").returncode:
        clone.git("checkout", "--quiet", "--force", "main")
        raise Skip("refused")
    clone.git("branch", "--force", "--move", "anew", "main")
    clone.git("push", "--quiet", "--force", "origin", "main")


@action(2)
def back_up(world: World, clone: Clone, rng: Random) -> None:
    """Copy a clone's whole directory aside."""
    if clone.path.joinpath(".git").is_file() or clone.name == "c0":
        raise Skip("a linked worktree belongs to a place")
    clone.close()
    place = world.folder / f"backup-{world.step}"
    shutil.copytree(clone.path, place, symlinks=True)
    world.backups.append((clone, place))


@action(2)
def restore_in_place(world: World, clone: Clone, rng: Random) -> None:
    """Put a backup in the place of the clone, which is lost with what only it held."""
    mine = [place for owner, place in world.backups if owner is clone]
    if not mine:
        raise Skip("no backup")
    clone.close()
    place = rng.choice(mine)
    if rng.random() < 0.5:
        shutil.rmtree(clone.path)
        shutil.copytree(place, clone.path, symlinks=True)
    else:
        for each in clone.path.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        shutil.copytree(place, clone.path, symlinks=True, dirs_exist_ok=True)


@action(2)
def restore_elsewhere(world: World, clone: Clone, rng: Random) -> None:
    """Put a backup to another path: from now on there is one clone more."""
    mine = [place for owner, place in world.backups if owner is clone]
    if not mine or sum(one.name.startswith("copy") for one in world.clones) >= _COPIES:
        raise Skip("no backup")
    name = f"copy{world.step}"
    place = clone.path.with_name(name)
    shutil.copytree(rng.choice(mine), place, symlinks=True)
    world.clones.append(Clone(name, place, clone.role, clone.env, clone.strategy, stem=clone.stem or clone.name))
