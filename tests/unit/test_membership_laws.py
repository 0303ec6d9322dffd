"""What holds of members in every causal history: random teams, random entries, signed knowing more or less of each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import Change, Segment
from gitmem.core.membership.fold import fold
from gitmem.core.membership.members import Members
from tests.support.auditing import Scribe, about, change, enrolment

NAMES = ("ada", "bob", "cem", "dan", "eve")
ADMINS = ("ada", "bob", "cem")

_ENTRY = st.one_of(
    st.builds(lambda name: about("remove", name), st.sampled_from(NAMES)),
    st.builds(lambda name, role: about("role", name, role=role), st.sampled_from(NAMES), st.sampled_from(["admin", "member"])),
    st.builds(enrolment, st.sampled_from([*NAMES, "new"]), st.sampled_from(["admin", "reader"])),
    st.just(change("memory/x", None, b"x")),
)
_TURNS = st.lists(st.tuples(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES)), _ENTRY), max_size=12)


def _history(turns: list[tuple[str, set[str], Change]], writers: dict[str, str]) -> list[Segment]:
    """A team of three admins and two members, and what each signs in turn, having seen the newest of some others."""
    scribes = {name: Scribe(name, writers[name]) for name in NAMES}
    ada = scribes["ada"]
    first = ada.sign([change("a", None, b"x"), ada.genesis(), *(enrolment(name, "admin") for name in ADMINS[1:])])
    second = ada.sign([enrolment("dan"), enrolment("eve")])
    segments = [first, second, *(scribes[name].sign([change(name, None, b"x")], [second.head]) for name in NAMES[1:])]
    for name, seen, entry in turns:
        heads = [scribes[other].head for other in sorted(seen - {name})]
        segments.append(scribes[name].sign([entry], [head for head in heads if head]))
    return segments


def _picture(members: Members) -> dict[str, tuple[str, list[str]]]:
    return {name: (member.role, sorted(member.keys)) for name, member in sorted(members.by_name.items())}


_WRITERS = {name: f"{name}-1" for name in NAMES}


@given(_TURNS, st.permutations(NAMES), st.randoms())
def test_the_order_in_which_entries_are_met_is_nothing(
    turns: list[tuple[str, set[str], Change]], names: list[str], random
) -> None:  # type: ignore[no-untyped-def]
    """Any permutation of the same segments gives the same members and the same problems."""
    segments = _history(turns, dict(zip(NAMES, (f"{name}-1" for name in names), strict=True)))
    shuffled = list(segments)
    random.shuffle(shuffled)
    one, other = fold(segments), fold(shuffled)
    assert (_picture(one[0]), one[1], one[0].refused) == (_picture(other[0]), other[1], other[0].refused)


@given(_TURNS)
def test_there_is_always_an_admin(turns: list[tuple[str, set[str], Change]]) -> None:
    """Whatever they do to each other."""
    assert fold(_history(turns, _WRITERS))[0].admins()


@given(_TURNS)
def test_members_change_nobody(turns: list[tuple[str, set[str], Change]]) -> None:
    """What those who were never admins say of others is as if it had not been said."""
    raised = {entry.detail.get("member") for _, _, entry in turns if entry.op != "remove"}
    if raised & {"dan", "eve"}:
        turns = [turn for turn in turns if turn[2].op == "remove" or turn[2].detail.get("member") not in ("dan", "eve")]
    acting = [(name, seen, entry) for name, seen, entry in turns if entry.detail.get("member") != name]
    without = [(n, s, change("memory/x", None, b"x") if n in ("dan", "eve") else entry) for n, s, entry in acting]
    assert _picture(fold(_history(acting, _WRITERS))[0]) == _picture(fold(_history(without, _WRITERS))[0])


@given(_TURNS)
def test_nobody_is_let_in_by_one_who_is_out(turns: list[tuple[str, set[str], Change]]) -> None:
    """Everybody who is a member was enrolled by an entry that counts, of somebody who had the right to."""
    segments = _history(turns, _WRITERS)
    members, _ = fold(segments)
    counted = {
        str(entry.detail.get("member"))
        for segment in segments
        for line, entry in enumerate(segment.entries, 1)
        if entry.op in ("init", "enrol") and members.counts(segment.path, line)
    }
    assert set(members.by_name) <= counted


@given(_TURNS)
def test_a_removal_seen_by_all_is_final(turns: list[tuple[str, set[str], Change]]) -> None:
    """Once ada, whom nobody outranks, has removed somebody and knows all, nothing they sign counts, wherever they hang it."""
    segments = _history(turns, _WRITERS)
    members, _ = fold(segments)
    if "ada" not in members.admins():
        return
    last = {s.writer: s.head for s in segments}
    removal = Scribe("ada", "ada-1", last["ada-1"]).sign(
        [about("remove", "bob")], [head for writer, head in last.items() if writer != "ada-1"]
    )
    known = [*segments, removal]
    before = _picture(fold(known)[0])
    fresh = Scribe("bob", "bob-9").sign([enrolment("mal", "admin"), about("remove", "cem")], [segments[1].head])
    after, _ = fold([*known, fresh])
    assert "bob" in members.by_name or "bob" not in before
    assert (_picture(after), "mal" in after.by_name) == (before, False)
