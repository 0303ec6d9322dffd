"""The layout makes a clean text merge equal to ours, for hosts whose merge button runs no driver.

Hosts merge with git's own code and no attributes. So does `git merge-tree` here, a thousand files in one process.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge, normalise
from gitmem.git.merge import join_record
from gitmem.git.objects import Draft, write_commits
from gitmem.git.repo import Repo
from tests.support.git import Git
from tests.support.stores import EFFORT
from tests.unit.pairs import Pair, pair
from tests.unit.strategies import held

AT_ONCE = 1000
MERGES = AT_ONCE if EFFORT == 1 else 20_000
WHO = "host <host@example.org> 0 +0000"


@pytest.mark.parametrize("start", range(0, MERGES, AT_ONCE))
def test_a_clean_text_merge_is_the_same_merge(git: Git, start: int) -> None:
    """A text merge of two descendants of one file either gives what the algebra gives, or conflicts and is healed exactly."""
    git("init", "--quiet")
    pairs = {f"records/{seed}.yaml": pair(Random(seed)) for seed in range(start, start + AT_ONCE)}
    merged, unmerged = _merged_by_the_host(git, pairs)
    assert merged.keys() | unmerged.keys() == pairs.keys()
    for path, data in merged.items():
        assert emit(normalise(parse(data, path))) == emit(merge(pairs[path].mine, pairs[path].theirs)), path
    for path, (mine, theirs) in unmerged.items():
        assert (mine, theirs) == (emit(pairs[path].mine), emit(pairs[path].theirs)), path
        _check_healed(path, join_record(path, mine, theirs), pairs[path])
    assert AT_ONCE // 5 < len(merged) < AT_ONCE, f"{len(merged)} of {AT_ONCE} clean: the test has lost its subject"
    _check_reach([pairs[path] for path in merged])


def _check_healed(path: str, healed: bytes, one: Pair) -> None:
    """What is healed from the two sides holds all that either acknowledged."""
    assert healed == emit(merge(one.mine, one.theirs)), path
    assert one.together is None or held(parse(healed, path)) == one.together, path


def _check_reach(clean: list[Pair]) -> None:
    """Clean merges are of more than counters."""
    reached: Counter[str] = Counter()
    for base, mine, theirs in (one.states for one in clean):
        reached["both sides moved"] += mine != base != theirs
        reached["a set"] += base.sets != mine.sets or base.sets != theirs.sets
        reached["a field"] += base.fields != mine.fields and base.fields != theirs.fields
        reached["a deletion"] += not (mine.alive and theirs.alive)
        reached["a hand edit"] += normalise(mine) is not mine
        reached["sealed"] += "ENC[" in str(mine.fields)
        reached["in the clear"] += "ENC[" not in str(mine.fields)
    assert len(reached) == 7
    assert min(reached.values()) >= 5, reached


def _merged_by_the_host(git: Git, pairs: dict[str, Pair]) -> tuple[dict[str, bytes], dict[str, tuple[bytes, bytes]]]:
    """The files that git merged cleanly, and for each other file the two sides as it left them in the stages 2 and 3."""
    repo = Repo.find(git.path)
    sides = [{path: emit(one.states[side]) for path, one in pairs.items()} for side in range(3)]
    drafts = [Draft("", WHO, WHO, [":1"] if number else [], changes=files) for number, files in enumerate(sides)]
    _, mine, theirs = write_commits(repo, drafts)
    done = git.run("merge-tree", "--write-tree", "-z", "--no-messages", mine.commit, theirs.commit)
    tree, *lines = done.stdout.decode().split("\0")[:-1]
    stages = {(path, head[-1]): head.split()[1] for head, _, path in (line.partition("\t") for line in lines)}
    assert done.returncode == (1 if stages else 0)
    unmerged = sorted({path for path, _ in stages})
    contents = dict(repo.read_blobs(stages.values()))
    clean = {path: entry.id for path, entry in repo.ls_tree(tree).items() if path not in unmerged}
    merged = dict(zip(clean, (data for _, data in repo.read_blobs(clean.values())), strict=True))
    return merged, {path: (contents[stages[path, "2"]], contents[stages[path, "3"]]) for path in unmerged}
