"""A segment has one spelling; whatever else is given for one is refused by file and line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import EMPTY, MAX_LINE, Change, Head, Segment, closing, line_hash, place_of, segment_path
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.dots import json_line
from gitmem.crypto.signing import verify
from gitmem.errors import GitmemError, InvalidRecord, Tampered
from tests.support.auditing import Scribe, change, enrolment

_HASHES = st.one_of(st.none(), st.text("0123456789abcdef", min_size=64, max_size=64))
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/."), min_size=1, max_size=8)
_PATHS = st.lists(_WORDS, min_size=1, max_size=4).map("/".join).filter(str.isprintable)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 53), 1 << 53), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
_CHANGES = st.builds(
    Change,
    st.sampled_from(["learn", "edit", "use", "forget", "events"]),
    _PATHS,
    _HASHES,
    _HASHES,
    st.dictionaries(st.text(max_size=5), _JSON, max_size=3),
)


def _segment(*paths: str) -> Segment:
    seen = [Head("bob-1", 3, 17, "b" * 64)]
    return Scribe("ada", "ada-1").sign([change(path, None, b"x") for path in paths or ("memory/a", "memory/b")], seen)


@given(st.lists(_CHANGES, min_size=1, max_size=5, unique_by=lambda c: c.object))
def test_what_is_built_parses_to_the_same(changes: list[Change]) -> None:
    """Build and parse agree on every field, and the signature holds over the body."""
    built = Scribe("ada", "ada-1").sign(changes)
    parsed = parse_segment(built.data, built.path)
    assert parsed == built
    verify(parsed.key, parsed.body, parsed.signature)
    assert parsed.body + parsed.data.splitlines(keepends=True)[-1] == parsed.data


def test_segments_follow_each_other() -> None:
    """The next segment counts on, names the hash of the last line, and lies at the next path."""
    ada = Scribe("ada", "ada-1")
    first, second = ada.sign([change("memory/a", None, b"1")]), ada.sign([change("memory/a", b"1", b"2")])
    assert (first.path, second.path) == (segment_path("ada-1", 1), "log/audit/ada-1/000/000002.jsonl")
    assert first.entries[0].prev == EMPTY
    assert second.entries[0].prev == line_hash(first.data.splitlines()[-2])
    assert second.head == Head("ada-1", 2, 2, second.entries[-1].hash)


def test_paths_have_one_spelling() -> None:
    """Every number has one path, and every other path none."""
    assert segment_path("ada-1", 12345) == "log/audit/ada-1/012/012345.jsonl"
    assert place_of("log/audit/ada-1/012/012345.jsonl") == ("ada-1", 12345)
    bad = ["log/audit/ada-1/000/012345.jsonl", "log/audit/ada-1/000/000000.jsonl", "log/audit/ada/000/000001.jsonl", "x"]
    assert [place_of(path) for path in bad] == [None] * 4


def test_a_new_writer_closes_the_old_chain() -> None:
    """The closing entry names what the tree holds of the old chain, also when that is nothing."""
    assert closing("ada-1", Head("ada-1", 2, 9, "c" * 64)).detail == {"closed": "ada-1", "seq": 9, "hash": "c" * 64}
    assert closing("ada-1", None).detail == {"closed": "ada-1", "seq": 0, "hash": EMPTY}


@given(st.data())
def test_no_changed_byte_is_accepted(data: st.DataObject) -> None:
    """Any byte set to another value, anywhere in a segment, is refused by the parser or by the signature."""
    segment = _segment()
    at = data.draw(st.integers(0, len(segment.data) - 1))
    changed = bytearray(segment.data)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda b: b != changed[at]))
    with pytest.raises(GitmemError):
        _accept(bytes(changed), segment)


@given(st.data())
def test_no_rearranged_line_is_accepted(data: st.DataObject) -> None:
    """Lines dropped, doubled or reordered, or a file cut off at any byte, are refused."""
    segment = _segment("memory/a", "memory/b", "memory/c")
    lines = segment.data.splitlines(keepends=True)
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=6).filter(lambda some: some != lines))
    for wrong in (b"".join(chosen), segment.data[: data.draw(st.integers(0, len(segment.data) - 1))]):
        with pytest.raises(Tampered):
            _accept(wrong, segment)


def _accept(data: bytes, genuine: Segment) -> None:
    parsed = parse_segment(data, genuine.path)
    if parsed.key != genuine.key:
        raise Tampered(f"{genuine.path}: signed by another key")
    verify(parsed.key, parsed.body, parsed.signature)


def _with(**fields: object) -> bytes:
    """A segment of one entry with some of its fields replaced."""
    segment = Scribe("ada", "ada-1").sign([change("memory/a", None, b"x")])
    entry, end = map(json.loads, segment.data.splitlines())
    entry = {name: value for name, value in (entry | fields).items() if value != "absent"}
    return b"".join(json_line(line).encode() + b"\n" for line in (entry, end))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"v": 2}, "'v'"),
        ({"v": True}, "'v'"),
        ({"store": "../x"}, "'store'"),
        ({"writer": "bob-1"}, "an entry of bob-1 in the log of ada-1"),
        ({"seq": 0}, "'seq'"),
        ({"seq": True}, "'seq'"),
        ({"seq": 2}, "only the first entry"),
        ({"prev": "a" * 64}, "only the first entry"),
        ({"prev": "A" * 64}, "'prev'"),
        ({"seen": {"bob-1": [1]}}, "'seen'"),
        ({"seen": {"../b": [1, "b" * 64]}}, "'seen'"),
        ({"seen": []}, "'seen'"),
        ({"time": "yesterday"}, "'time'"),
        ({"time": "2026-02-30T10:00:00Z"}, "'time'"),
        ({"op": "Learn it"}, "'op'"),
        ({"subject": "ada\x1b[2J"}, "'subject'"),
        ({"object": "memory/../../etc/passwd"}, "'object'"),
        ({"object": "/etc/passwd"}, "'object'"),
        ({"object": "memory/\x1b[2J"}, "'object'"),
        ({"object": "memory/\u202egpj"}, "'object'"),
        ({"object": "m" * 2000}, "'object'"),
        ({"before": 1}, "'before'"),
        ({"after": "abc"}, "'after'"),
        ({"detail": []}, "'detail'"),
        ({"detail": "absent"}, "missing or unknown: 'detail'"),
        ({"more": 1}, "missing or unknown: 'more'"),
    ],
)
def test_a_field_of_the_wrong_form_is_named(fields: dict[str, object], why: str) -> None:
    """Every field has its form, and the refusal names it with file and line."""
    with pytest.raises(Tampered) as error:
        parse_segment(_with(**fields), segment_path("ada-1", 1))
    assert error.value.message.startswith("log/audit/ada-1/000/000001.jsonl:1: ")
    assert why in error.value.message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"nonsense",
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{ "a":1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
        b'{"a":"' + b"x" * MAX_LINE + b'"}',
    ],
    ids=str,
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    """Nothing that is not a canonical entry gets through, whichever line it is on, and nothing crashes."""
    segment = _segment()
    lines = segment.data.splitlines(keepends=True)
    for at in range(len(lines)):
        wrong = b"".join([*lines[:at], line + b"\n", *lines[at + 1 :]])
        with pytest.raises(Tampered, match=rf"{segment.path}:{at + 1}: "):
            parse_segment(wrong, segment.path)


def test_a_path_that_cannot_be_shown_is_not_logged() -> None:
    """Building refuses what parsing would."""
    for path in ("memory/\x1b", "a//b", "../a", "m" * 2000):
        with pytest.raises(InvalidRecord):
            Scribe("ada", "ada-1").sign([change(path, None, b"x")])


def test_a_file_has_one_entry_in_a_segment() -> None:
    """Two entries about one file in one commit are refused."""
    segment = Scribe("ada", "ada-1").sign([enrolment("bob"), enrolment("bob")])
    with pytest.raises(Tampered, match="has an entry on line 1"):
        parse_segment(segment.data, segment.path)


def test_an_empty_segment_is_a_bug() -> None:
    """There is no commit without a change."""
    with pytest.raises(ValueError, match="needs a change"):
        Scribe("ada", "ada-1").sign([])
