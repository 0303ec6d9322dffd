"""What merging promises, for any history: an order of merges never matters, and nothing that was acknowledged is lost."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.core.dots import json_line
from gitmem.core.edit import Pen, counted
from gitmem.core.merge import merge, merge_all, normalise
from gitmem.core.record import State
from gitmem.errors import InvalidRecord
from tests.support.stores import EFFORT
from tests.unit.reach import CASES, cases
from tests.unit.strategies import SECRETS, Step, World, expected, held, random_steps, states, steps, three_states, worlds

some_states = three_states(
    stamp=False, forks=True
)  # hand edits that skipped the hook, copied clones: the algebra holds for all
HISTORIES = 120 * EFFORT
often = settings(max_examples=2 * settings().max_examples)


@often
@given(some_states)
def test_commutative_to_the_byte(found: tuple[State, State, State]) -> None:
    """Who merges whom does not show in the file."""
    a, b, _ = found
    assert emit(merge(a, b)) == emit(merge(b, a))


@often
@given(some_states)
def test_associative_to_the_byte(found: tuple[State, State, State]) -> None:
    """Nor does who met first, for any of the six orders."""
    a, b, c = found
    files = {emit(merge(merge(x, y), z)) for x, y, z in permutations((a, b, c))}
    assert files == {emit(merge(a, merge(b, c)))} == {emit(merge_all([c, a, b]))}


@often
@given(some_states)
def test_idempotent(found: tuple[State, State, State]) -> None:
    """Merging what is already in changes nothing, not even the first time."""
    a, b, _ = found
    assert emit(merge(a, a)) == emit(normalise(a))
    merged = merge(a, b)
    assert emit(merge(merged, a)) == emit(merge(b, merged)) == emit(merge(merged, merged)) == emit(merged)


@given(some_states)
def test_inputs_are_left_alone(found: tuple[State, State, State]) -> None:
    """A merge changes neither side, so that a caller may keep both blobs."""
    a, b, _ = found
    before = emit(a), emit(b)
    merge(a, b)
    normalise(a)
    assert (emit(a), emit(b)) == before


@given(some_states)
def test_a_merge_can_be_read_back(found: tuple[State, State, State]) -> None:
    """What a merge writes is a canonical file, hand edits stamped, and merges again from the file as from memory."""
    a, b, c = found
    merged = merge(a, b)
    again = parse(emit(merged), "merged")
    assert again == merged
    assert normalise(again) is again
    assert emit(merge(again, parse(emit(c), "c"))) == emit(merge(merged, c))


@often
@given(worlds())
def test_every_replica_holds_what_its_history_says(world: World) -> None:
    """Each acknowledged value is there unless a write that saw it replaced it; each count is there once; and nothing else."""
    for replica in world.replicas:
        assert held(replica.state) == expected(replica.known)


@often
@given(worlds())
def test_replicas_converge(world: World) -> None:
    """Once all have met, in any order, all hold the same bytes, and those hold what any of them knew."""
    files = {emit(merge_all(order)) for order in permutations(world.states)}
    assert len(files) == 1
    together = frozenset().union(*(replica.known for replica in world.replicas))
    assert held(parse(files.pop(), "all")) == expected(together)


@given(worlds(), st.randoms(use_true_random=False))
def test_fragments_count_once_however_often_they_are_replayed(world: World, random: Random) -> None:
    """The journal is replayed after a crash: any fragment, any number of times, in any order, before or after the state."""
    state = world.states[0]
    once = merge_all([state, *(fragment for fragment, _ in world.fragments)])
    pile = [state, *(fragment for fragment, _ in world.fragments)] * 3
    random.shuffle(pile)
    assert emit(merge_all(pile)) == emit(once)
    assert once.seen == state.seen
    assert [once.fields, once.sets, once.life] == [state.fields, state.sets, state.life]


@given(some_states)
def test_counters_are_the_maximum_of_each_writer(found: tuple[State, State, State]) -> None:
    """No counter of any name, known to this gitmem or not, is added up twice or forgotten."""
    merged = merge_all(found)
    every = {(name, w): n for s in found for name, by in s.counts.items() for w, n in by.items()}
    for name, writer in every:
        assert merged.counts[name][writer] == max(s.counts.get(name, {}).get(writer, 0) for s in found)
    assert {(name, w) for name, by in merged.counts.items() for w in by} == set(every)


@given(states(), st.booleans())
def test_an_edit_outlives_a_deletion_it_has_not_seen(state: State, edit_first: bool) -> None:
    """Delete against edit: the record stands, and says that someone wanted it gone, until the next edit or deletion."""
    deleted, edited = Pen(state, "zzzzzzzz-1"), Pen(state, "yyyyyyyy-1")
    deleted.die()
    edited.set("fix", lambda path, dot: "mended")
    edited.live()
    pair = (edited.state, deleted.state) if edit_first else (deleted.state, edited.state)
    merged = merge(*pair)
    assert merged.alive
    assert merged.contested
    settled = Pen(merged, "zzzzzzzz-1")
    settled.die()
    assert not merge(settled.state, edited.state).alive
    assert not merge(settled.state, edited.state).contested


@given(states(), st.integers(1, 5))
def test_a_counter_does_not_revive(state: State, by: int) -> None:
    """A use of a record that someone else deleted counts, and leaves it deleted."""
    deleted = Pen(state, "zzzzzzzz-1")
    deleted.die()
    merged = merge(deleted.state, counted(state, "yyyyyyyy-1", {"fixed": by}, {"used": "2030-01-01T00:00:00Z"}))
    assert not merged.alive
    assert merged.total("fixed") == state.total("fixed") + by


@given(states(stamp=False))
def test_normalise_is_a_function_and_settles_at_once(state: State) -> None:
    """Stamping hand edits twice changes nothing more, and two replicas that stamp the same file make the same write."""
    stamped = normalise(state)
    assert normalise(stamped) is stamped
    assert emit(normalise(parse(emit(state), "a"))) == emit(stamped)
    assert parse(emit(stamped), "stamped") == stamped
    assert sorted(_values(stamped)) == sorted(_values(state))


@given(st.sampled_from(SECRETS[:2]), steps(), st.randoms(use_true_random=False))
def test_hand_edits_on_two_replicas_converge_and_both_stay(secret: frozenset[str], history: list[Step], random: Random) -> None:
    """Two people change the same value in their editors, without any hook: both new values wait, the old one is gone."""
    start = merge_all(World(secret=secret).play([*history, ("set", 0, 1, 0)]).states)
    path, key = random.choice([(p, k) for p, r in start.registers() for k in r if "~" in k])
    mine, theirs = start.copy(), start.copy()
    dict(mine.registers())[path][key] = "what I typed"
    dict(theirs.registers())[path][key] = ["what they typed"]
    merged = merge(mine, theirs)
    assert emit(merged) == emit(merge(theirs, mine)) == emit(merge(normalise(theirs), normalise(mine)))
    others = [json_line(value) for k, value in dict(start.registers())[path].items() if k != key]
    after = [json_line(value) for value in dict(merged.registers())[path].values()]
    assert sorted(after) == sorted([*others, json_line("what I typed"), json_line(["what they typed"])])


def _values(state: State) -> list[tuple[str, str]]:
    return [(path, json_line(value)) for path, register in state.registers() for value in register.values()]


@given(some_states)
def test_other_records_are_refused(found: tuple[State, State, State]) -> None:
    """git can hand over two files that it takes for one."""
    a, b, _ = found
    for name, other in (("id", "p-other"), ("kind", "quirk"), ("scope", "ops")):
        changed = b.copy()
        setattr(changed, name, other)
        with pytest.raises(InvalidRecord, match=f"{name} {getattr(a, name)} and {other}"):
            merge(a, changed)


def test_the_laws_hold_in_every_case_there_is() -> None:
    """Hypothesis shrinks well and draws much that is alike; these histories do not, and bring up each case many times over."""
    reached: Counter[str] = Counter()
    for seed in range(HISTORIES):
        random = Random(seed)
        world = World(secret=random.choice(SECRETS), stamp=False, forks=True).play(random_steps(random, 45, (0, 1, 2)))
        for _ in range(4):
            a, b, c = (random.choice(some) for some in random.choices(_some_of(world), k=3))
            reached.update({*cases(a, b), *cases(b, a)})
            [file] = {emit(merge(merge(x, y), z)) for x, y, z in permutations((a, b, c))}
            assert file == emit(merge(a, merge(b, c))) == emit(merge(parse(file, "merged"), b)), seed
    assert reached.keys() == CASES
    assert min(reached.values()) >= HISTORIES // 30, reached


def _some_of(world: World) -> list[list[State]]:
    """States of now and a little while ago, where most is unlike; any state; counters alone."""
    late = [state for replica in world.replicas for state, _ in replica.past[-4:]] + world.states
    return [late, late, world.all_states, [fragment for fragment, _ in world.fragments] or late]
