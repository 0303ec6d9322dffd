"""What stays of a list of collected records from which a grave was taken back that nobody's entry went with."""

from __future__ import annotations

from gitmem.core.auditing.audit import Entry
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit, parse
from gitmem.core.collected import empty_list, grave_in, grave_of, list_of, place_of, with_graves
from gitmem.core.edit import Pen
from gitmem.core.membership.fold import fold
from gitmem.core.record import State
from gitmem.memory.auditing.burials import refuse_burials
from gitmem.memory.auditing.unvouched import part_of, why_not
from tests.support.auditing import Scribe, change, enrolment, new_record, record_change


def _dead(writer: str, record_id: str) -> State:
    pen = Pen(new_record(writer, record_id), writer)
    pen.die()
    return grave_of(pen.state)


def test_a_list_without_what_was_taken_back() -> None:
    """The honest grave stays, whoever takes the other one back names it again, and where that stands again it is a problem."""
    ada, bob = Scribe("ada", "ada-1"), Scribe("bob", "bob-1")
    first = ada.sign([ada.genesis(), enrolment("bob")])
    mine, other = _dead("ada-1", "p-abcd"), _dead("bob-1", "p-abce")
    path = list_of(place_of(mine))
    before = with_graves(empty_list(path), "ada-1", [mine])
    told = [record_change(place_of(mine), None, mine, "forget"), record_change(path, None, before, "collect")]
    honest = ada.sign(told, [first.head])
    both = with_graves(before, "bob-1", [other])
    forged = bob.sign([record_change(path, before, both, "collect")], [honest.head])
    adds = record_detail(before, both)["adds"]
    detail = record_detail(None, before, outside=True) | {"gone": {"bob-1": [1, 2]}}
    detail["adds"] = {**detail["adds"], **adds}  # type: ignore[dict-item]
    back = record_change(path, both, before, "quarantine")
    back.detail.update(detail)
    refused = change(forged.path, forged.data, forged.data, "quarantine")
    answer = ada.sign([back, refused], [forged.head])
    segments = [first, honest, forged, answer]

    def problems(now: State) -> list[str]:
        members, found = fold(segments)
        assert found == []
        found = refuse_burials(members, segments, {path: emit(now)}, {path: [emit(both)]})
        return [problem.where for problem in found]

    assert problems(before) == []
    assert problems(both) == [f"{forged.path}:1"]
    entries: dict[str, list[Entry]] = {path: [one for s in (honest, answer) for one in s.entries if one.object == path]}
    assert why_not(path, emit(before), entries) is None
    assert why_not(path, emit(both), entries)
    left = part_of(both, entries[path])
    assert left is not None
    assert grave_in(parse(emit(left), path), place_of(mine)) == mine
    assert grave_in(left, place_of(other)) is None
