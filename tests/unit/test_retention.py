"""What may go by time, use and space; and that replicas that prune separately agree, whatever others did meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen, counted
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.core.retention import BY_KIND, Known, Rules, choose, is_pruned, pruned, settled

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def ago(days: int) -> str:
    """A time so many days before now."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def known(name: str = "p-1", kind: str = "pattern", scope: str = "team", changed: int = 60, **more: Any) -> Known:
    """A record last changed so many days ago; `used`, `matched_on` and `kept` are days ago as well, all else are counters."""
    last = {"changed": ago(changed)}
    last |= {field: ago(more.pop(given)) for given, field in TIMES.items() if given in more}
    return Known(name, kind, scope, more, last)


TIMES = {"used": "used", "matched_on": "matched", "kept": "kept"}


def reasons(*records: Known, rules: Rules | None = None) -> dict[str, str]:
    """Why each of these may go, by id."""
    found = choose(records, lambda one: rules or Rules()._replace(**BY_KIND.get(one.kind, {})), NOW)
    assert [one.known.id for one in found] == sorted(one.known.id for one in found)
    return {one.known.id: one.reason for one in found}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (known(changed=91), "unused"),
        (known(changed=89), None),
        (known(changed=400, used=89), None),
        (known(changed=400, matched_on=89), None),
        (known(changed=400, kept=89), None),
        (known(changed=400, kept=91), "unused"),
        (Known("p-1", "pattern", "team", {}, {}), None),
        (known(changed=-9000), None),
        (known(kind="decision", changed=179), None),
        (known(kind="decision", changed=181), "unused"),
        (known(kind="preference", changed=4000), None),
        (known(failed=1, used=31), "failed"),
        (known(failed=1, used=29), None),
        (known(failed=1, fixed=1, used=31), None),
        (known(kind="solution", failed=1, used=31), None),
        (known(fixed=1, failed=5, used=1), "success"),
        (known(fixed=1, failed=3, used=1), None),
        (known(fixed=1, failed=4, used=1), "confidence"),
        (known(fixed=2, failed=4, used=1), None),
        (known(fixed=1, failed=9, used=1, changed=3), None),
        (known(matched=200, fixed=1, matched_on=1), "usage"),
        (known(matched=100, fixed=1, matched_on=1), None),
        (known(matched=49, matched_on=1), None),
    ],
)
def test_time_and_use(record: Known, reason: str | None) -> None:
    """Each threshold on either side."""
    assert reasons(record) == ({record.id: reason} if reason else {})


def test_rules_that_are_off() -> None:
    """Zero turns a rule off."""
    off = Rules(unused_days=0, failed_days=0, success_percent=0, confidence_percent=0, usage_percent=0)
    assert reasons(known(changed=9000, failed=90, used=400), known("p-2", matched=900), rules=off) == {}


def test_space() -> None:
    """Above the limit the least valuable go, what is sure to work or new or wanted never does; other scopes are not touched."""
    rules = Rules(max_records=2)
    sure = known("p-5", fixed=60)
    some = [known("p-1"), known("p-2", matched=3), known("p-3", fixed=1, failed=1), known("p-4", fixed=3, failed=1), sure]
    assert reasons(*some, rules=rules) == {"p-1": "space", "p-2": "space", "p-3": "space"}
    assert reasons(*some, known("p-6", scope="ops"), rules=rules) == {"p-1": "space", "p-2": "space", "p-3": "space"}
    best = [known(f"p-{n}", fixed=60) for n in range(9)]
    assert reasons(*best, known("p-new", changed=1), known("p-kept", kept=1), rules=rules) == {}
    assert reasons(*some, rules=Rules()) == {}


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20), st.integers(0, 20), st.integers(0, 300)), max_size=12),
    st.randoms(),
)
def test_the_same_records_give_the_same_answer(figures: list[tuple[int, int, int, int]], random: Any) -> None:
    """In whatever order they come; what stays is never above the limit, unless it is protected."""
    records = [
        known(f"p-{number}", changed=changed, fixed=fixed, failed=failed, matched=matched, used=changed)
        for number, (changed, fixed, failed, matched) in enumerate(figures)
    ]
    rules = Rules(max_records=3)
    answer = reasons(*records, rules=rules)
    random.shuffle(records)
    assert reasons(*records, rules=rules) == answer
    left = [one for one in records if one.id not in answer]
    assert (
        len(left) <= 3
        or "space" in answer.values()
        or all(one.confidence > 0.85 or one.last["changed"] > ago(14) for one in left)
    )


def record() -> State:
    """A record that everybody has."""
    pen = Pen(State("pattern", 1, "team", "p-abc"), "a-1")
    pen.set("fix", lambda _path, _dot: "restart")
    pen.live()
    pen.count("fixed")
    return pen.state


def tried(state: State, writer: str) -> State:
    """After somebody tried it."""
    return merge(state, counted(state, writer, {"failed": 1}, {"used": ago(0)}))


def edited(state: State, writer: str) -> State:
    """After somebody changed it."""
    pen = Pen(state, writer)
    pen.set("fix", lambda _path, _dot: f"by {writer}")
    pen.live()
    return pen.state


def forgotten(state: State, writer: str) -> State:
    """After somebody deleted it."""
    pen = Pen(state, writer)
    pen.die()
    return pen.state


def test_case_1_two_prune_at_once() -> None:
    """They write the same bytes."""
    assert emit(pruned(record())) == emit(pruned(record()))
    gone = merge(pruned(record()), pruned(record()))
    assert is_pruned(gone)
    assert settled(gone) is gone


def test_case_2_tried_meanwhile() -> None:
    """Whoever pruned it had not heard of the try: it stands again, and may be pruned again, knowing of it."""
    stands = settled(merge(pruned(record()), tried(record(), "b-1")))
    assert stands.alive
    assert stands.total("failed") == 1
    assert settled(stands) is stands
    again = pruned(stands)
    assert settled(merge(again, stands)) == again
    assert is_pruned(merge(again, merge(pruned(record()), tried(record(), "b-1"))))


def test_case_3_edited_meanwhile() -> None:
    """The edit wins, and nobody is asked."""
    stands = settled(merge(pruned(record()), edited(record(), "b-1")))
    assert (stands.alive, stands.contested, [*stands.fields["fix"].values()]) == (True, False, ["by b-1"])


def test_case_4_forgotten_meanwhile() -> None:
    """Somebody's decision stands, whatever others tried."""
    gone = merge(merge(pruned(record()), forgotten(record(), "b-1")), tried(record(), "c-1"))
    assert not settled(gone).alive
    disputed = merge(merge(pruned(record()), forgotten(record(), "b-1")), edited(record(), "c-1"))
    assert settled(disputed).contested


def test_case_5_matched_meanwhile() -> None:
    """To have been shown is no reason to stay."""
    shown = merge(pruned(record()), counted(record(), "b-1", {"matched": 1}, {"matched": ago(0)}))
    assert settled(shown) is shown


def test_case_6_only_one_of_two_knew_of_a_try() -> None:
    """Who knew of it pruned all the same: it stays pruned."""
    gone = merge(pruned(record()), pruned(tried(record(), "b-1")))
    assert is_pruned(settled(gone))


def test_case_7_the_values_were_collected_meanwhile() -> None:
    """Without values there is nothing that could stand."""
    gone = merge(pruned(record()), tried(record(), "b-1"))
    gone.fields.clear()
    assert settled(gone) is gone


STEPS = st.lists(
    st.tuples(st.sampled_from(["prune", "try", "edit", "forget", "settle", "pull"]), st.integers(0, 2)), max_size=14
)


@given(STEPS)
def test_three_replicas_agree_in_any_order(steps: list[tuple[str, int]]) -> None:
    """Whatever they do, they merge to the same bytes in any order, settled or not, and no try is lost."""
    states = [record() for _ in range(3)]
    tries = 0
    for step, who in steps:
        state, writer = states[who], f"{'bcd'[who]}-1"
        if step == "prune" and state.alive:
            states[who] = pruned(state)
        elif step == "try":
            states[who], tries = tried(state, writer), tries + 1
        elif step == "edit":
            states[who] = edited(state, writer)
        elif step == "forget" and state.alive:
            states[who] = forgotten(state, writer)
        elif step == "settle":
            states[who] = settled(state)
        elif step == "pull":
            states[who] = merge(state, states[(who + 1) % 3])
    a, b, c = states
    joined = merge(merge(a, b), c)
    assert emit(joined) == emit(merge(a, merge(c, b))) == emit(merge(merge(c, a), b))
    ended = settled(joined)
    assert settled(ended) is ended
    assert parse(emit(ended), "test") == ended
    assert ended.total("failed") == tries
