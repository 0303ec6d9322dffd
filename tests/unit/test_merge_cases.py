"""Every rule of merging with two files and the file that must come of them, numbered as in docs/merging.md."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.dots import checked
from gitmem.core.edit import Pen
from gitmem.core.merge import merge, normalise
from gitmem.core.record import State

HEADER = "gitmem: 1\nkind: pattern\nschema: {schema}\nscope: team\nid: p-abc\n"


def record(body: str, schema: int = 1) -> State:
    """A record file without its first five lines."""
    return parse((HEADER.format(schema=schema) + dedent(body).lstrip("\n")).encode(), "test")


def joins(a: str, b: str, result: str) -> None:
    """Merging `a` and `b` gives `result`, whoever merges whom."""
    for left, right in ((a, b), (b, a)):
        merged = emit(merge(record(left), record(right))).decode()
        assert merged == HEADER.format(schema=1) + dedent(result).lstrip("\n")


NEWER = """
    seen:
      a-1: 1
      b-1: 1
    fields:
      fix:
        b-1.1: ENC[1-9f3a1c07,BBBB]
    """
OLDER = """
    seen:
      a-1: 1
    fields:
      fix:
        a-1.1: ENC[1-9f3a1c07,AAAA]
    """
CONCURRENT = """
    seen:
      c-1: 1
    fields:
      fix:
        c-1.1: ENC[1-9f3a1c07,CCCC]
    """


def test_case_1_a_write_both_hold_is_kept() -> None:
    """Both replicas hold the same write."""
    joins(OLDER, OLDER, OLDER)


def test_case_2_a_write_the_other_has_not_seen_is_kept() -> None:
    """Two people wrote the same field at once: both values wait."""
    both = """
    seen:
      a-1: 1
      c-1: 1
    fields:
      fix:
        a-1.1: ENC[1-9f3a1c07,AAAA]
        c-1.1: ENC[1-9f3a1c07,CCCC]
    """
    joins(OLDER, CONCURRENT, both)


def test_case_2_knows_numbers_and_not_only_writers() -> None:
    """The other side has seen earlier writes of the writer, but not this one."""
    early = "seen:\n  a-1: 4\n"
    late = "seen:\n  a-1: 5\nfields:\n  fix:\n    a-1.5: ENC[1-9f3a1c07,AAAA]\n"
    joins(early, late, late)


def test_case_3_a_write_the_other_has_replaced_is_dropped() -> None:
    """One side overwrote what the other still holds."""
    joins(OLDER, NEWER, NEWER)


def test_case_3_a_write_the_other_has_removed_is_dropped() -> None:
    """One side removed the field; no empty field or section stays behind."""
    joins(OLDER, "seen:\n  a-1: 1\n", "seen:\n  a-1: 1\n")


def test_case_3_settles_siblings() -> None:
    """A person who picks one of several values has seen them all, and the pick wins over every copy of them."""
    both = """
    seen:
      a-1: 1
      c-1: 1
    fields:
      fix:
        a-1.1: ENC[1-9f3a1c07,AAAA]
        c-1.1: ENC[1-9f3a1c07,CCCC]
    """
    picked = """
    seen:
      a-1: 2
      c-1: 1
    fields:
      fix:
        a-1.2: ENC[1-9f3a1c07,DDDD]
    """
    for stale in (both, OLDER, CONCURRENT):
        joins(stale, picked, picked)


def test_edits_of_different_fields_both_stand() -> None:
    """Two people wrote different fields at once."""
    other = "seen:\n  c-1: 1\nfields:\n  meaning:\n    c-1.1: ENC[1-9f3a1c07,CCCC]\n"
    result = """
    seen:
      a-1: 1
      c-1: 1
    fields:
      fix:
        a-1.1: ENC[1-9f3a1c07,AAAA]
      meaning:
        c-1.1: ENC[1-9f3a1c07,CCCC]
    """
    joins(OLDER, other, result)


def test_set_elements_come_and_go_one_by_one() -> None:
    """One side added an element and the other dropped one: both happen."""
    seen, first = "seen:\n  a-1: 2\n", "    eaa:\n      a-1.1: ENC[1-9f3a1c07,AAAA]\n"
    second, third = first.replace("aa:", "bb:").replace("a-1.1", "a-1.2"), first.replace("aa:", "cc:").replace("a-1.1", "c-1.1")
    added = f"{seen}  c-1: 1\nsets:\n  tags:\n{first}{second}{third}"
    dropped = f"{seen}sets:\n  tags:\n{second}"
    joins(added, dropped, f"{seen}  c-1: 1\nsets:\n  tags:\n{second}{third}")


def test_an_element_added_twice_outlives_a_drop_of_one() -> None:
    """Two replicas added the same tag; a drop that saw one of the two leaves the other. Hence a value per dot."""
    mine = "seen:\n  a-1: 1\nsets:\n  tags:\n    eaa:\n      a-1.1: ENC[1-9f3a1c07,AAAA]\n"
    theirs = "seen:\n  c-1: 1\nsets:\n  tags:\n    eaa:\n      c-1.1: ENC[1-9f3a1c07,CCCC]\n"
    both = """
    seen:
      a-1: 1
      c-1: 1
    sets:
      tags:
        eaa:
          a-1.1: ENC[1-9f3a1c07,AAAA]
          c-1.1: ENC[1-9f3a1c07,CCCC]
    """
    joins(mine, theirs, both)
    survivor = both.replace("          a-1.1: ENC[1-9f3a1c07,AAAA]\n", "")
    joins(both, "seen:\n  a-1: 1\n", survivor)
    joins(both, "seen:\n  a-1: 1\n  c-1: 1\n", "seen:\n  a-1: 1\n  c-1: 1\n")


SEALED_AGAIN = "seen:\n  a-1: 1\nfields:\n  fix:\n    a-1.1: {}\n"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1-9f3a1c07", "2-00000000"),
        ("2-ffffffff", "10-00000000"),  # sequences are numbers
        ("2-00000001", "2-ffffffff"),  # two rotations at once order by their keys
    ],
)
def test_case_4_the_highest_epoch_wins_within_a_dot(older: str, newer: str) -> None:
    """A value that one side has sealed again stands for the same write, and the newer seal is kept."""
    a, b = SEALED_AGAIN.format(f"ENC[{older},zzzz]"), SEALED_AGAIN.format(f"ENC[{newer},AAAA]")
    joins(a, b, b)


def test_case_4_within_an_epoch_all_values_stay_under_the_dot() -> None:
    """Two sides sealed it again at once: both are kept, the smaller under the dot and the other with a hash."""
    a, b = SEALED_AGAIN.format("ENC[2-00000000,AAAA]"), SEALED_AGAIN.format("ENC[2-00000000,BBBB]")
    both = """
    seen:
      a-1: 1
    fields:
      fix:
        a-1.1: ENC[2-00000000,AAAA]
        a-1.1#ded4f432: ENC[2-00000000,BBBB]
    """
    joins(a, b, both)
    joins(both, SEALED_AGAIN.format("ENC[1-9f3a1c07,CCCC]"), both)
    newest = SEALED_AGAIN.format("ENC[3-00000000,DDDD]")
    joins(both, newest, newest)
    joins(both, "seen:\n  a-1: 1\n", "seen:\n  a-1: 1\n")


def test_case_4_a_third_value_takes_the_dot_when_it_is_smaller() -> None:
    """Which value has the bare dot depends on the values alone, never on who came first."""
    a, b = SEALED_AGAIN.format("ENC[2-00000000,BBBB]"), SEALED_AGAIN.format("ENC[2-00000000,CCCC]")
    c = record(SEALED_AGAIN.format("ENC[2-00000000,AAAA]"))
    merged = merge(merge(record(a), record(b)), c)
    assert list(merged.fields["fix"].items()) == [
        ("a-1.1", "ENC[2-00000000,AAAA]"),
        ("a-1.1#ded4f432", "ENC[2-00000000,BBBB]"),
        ("a-1.1#f384e3ed", "ENC[2-00000000,CCCC]"),
    ]


def test_case_4_values_in_the_clear_stand_beside_sealed_ones() -> None:
    """A copied clone wrote under the same name with another policy: nothing is thrown away."""
    sealed = SEALED_AGAIN.format("ENC[2-00000000,AAAA]")
    clear = sealed.replace("a-1.1: ENC[2-00000000,AAAA]", f'{checked("fields/fix", "a-1.1", "x")}: "x"')
    joins(sealed, clear, sealed + f'    {checked("fields/fix", "a-1.1", "x")}: "x"\n')


def test_case_4_a_copied_clone_that_deleted_leaves_the_record_standing() -> None:
    """One dot says alive and dead: both stay, so that the record stands and is contested."""
    joins(
        "seen:\n  a-1: 1\nlife:\n  a-1.1: dead\n",
        "seen:\n  a-1: 1\nlife:\n  a-1.1: alive\n",
        "seen:\n  a-1: 1\nlife:\n  a-1.1: alive\n  a-1.1#0453462f: dead\n",
    )


def test_a_copied_clone_that_writes_elsewhere_loses_both() -> None:
    """The limit of dots, and why a writer's name is never used in two places: each side takes the other's write for removed."""
    here = "seen:\n  a-1: 1\nfields:\n  fix:\n    a-1.1: ENC[1-9f3a1c07,AAAA]\n"
    there = "seen:\n  a-1: 1\nfields:\n  meaning:\n    a-1.1: ENC[1-9f3a1c07,BBBB]\n"
    joins(here, there, "seen:\n  a-1: 1\n")


CLEAR = """
    seen:
      a-1: 1
    fields:
      fix:
        a-1.1~{check}: {value}
    """
ORIGINAL = CLEAR.format(check="38f32ff6", value='"use a token"')
EDITED = CLEAR.format(check="38f32ff6", value='"use an SSH key"')
STAMPED = """
    seen:
      a-1: 1
      h-4587e96a7d872567: 1
    fields:
      fix:
        h-4587e96a7d872567.1~ac6b3541: "use an SSH key"
    """


def test_case_5_a_hand_edit_becomes_a_write_that_replaces() -> None:
    """The check shows that the value was changed under its dot; stamped, it wins over what it replaced."""
    joins(ORIGINAL, EDITED, STAMPED)
    assert emit(normalise(record(EDITED))) == emit(merge(record(ORIGINAL), record(EDITED)))
    assert normalise(record(ORIGINAL)) == record(ORIGINAL)


def test_case_5_the_same_hand_edit_on_two_replicas_is_one_write() -> None:
    """Two people who type the same make no conflict."""
    joins(EDITED, EDITED, STAMPED)


def test_case_5_two_hand_edits_of_one_value_both_wait() -> None:
    """Two people who type different things make one."""
    other = ORIGINAL.replace('"use a token"', '"ask Ada"')
    merged = merge(record(EDITED), record(other))
    assert sorted(map(str, merged.fields["fix"].values())) == ["ask Ada", "use an SSH key"]
    assert merged.seen["a-1"] == 1
    assert len(merged.seen) == 3


def test_case_5_a_hand_edit_against_a_write_both_wait() -> None:
    """The write has seen the old value, not what a person made of it."""
    written = "seen:\n  a-1: 1\n  c-1: 1\nfields:\n  fix:\n    c-1.1: ENC[1-9f3a1c07,CCCC]\n"
    merged = merge(record(EDITED), record(written))
    assert sorted(map(str, merged.fields["fix"].values())) == ["ENC[1-9f3a1c07,CCCC]", "use an SSH key"]


def test_case_5_a_value_taken_to_another_field_by_hand_survives() -> None:
    """With its dot and check but in another place, it would look removed to everybody who knows the dot."""
    moved = ORIGINAL.replace("fix:", "meaning:")
    merged = merge(record(ORIGINAL), record(moved))
    assert list(merged.fields) == ["meaning"]
    assert list(merged.fields["meaning"].values()) == ["use a token"]


def test_case_5_holds_in_sets_and_for_a_sealed_value_typed_over() -> None:
    """An element of a set, and plain text in place of a token."""
    element = "seen:\n  a-1: 1\nsets:\n  tags:\n    eaa:\n      a-1.1: {}\n"
    merged = merge(record(element.format("ENC[1-9f3a1c07,AAAA]")), record(element.format('"git"')))
    assert list(merged.sets["tags"]["eaa"].values()) == ["git"]
    assert [key[:2] for key in merged.sets["tags"]["eaa"]] == ["h-"]


def test_a_hand_edit_that_others_have_merged_is_not_undone_by_hand() -> None:
    """A limit: the old line, put back, is a write that has been replaced."""
    stamped = merge(record(ORIGINAL), record(EDITED))
    assert emit(merge(stamped, record(ORIGINAL))) == emit(stamped)


def test_an_element_added_again_while_it_is_dropped_is_gone() -> None:
    """A limit: what is there already is not written again, so the drop has seen all there is."""
    start = record("seen:\n  a-1: 1\nsets:\n  tags:\n    eaa:\n      a-1.1: ENC[1-9f3a1c07,AAAA]\n")
    again, gone = Pen(start, "b-1"), Pen(start, "c-1")
    again.add("tags", "eaa", lambda path, dot: "ENC[1-9f3a1c07,BBBB]")
    gone.drop("tags", "eaa")
    assert merge(again.state, gone.state).sets == {}


def test_life_follows_the_same_cases() -> None:
    """Deletion and edit at once, a later edit, a later deletion."""
    alive, dead = "seen:\n  a-1: 1\nlife:\n  a-1.1: alive\n", "seen:\n  b-1: 1\nlife:\n  b-1.1: dead\n"
    both = "seen:\n  a-1: 1\n  b-1: 1\nlife:\n  a-1.1: alive\n  b-1.1: dead\n"
    gone = "seen:\n  a-1: 1\n  b-1: 2\nlife:\n  b-1.2: dead\n"
    joins(alive, dead, both)
    joins(both, gone, gone)
    assert record(both).alive
    assert record(both).contested
    assert not record(gone).alive
    assert not record(gone).contested


def test_numbers_and_times_take_the_maximum_of_each_writer() -> None:
    """`seen`, `counts` and `last`, under names this gitmem does not know as well."""
    joins(
        """
        seen:
          a-1: 3
          b-1: 1
        counts:
          matched:
            a-1: 10
            b-1: 2
          x-new:
            a-1: 1
        last:
          matched: 2026-11-20T10:00:00Z
          x-new: 2026-01-01T00:00:00Z
        """,
        """
        seen:
          a-1: 2
          c-1: 7
        counts:
          failed:
            c-1: 1
          matched:
            a-1: 9
            b-1: 11
            d-1: 0
        last:
          matched: 2025-12-31T23:59:59Z
          used: 2026-11-20T10:00:01Z
        """,
        """
        seen:
          a-1: 3
          b-1: 1
          c-1: 7
        counts:
          failed:
            c-1: 1
          matched:
            a-1: 10
            b-1: 11
            d-1: 0
          x-new:
            a-1: 1
        last:
          matched: 2026-11-20T10:00:00Z
          used: 2026-11-20T10:00:01Z
          x-new: 2026-01-01T00:00:00Z
        """,
    )


def test_the_newer_schema_is_kept() -> None:
    """A replica with a newer schema has upgraded the record; one without must not undo that."""
    assert merge(record("", schema=2), record("", schema=10)).schema == 10
    assert merge(record("", schema=10), record("", schema=2)).schema == 10


def test_fields_and_sets_of_one_name_do_not_meet() -> None:
    """A dot is looked for in its own container only."""
    field = "seen:\n  a-1: 1\nfields:\n  tags:\n    a-1.1: ENC[1-9f3a1c07,AAAA]\n"
    element = "seen:\n  b-1: 1\nsets:\n  tags:\n    eaa:\n      b-1.1: ENC[1-9f3a1c07,BBBB]\n"
    joins(field, element, "seen:\n  a-1: 1\n  b-1: 1\n" + field[field.index("fields") :] + element[element.index("sets") :])
