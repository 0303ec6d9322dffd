"""The end of a history: everybody comes back to the main branch and syncs until nothing moves; then all must agree."""

from __future__ import annotations

import re
from random import Random

from gitmem.core.retention import PRUNED
from gitmem.memory.checkup.doctor import doctor
from tests.sim import life
from tests.sim.clone import Clone, Role, refs
from tests.sim.gitwork import settle
from tests.sim.held import Held
from tests.sim.oracle import Expectation
from tests.sim.world import World
from tests.sim.writes import try_sync

_ROUNDS = 6
_ENDS = ("cut chain", "missing entries")
_CUT_OFF = re.compile(r"history: HEAD is behind what this clone had: (\S+):")
_OWN = ("memory", "log", ".gitmem", ".gitattributes")
ALLOWED: dict[str, re.Pattern[str]] = {
    "a hand edit without the hook": re.compile(r"unsigned change"),
    "a merge that somebody spoiled": re.compile(r"unsigned change|rolled back"),
}
"""What `audit verify` may complain about after such a thing has happened.

And of a segment that is missing, or of an end that was cut off, if no copy of it is left: its commit was thrown away after a
later one had been picked, or after it had been shared.
"""


def finish(world: World, rng: Random) -> None:
    """Bring a history to its end and check everything."""
    world.tick(world.step + 1)
    _say(world, "the end")
    for clone in world.clones:
        _come_home(world, clone, rng)
    held = Held(world.remote, world.clones)
    deeds = world.oracle.deeds
    expected = world.oracle.expect([held.has(deed) for deed in deeds], [held.counted(deed) for deed in deeds])
    _gather_branches(world)
    _sync_all(world)
    if world.life:
        life.set_thresholds(world, dict.fromkeys(life.THRESHOLDS, "0").items())
        life.come_to_rest(world.members[0])
        _sync_all(world)
        life.check_migrated(world, world.members[-1])
    _same_trees(world)
    _check_log(world, held)
    for clone in world.members:
        _check(world, clone, expected)
    _check_health(world, rng.choice(world.members), held)
    _same_conflicts(world)


def _say(world: World, what: str) -> None:
    for clone in world.clones:
        clone.said.append(f"-- {what}")


def _come_home(world: World, clone: Clone, rng: Random) -> None:
    """No git operation under way, nothing foreign in the work tree, on the main branch."""
    settle(clone, rng)
    clone.git("reset", "--quiet", "--hard")  # what is not committed is in the journal, or nobody was told that it is kept
    clone.git("clean", "-fdq", "--", *_OWN)
    if "refs/stash" in refs(clone.repo.common_dir):
        clone.git("stash", "clear")
    if clone.branch() != clone.main:
        clone.git("switch", "--quiet", clone.main, ok=True)


def _gather_branches(world: World) -> None:
    """Merge all side branches, and what clones without gitmem hold, so that nothing waits beside the main branch."""
    for clone in world.members:
        for side in clone.branches():
            _merge(clone, side)
    first = world.members[0]
    sides = [name.removeprefix("refs/heads/") for name in refs(world.remote) if name.startswith("refs/heads/side-")]
    if sides:
        first.git("fetch", "--quiet", "origin", "+refs/heads/side-*:refs/heads/of-remote/side-*", ok=True)
    for side in sides:
        _merge(first, f"of-remote/{side}")
    for clone in world.clones:
        if clone.role is Role.GIT_ONLY:
            first.git("fetch", "--quiet", str(clone.path), f"+refs/heads/main:refs/heads/{clone.name}", ok=True)
            _merge(first, clone.name)


def _merge(clone: Clone, branch: str) -> None:
    if clone.git("merge-base", "--is-ancestor", branch, "HEAD").returncode == 0:
        return
    try_sync(clone)
    done = clone.git("merge", "--quiet", "--no-edit", "--allow-unrelated-histories", branch)
    if done.returncode and clone.under_way():
        problems = try_sync(clone)  # settles what git left unmerged
        assert clone.under_way() is None, f"{clone.name}: merging {branch} is stuck: {problems}"
    assert done.returncode == 0 or not clone.ask("rev-list", f"HEAD..{branch}"), f"{clone.name}: {branch} is not merged"


def _sync_all(world: World) -> None:
    problems: dict[str, list[str]] = {}
    for number in range(_ROUNDS):
        for clone in world.configured:
            if number == 0 or problems[clone.name] or clone.head() != _tip(world):
                problems[clone.name] = try_sync(clone)
        heads = {_tip(world), *(clone.head() for clone in world.configured)}
        if len(heads) == 1 and not any(any("refused" in problem for problem in each) for each in problems.values()):
            return
    raise AssertionError(f"the clones do not come together: {problems}")


def _tip(world: World) -> str:
    return refs(world.remote)["refs/heads/main"]


def _same_trees(world: World) -> None:
    """All stand at one commit, and hold in their work trees what it holds."""
    for clone in world.configured:
        assert clone.head() == _tip(world), f"{clone.name} stands at {clone.head()}, the remote at {_tip(world)}"
        dirt = clone.ask("status", "--porcelain")
        assert dirt == "", f"{clone.name} is not clean: {dirt}"


def _check_log(world: World, held: Held) -> None:
    """The log explains the history, which is the same in all clones."""
    clone = world.members[0]
    here = _segments_at_head(clone)
    allowed = [pattern for note, pattern in ALLOWED.items() if note in world.notes]
    problems = [
        str(problem)
        for problem in clone.memory.verify().problems
        if not any(pattern.search(problem.what) for pattern in allowed)
        and not (problem.what == "missing segment" and problem.where not in held.segments)
        and not (problem.what in _ENDS and _is_gone(held, here, problem.where))
    ]
    assert not problems, f"{clone.name}: audit: {problems}"


def _segments_at_head(clone: Clone) -> set[str]:
    return set(clone.ask("ls-tree", "-r", "--name-only", "HEAD", "log/audit").splitlines())


def _is_gone(held: Held, here: set[str], chain: str) -> bool:
    """Whether no copy of what a chain lacks at HEAD is left."""
    return {one for one in held.segments if one.startswith(f"{chain}/")} <= here


def _check(world: World, clone: Clone, expected: Expectation) -> None:
    for record in world.ids:
        _check_record(world, clone, record, expected)


def _check_health(world: World, clone: Clone, held: Held) -> None:
    """What doctor looks at is the same in all, and takes long: one is asked, a different one in each history."""
    world.served.give_back(clone.repo.common_dir)
    ill = [f"{check.name}: {check.why}" for check in doctor(clone.memory.context) if not check.ok]
    ill = [why for why in ill if not (why.startswith("git configuration: pull.twohead") and not clone.strategy)]
    here = _segments_at_head(clone)
    ill = [why for why in ill if not ((cut := _CUT_OFF.match(why)) and _is_gone(held, here, cut[1]))]
    assert not ill, f"{clone.name}: doctor: {ill}"


def _check_record(world: World, clone: Clone, record: str, expected: Expectation) -> None:
    look = clone.look(record)
    required, totals, alive = expected.required(record), expected.totals(record), expected.alive(record)
    state = look.state if look else clone.grave(record)
    counted = {name: state.total(name) for name in state.counts if name != PRUNED} if state else {}
    wrong = {name: (counted.get(name, 0), totals.get(name, 0)) for name in counted | totals}
    wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"{clone.name}: {record} counts (is, must be): {wrong}"
    if look is None:
        assert (required, alive or None) == (set(), None), f"{clone.name}: {record} is gone"
        return
    missing = required - look.shown
    assert not missing, f"{clone.name}: {record} lost {sorted(missing)}"
    risen = expected.forbidden(record) & look.shown
    again = record in world.oracle.spoiled or record in world.oracle.graves  # what was collected is written again
    assert not risen or again, f"{clone.name}: {record} has again {sorted(risen)}"
    assert alive is None or look.alive == alive, f"{clone.name}: {record} is {'alive' if look.alive else 'dead'}"


def _same_conflicts(world: World) -> None:
    """`conflicts` lists the same everywhere: what shows several values, or a deletion that crossed an edit."""
    for clone in world.members:
        listed = {record.id for record in clone.memory.conflicts()}
        looks = {record: look for record in world.ids if (look := clone.look(record))}
        wanted = {record for record, look in looks.items() if look.alive and (look.record.conflicts or look.contested)}
        assert listed == wanted, f"{clone.name}: conflicts lists {sorted(listed)}, shown are {sorted(wanted)}"
