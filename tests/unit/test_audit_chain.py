"""Chains that quote each other: whatever is dropped, doubled or exchanged is named with the file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import Change, Head, Segment, build_segment, closing, segment_path
from gitmem.core.auditing.chain import causal_order, check_chain, in_turn
from gitmem.core.auditing.parse import parse_segment
from gitmem.errors import Tampered
from tests.support.auditing import Scribe, change

_TURNS = st.lists(st.tuples(st.sampled_from(["ada", "bob", "cem"]), st.booleans(), st.integers(1, 3)), min_size=2, max_size=10)


def _history(turns: list[tuple[str, bool, int]]) -> list[Segment]:
    """Segments by three writers; at each turn one of them signs some changes, and may have read what the others have."""
    scribes = {name: Scribe(name, f"{name}-1") for name in ("ada", "bob", "cem")}
    segments = []
    for number, (name, reads, count) in enumerate(turns):
        seen = [other.head for other in scribes.values() if reads and other.head and other.name != name]
        segments.append(scribes[name].sign([change(f"memory/{number}/{n}", None, b"x") for n in range(count)], seen))
    return segments


def _files(segments: list[Segment]) -> dict[str, bytes]:
    return {segment.path: segment.data for segment in segments}


def _complaints(files: dict[str, bytes]) -> list[str]:
    """The places that are found wrong in a log of these files."""
    segments, places = [], []
    for path, data in files.items():
        try:
            segments.append(parse_segment(data, path))
        except Tampered as error:
            places.append(error.message)
    return places + [problem.where for problem in check_chain(segments)]


@given(_TURNS)
def test_honest_chains_hold(turns: list[tuple[str, bool, int]]) -> None:
    """No problem in any honest history, and the causal order is complete and causal."""
    segments = _history(turns)
    assert check_chain(segments) == []
    ordered, problems = causal_order(reversed(segments))
    assert problems == []
    assert sorted(s.path for s in ordered) == sorted(s.path for s in segments)
    ends: dict[str, int] = {}
    for segment in ordered:
        assert segment.entries[0].seq == ends.get(segment.writer, 0) + 1
        assert all(ends[writer] >= seq for writer, (seq, _) in segment.entries[0].seen.items())
        ends[segment.writer] = segment.entries[-1].seq


@given(_TURNS, st.data())
def test_a_dropped_segment_is_named(turns: list[tuple[str, bool, int]], data: st.DataObject) -> None:
    """Any segment that another one follows or has seen is missed; the newest of all alone can go unnoticed."""
    segments = _history(turns)
    gone = data.draw(st.sampled_from(segments))
    end = gone.head
    followed = any(s.writer == gone.writer and s.number > gone.number for s in segments)
    quoted = any(s.entries[0].seen.get(gone.writer, (0,))[0] >= gone.entries[0].seq for s in segments)
    places = _complaints(_files([s for s in segments if s is not gone]))
    if followed:
        assert gone.path in places
    if quoted and not followed:
        assert places == [f"log/audit/{end.writer}"] * len(places) != []
    assert bool(places) == (followed or quoted)


@given(_TURNS, st.data())
def test_exchanged_segments_are_named(turns: list[tuple[str, bool, int]], data: st.DataObject) -> None:
    """The contents of any two files exchanged, or one put in the place of another."""
    files = _files(_history(turns))
    a, b = data.draw(st.lists(st.sampled_from(sorted(files)), min_size=2, max_size=2, unique=True))
    swapped = files | {a: files[b], b: files[a]}
    copied = files | {a: files[b]}
    for wrong in (swapped, copied):
        assert any(place.startswith((a, b)) for place in _complaints(wrong))


@given(_TURNS, st.data())
def test_a_replayed_segment_is_named(turns: list[tuple[str, bool, int]], data: st.DataObject) -> None:
    """A segment again at the end of its chain."""
    segments = _history(turns)
    again = data.draw(st.sampled_from(segments))
    path = segment_path(again.writer, max(s.number for s in segments if s.writer == again.writer) + 1)
    assert any(place.startswith(path) for place in _complaints(_files(segments) | {path: again.data}))


def test_a_fork_that_was_seen() -> None:
    """A writer who signs two different entries under one number is caught by whoever has seen the other one."""
    bob, liar = Scribe("bob", "bob-1"), Scribe("bob", "bob-1")
    told, hidden = bob.sign([change("memory/a", None, b"1")]), liar.sign([change("memory/a", None, b"2")])
    ada = Scribe("ada", "ada-1").sign([change("memory/b", None, b"x")], [told.head])
    assert check_chain([told, ada]) == []
    assert [(p.what, p.where) for p in check_chain([hidden, ada])] == [("forked chain", "log/audit/bob-1")]


def test_a_writer_that_claims_to_have_seen_itself() -> None:
    """A chain quotes others only."""
    ada = Scribe("ada", "ada-1")
    segment = ada.sign([change("memory/a", None, b"1")], [Head("ada-1", 1, 1, "a" * 64)])
    assert [p.what for p in check_chain([segment])] == ["missing entries"]


def test_closing_a_chain() -> None:
    """A rotated writer's first entry names the end of its old chain, whose later entries may still turn up."""
    old, lost = Scribe("ada", "ada-1"), Scribe("ada", "ada-3")
    first = old.sign([change("memory/a", None, b"1")])
    new = Scribe("ada", "ada-2").sign([closing("ada-1", first.head), change("memory/a", b"1", b"2")])
    later = old.sign([change("memory/a", b"1", b"3")])
    nothing = lost.sign([closing("ada-2", None)])
    assert check_chain([first, new]) == []
    assert check_chain([first, later, new, nothing]) == []
    assert [(p.what, p.where) for p in check_chain([new])] == [("missing entries", "log/audit/ada-1")]


@pytest.mark.parametrize(
    "detail", [{}, {"closed": "x", "seq": 1, "hash": "a" * 64}, {"closed": "a-1", "seq": -1, "hash": ""}, {"closed": 1}]
)
def test_a_closing_entry_that_names_no_end(detail: dict[str, object]) -> None:
    """It must name a writer, a number and a hash, and come first."""
    entry = Change("close", "log/audit/a-1", None, None, detail)  # type: ignore[arg-type]
    assert [p.what for p in check_chain([Scribe("ada", "ada-1").sign([entry])])] == ["broken chain"]
    late = Scribe("ada", "ada-1").sign([change("memory/a", None, b"1"), closing("a-1", None)])
    assert [(p.what, p.where) for p in check_chain([late])] == [("broken chain", f"{late.path}:2")]


def test_two_that_have_seen_each_other() -> None:
    """Segments that claim to come after one another are named, and still ordered."""
    ada, bob = (Scribe(name, f"{name}-1").sign([change("memory/a", None, b"1")]) for name in ("ada", "bob"))
    after_bob = replace(ada.entries[0], seen={"bob-1": (1, bob.head.hash)})
    after_ada = replace(bob.entries[0], seen={"ada-1": (1, ada.head.hash)})
    ordered, problems = causal_order([replace(ada, entries=(after_bob,)), replace(bob, entries=(after_ada,))])
    assert [p.what for p in problems] == ["impossible order"] * 2
    assert len(ordered) == 2


def test_one_second_is_listed_in_turn() -> None:
    """Of two segments signed in one second the one that has seen the other is later, whatever the writers are called."""
    for first, second in (("aaaa-1", "bbbb-1"), ("bbbb-1", "aaaa-1")):
        change = Change("config", ".gitattributes", None, "0" * 64)
        begun = build_segment("s-x", first, None, "ada", {}, "2026-11-20T10:00:00Z", [change], lambda _: "sig", "key")
        seen = {first: begun.head}
        then = build_segment("s-x", second, None, "bob", seen, "2026-11-20T10:00:00Z", [change], lambda _: "sig", "key")
        assert in_turn([then, begun]) == [begun, then]
