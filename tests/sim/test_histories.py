"""Random histories of a team, each held against the oracle of acknowledged writes.

`python -m tests.sim --large --seed N -v` tells one of them, `make sim` runs ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from gitmem.core.record import State
from gitmem.core.retention import PRUNED
from tests.sim.foreign import hand_edit
from tests.sim.held import Held, proof_of
from tests.sim.history import History, Templates
from tests.sim.oracle import Deed, Key, Oracle, Proof
from tests.sim.world import make_world
from tests.support.git import Git
from tests.support.stores import EFFORT

_GROUPS = 12
_EACH = 5
_LARGE = 1
"""So many groups are of whole teams."""
_LENGTH = 10
"""Actions of each history; `make sim` and the thorough profile run them to their end."""


@pytest.fixture(scope="module")
def templates() -> Iterator[Templates]:
    """The stores that histories start from."""
    made = Templates()
    yield made
    made.close()


@pytest.mark.parametrize("group", range(_GROUPS * EFFORT))
def test_histories_converge_and_lose_nothing(group: int, templates: Templates) -> None:
    """After a last round of syncs all clones are the same, counts are exact and every concurrent value is there."""
    failed, large = [], group % _GROUPS < _LARGE
    for seed in range(group * _EACH, (group + 1) * _EACH):
        history = History(seed, _LENGTH if EFFORT == 1 else None, paper=not large)
        if why := history.run(templates):
            failed.append(
                "\n".join(
                    [
                        *history.log,
                        f"python -m tests.sim --seed {seed}{' --large' * large}{f' --actions {_LENGTH}' * (EFFORT == 1)} -v",
                        why,
                    ]
                )
            )
    assert not failed, "\n\n".join(failed)


@pytest.mark.parametrize("group", range(2 * EFFORT))
def test_pruning_and_migrating_converge(group: int, templates: Templates) -> None:
    """Several prune, undo, migrate and roll back at once, beside all else: what was tried or edited meanwhile stands."""
    failed = []
    for seed in range(group * 3, (group + 1) * 3):
        history = History(seed, _LENGTH if EFFORT == 1 else None, paper=True, life=True)
        if why := history.run(templates):
            failed.append("\n".join([*history.log, f"python -m tests.sim --life --seed {seed} -v", why]))
    assert not failed, "\n\n".join(failed)


def _deed(step: int, shown: set[Key], wrote: set[Key], replaced: set[Key], life: str = "alive") -> Deed:
    shapes = (frozenset(shown), frozenset(wrote), frozenset(replaced))
    return Deed(step, "c0", "p-a", Proof("w-1", step), *shapes, life, (("fixed", 1),))


def test_the_oracle_knows_what_must_be_there() -> None:
    """A value stays until a write that may have seen it replaces it, and goes when one surely had."""
    first, mine, theirs = (Key("p-a", "fix", text) for text in ("first", "mine", "theirs"))
    deeds = [
        _deed(1, set(), {first}, set()),
        _deed(2, {first}, {mine}, {first}),
        _deed(3, {first}, {theirs}, {first}),
    ]
    expected = Oracle(deeds).expect([True] * 3)
    assert expected.required("p-a") == {mine, theirs}
    assert expected.forbidden("p-a") == {first}
    assert expected.totals("p-a") == {"fixed": 3}
    assert expected.alive("p-a") is True


def test_the_oracle_forgets_what_was_destroyed() -> None:
    """A write of which no copy is left neither counts nor replaces anything."""
    first, second = (Key("p-a", "fix", text) for text in ("first", "second"))
    expected = Oracle([_deed(1, set(), {first}, set()), _deed(2, {first}, {second}, {first})]).expect([True, False])
    assert (expected.required("p-a"), expected.totals("p-a")) == ({first}, {"fixed": 1})


def test_a_use_is_there_without_the_write_before_it() -> None:
    """Somebody forgets a record and uses it; a reset takes the deletion away, the journal keeps the use."""
    dead = State("pattern", 1, "team", "p-1", seen={"c1-1": 1})
    used = State("pattern", 1, "team", "p-1", seen={"c1-1": 1}, counts={"fixed": {"c1-1": 1}})
    assert proof_of(dead, used) == Proof("c1-1", 0, (("fixed", 1),))
    assert proof_of(None, used) == Proof("c1-1", 1, (("fixed", 1),))


def test_the_oracle_tells_counters_apart() -> None:
    """A reset destroys the commit with a use; how long it took is in the sum that the next use has in the journal."""
    deeds = [replace(_deed(n, set(), set(), set()), counts=(("fixed", 1), ("ms", 5))) for n in (1, 2)]
    assert Oracle(deeds).expect([False, False], [{"ms"}, {"ms"}]).totals("p-a") == {"ms": 10}
    assert Oracle(deeds).expect([False, True]).totals("p-a") == {"fixed": 1, "ms": 5}


def test_the_oracle_knows_a_hand_edit_by_what_replaced_it() -> None:
    """Its commit is gone, and with it the value; the write that replaced it is there, and has seen it."""
    first, hand, second = (Key("p-a", "fix", text) for text in ("first", "by hand", "second"))
    shapes = (frozenset[Key](), frozenset({hand}), frozenset({first}))
    edit = Deed(2, "c0", "p-a", Proof(value=hand), *shapes, by_hand=True)
    deeds = [_deed(1, set(), {first}, set()), edit, _deed(3, {hand}, {second}, {hand})]
    assert Oracle(deeds).expect([True, False, True]).required("p-a") == {second}


@pytest.mark.parametrize(("saw", "alive"), [(True, False), (False, None)])
def test_the_oracle_knows_the_dead(saw: bool, alive: bool | None) -> None:
    """A deletion that surely saw every edit stands; of one that may not have, nothing is claimed."""
    first = Key("p-a", "fix", "first")
    deeds = [_deed(1, set(), {first}, set()), _deed(2, {first} if saw else set(), set(), set(), "dead")]
    assert Oracle(deeds).expect([True, True]).alive("p-a") is alive


@pytest.mark.parametrize(("known", "alive"), [(0, True), (1, False)])
def test_the_oracle_knows_the_pruned(known: int, alive: bool) -> None:
    """What was tried more often than whoever pruned it knew stands again; else it is dead, if the pruning saw every edit."""
    first = Key("p-a", "fix", "first")
    proof = Proof("p-1", 1, ((PRUNED, known),))
    deeds = [_deed(1, set(), {first}, set()), Deed(2, "c1", "p-a", proof, frozenset({first}), life=PRUNED)]
    assert Oracle(deeds).expect([True, True]).alive("p-a") is alive


def test_what_is_held_of_the_log_are_files(tmp_path: Path) -> None:
    """Not their folders: git lists those as well, and a chain whose lost end is nowhere would seem to be held somewhere."""
    git, segment = Git(tmp_path), "log/audit/w-1/000/000001.jsonl"
    git("init", "--quiet", "--initial-branch=main")
    (tmp_path / segment).parent.mkdir(parents=True)
    (tmp_path / segment).write_text("an entry")
    git("add", "--all")
    git("commit", "--quiet", "-m", "a segment")
    assert Held(tmp_path / ".git", []).segments == {segment}


def test_an_edit_where_the_store_was_reverted_went_past_the_hook(
    templates: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook takes the branch for one without a store, so that the log is not to explain the edit."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE", *templates.served.env):  # the dates are set by the world
        monkeypatch.setenv(name, templates.served.env.get(name, ""))
    world = make_world(templates.get(plain=True), tmp_path / "world", Random(1), plain=True, paper=True)
    clone = world.clones[1]
    clone.git("revert", "--no-edit", clone.ask("rev-list", "--max-parents=0", "HEAD"), ok=True)
    hand_edit(world, clone, Random(5))
    world.close()
    assert "--no-verify" not in " ".join(clone.said)
    assert world.notes == {"a hand edit without the hook"}
