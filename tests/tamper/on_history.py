"""Attacks of a host on git's history: merges that lie, branches cut off, replaced, forked, served in two ways."""

from __future__ import annotations

from gitmem.core.codec import emit
from gitmem.store.layout import AUDIT
from tests.tamper.hands import BRANCH, Host
from tests.tamper.table import Expected, Store, host, named

UNSIGNED = "unsigned change"


def _merge(hand: Host) -> tuple[str, str, str]:
    """A merge commit with its parents, of which each has a segment the other lacks."""
    lines = hand.repo.run("rev-list", "--min-parents=2", "--parents", hand.tip()).decode().splitlines()
    for line in hand.rng.sample(lines, len(lines)):
        commit, ours, theirs = line.split()
        sides = [set(hand.files(AUDIT, side)) for side in (ours, theirs)]
        if sides[0] - sides[1] and sides[1] - sides[0]:
            return commit, ours, theirs
    raise AssertionError("no merge of two sides")


@host()
def merge_that_drops_a_side(hand: Host) -> Expected:
    """A merge that holds no more than one of its parents."""
    _, ours, theirs = _merge(hand)
    tip = hand.tip()
    lost = sorted(set(hand.files(AUDIT, tip)) - set(hand.files(AUDIT, ours)))
    changes = {path: hand.files(tip=ours).get(path) for path in hand.files(tip=tip)}
    hand.put(changes, tip, theirs)
    return named(*(("removed segment", path) for path in lost[:3]))


@host()
def merge_with_a_record_of_its_own(hand: Host) -> Expected:
    """A merge that holds what neither parent wrote."""
    path, state = hand.pick()
    state.counts.setdefault("fixed", {})["zzzzzzzz-1"] = 7
    _, _, theirs = _merge(hand)
    hand.put({path: emit(state)}, hand.tip(), theirs)
    return named((UNSIGNED, path), spoiled=[state.id])


@host()
def spoiled_and_put_right(hand: Host) -> Expected:
    """A wrong content in one commit, the right one again in the next: who fetched between read the wrong one."""
    path, state = hand.pick()
    right = emit(state)
    state.schema = 9
    bad = hand.put({path: emit(state)})
    hand.put({path: right})
    return named((UNSIGNED, f"{path} (commit {bad[:12]})"))


@host()
def one_commit_cut_out(hand: Host) -> Expected:
    """The work of one commit taken out of the history, and what came after put on top of what was before."""
    chain = hand.chain(at_least=3)
    segment = chain[-2]
    hand.rewrite({segment.path: None})
    return named(("missing segment", segment.path))


@host()
def one_member_cut_out(hand: Host) -> Expected:
    """All that one member ever wrote taken out, as if they had never been there."""
    chain = hand.chains()[hand.writer_of("cyd")]
    hand.rewrite({segment.path: None for segment in chain})
    return named(("missing entries", f"{AUDIT}/{chain[0].writer}"))


@host()
def branch_of_another_store(hand: Host) -> Expected:
    """The branch replaced by one of a store somebody else founded."""
    config = ".gitmem/config.yaml"
    other = hand.read(config).replace(hand.store.encode(), b"s-" + b"0" * 26)
    hand.rewrite({config: other})
    return named((UNSIGNED, config), refused="another store")


@host()
def branch_without_a_store(hand: Host) -> Expected:
    """The branch replaced by something else."""
    hand.rewrite({**dict.fromkeys(hand.files()), "README": b"nothing\n"})
    return named(("no beginning", AUDIT), refused="no gitmem store")


@host()
def whole_tree_of_an_earlier_day(hand: Host) -> Expected:
    """A commit on top that makes everything as it once was, the log as well."""
    commits = hand.repo.run("rev-list", "--first-parent", hand.tip()).decode().split()
    old = hand.files(tip=commits[len(commits) // 3])
    new = hand.files()
    lost = sorted(path for path in new if path.startswith(AUDIT) and path not in old)
    hand.put({path: old.get(path) for path in new})
    return named(("removed segment", lost[0]))


@host()
def records_of_an_earlier_day(hand: Host) -> Expected:
    """The same for records alone."""
    commits = hand.repo.run("rev-list", "--first-parent", hand.tip()).decode().split()
    old, new = hand.files("memory/", commits[len(commits) // 3]), hand.files("memory/")
    older = [path for path in old if old[path] != new[path]]
    hand.put({path: old[path] for path in older})
    return named(*(("rolled back", path) for path in older[:3]))


@host()
def side_ref_of_a_stranger(hand: Host) -> Expected:
    """A ref that every sync folds in, with a record nobody signed for."""
    before = hand.tip()
    path, state = hand.pick()
    state.schema = 9
    made = hand.put({path: emit(state)})
    hand.point(before)
    hand.point(made, "refs/gitmem/zzzzzzzz-1")
    hand.point(made)  # what the victim has after folding it in
    return named((UNSIGNED, path))


@host(Store.PLAIN)
def two_spellings_of_one_value(hand: Host) -> Expected:
    """Two values under one write: which one counts would depend on who reads."""
    path, state = next(one for one in hand.records().items() if one[1].kind == "pattern")
    lines = emit(state).decode().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("  fix:"))
    hand.put({path: "".join([*lines[: at + 2], lines[at + 1], *lines[at + 2 :]]).encode()})
    return named((UNSIGNED, path), aside=path)


def rolled_back(hand: Host, commits: int) -> str:
    """The branch as it was some commits ago, which nothing in it shows; the tip it had."""
    tip = hand.tip()
    hand.point(hand.repo.run("rev-parse", f"{tip}~{commits}").decode().strip(), BRANCH)
    return tip
