"""The layout makes a clean text merge equal to ours, for hosts whose merge button runs no driver."""

from __future__ import annotations

from pathlib import Path
from random import Random

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge, normalise
from gitmem.core.record import State
from tests.support.git import Git
from tests.unit.strategies import SECRETS, World, random_steps

PAIRS = 400
ALONE = frozenset({"pull", "reset", "replay", "copy"})  # what a replica does without hearing of others


def test_a_clean_text_merge_is_the_same_merge(git: Git) -> None:
    """`git merge-file` on two descendants of one file either conflicts or gives what the algebra gives."""
    clean = [seed for seed in range(PAIRS) if _text_merge_agrees(git, seed)]
    assert PAIRS // 5 < len(clean) < PAIRS, f"{len(clean)} of {PAIRS} clean: the test has lost its subject"


def _text_merge_agrees(git: Git, seed: int) -> bool:
    """Whether git merged the texts of one random pair cleanly; fails when the result is not ours."""
    base, mine, theirs = _pair(Random(seed))
    for name, state in (("base", base), ("mine", mine), ("theirs", theirs)):
        Path(git.path, name).write_bytes(emit(state))
    done = git.run("merge-file", "-p", "mine", "base", "theirs")
    assert done.returncode >= 0
    if done.returncode:
        return False
    merged = normalise(parse(done.stdout, f"the text merge of pair {seed}"))
    assert emit(merged) == emit(merge(mine, theirs)), f"pair {seed}"
    return True


def _pair(random: Random) -> tuple[State, State, State]:
    """A record with some history, and what two replicas made of it since, each for itself."""
    world = World(secret=random.choice(SECRETS), stamp=random.random() < 0.5)
    world.play(random_steps(random, 25, (0, 1, 2), without=frozenset({"copy"})))
    world.play([("pull", 0, 1, 0), ("pull", 0, 2, 0), ("pull", 1, 0, 0), ("pull", 2, 0, 0)])
    base = world.states[0]
    world.play(random_steps(random, random.randint(1, 3), (0,), without=ALONE))
    world.play(random_steps(random, random.randint(1, 3), (1,), without=ALONE))
    return base, world.states[0], world.states[1]
