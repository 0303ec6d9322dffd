"""Text from a store, made harmless; what people type, read strictly; changes in words. All without a process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.cli.inputs import given as given_record
from gitmem.cli.inputs import nested
from gitmem.cli.present import duration, flat
from gitmem.cli.text import json_text, one_line, safe_text
from gitmem.core.diff import changes, set_changes
from gitmem.errors import InvalidRecord, UsageError
from gitmem.memory.typed import read_mapping, write_mapping

DANGEROUS = [
    *range(0x09),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0xD800,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_dangerous_characters_are_shown_by_their_escapes() -> None:
    """Control characters, line separators, bidirectional overrides and isolates; nothing else is changed."""
    for code in DANGEROUS:
        assert chr(code) not in safe_text(f"a{chr(code)}b")
        assert chr(code) not in json_text(json.dumps(chr(code), ensure_ascii=False))
    assert safe_text("\x1b]0;owned\x07 \u202egnp.exe") == "\\x1b]0;owned\\x07 \\u202egnp.exe"
    assert safe_text("tab\tline\nüñ 漢字 🎉 שלום\r\n") == "tab\tline\nüñ 漢字 🎉 שלום\n"
    assert one_line(" a\n\tb\x1b ") == "a b\\x1b"


@given(st.text())
def test_json_keeps_every_value(text: str) -> None:
    """A document says the same after its characters were made harmless."""
    assert json.loads(json_text(json.dumps({"a": text}, ensure_ascii=False))) == {"a": text}


@given(st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=5))
def test_what_the_editor_shows_is_read_back(values: dict[str, Any]) -> None:
    """YAML that gitmem writes says exactly what it was written from."""
    try:
        text = write_mapping(values).encode()
    except UnicodeEncodeError:
        return  # half of a surrogate pair: no record holds one
    assert read_mapping(text or b"{}", "the text") == values


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "answer: no\nat: 12:30\nday: 2026-01-01\nport: 0o17",
            {"answer": "no", "at": "12:30", "day": "2026-01-01", "port": "0o17"},
        ),
        ("n: 1\nf: 1.5\nb: true\nz:", {"n": 1, "f": 1.5, "b": True, "z": None}),
        ('{"a": 1,\n\t"b": ["x"]}', {"a": 1, "b": ["x"]}),
        ("{a: b}", {"a": "b"}),
        ("\ufeffa: ü", {"a": "ü"}),
    ],
)
def test_plain_scalars_mean_what_they_look_like(text: str, wanted: dict[str, Any]) -> None:
    """No YAML 1.1 surprises; JSON and a byte order mark are fine."""
    assert read_mapping(text.encode(), "it") == wanted


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"- a", "it is not a mapping"),
        (b"", "it is not a mapping"),
        (b"just words", "it is not a mapping"),
        (b"a: &x 1\nb: *x", "it, line 1: anchors"),
        (b"a: 1\nb: *x", "it, line 2: anchors"),
        (b"a: 1\nb: 2\na: 3", "it, line 3: the key 'a' stands twice"),
        (b'{"a": 1, "a": 2}', "it, line 1: the key 'a' stands twice"),
        (b"a:\n\tb: 1", "it, line 2: found character"),
        (b"a: 1\nb: \0", "it, line 2: it holds the control character U+0000"),
        (b"a: 1\nb: \x1b[1m", "it, line 2: it holds the control character U+001B"),
        (b"a: \xff", "it, line 1: it is not UTF-8"),
        (b"[" * 10_000, "it, line 1: it is nested more than 64 levels"),
        (b'{"a":' * 10_000, "it, line 1: it is nested more than 64 levels"),
        (b"a:\n" + b"".join(b" " * n + b"- \n" for n in range(100)), "nested more than 64 levels"),
        (b"a: !!python/object/apply:os.system [id]", "it, line 1: tags"),
        (b"a: 1\n---\nb: 2", "it, line 2: a second document"),
        (b"1: a", "it, line 1: a key must be text"),
        (b"? [a]\n: b", "it, line 1: a key must be text"),
        (b"a: 'x", "it, line 1: found unexpected end"),
        (b"a: " + b"9" * 10_000, "it is not YAML"),
    ],
)
def test_bad_yaml(data: bytes, why: str) -> None:
    """Each is refused with its line, before anything is built from it."""
    with pytest.raises(InvalidRecord) as error:
        read_mapping(data, "it")
    assert why in error.value.message


def test_a_record_as_given() -> None:
    """Flat or in an envelope; a field called fields stays one when other fields stand beside it."""
    assert given_record({"pattern": "x", "tags": ["a"], "kind": "pattern"}) == ({"pattern": "x"}, ["a"], "pattern", None)
    assert given_record({"kind": "note", "scope": "team", "fields": {"text": "x"}}) == ({"text": "x"}, [], "note", "team")
    assert given_record({"fields": {"a": 1}, "b": 2}).fields == {"fields": {"a": 1}, "b": 2}


def test_dotted_names() -> None:
    """They nest and flatten; a field set as a whole and in part is refused."""
    values = {"a.b": 1, "a.c.d": 2, "e": 3}
    assert nested(values) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert flat(nested(values)) == values
    with pytest.raises(UsageError):
        nested({"a": "x", "a.b": 1})


def test_changes_in_words() -> None:
    """Added, removed and changed fields, entries of lists, and lines of long texts."""
    long = "".join(f"line {number}\n" for number in range(20))
    assert changes({"a": "x", "b": 1}, {"a": "y", "c": True}) == ["- a: x", "+ a: y", "- b: 1", "+ c: true"]
    assert changes({"l": ["a", "b"]}, {"l": ["a", "c", "d"]}) == ["- l[1]: b", "+ l[1]: c", "+ l[2]: d"]
    assert changes({"t": long}, {"t": long.replace("line 9\n", "nine\n")}) == [
        "@ t", " line 7", " line 8", "-line 9", "+nine", " line 10", " line 11",
    ]  # fmt: skip
    assert changes({"a": ""}, {"a": "x"}) == ["- a: ", "+ a: x"]
    assert changes({"a": 1}, {"a": 1}) == []
    assert set_changes({"tags": ["a", "b"]}, {"tags": ["b", "c"]}) == ["- tags: a", "+ tags: c"]


def test_durations() -> None:
    """Milliseconds as people say them."""
    assert [duration(ms) for ms in (5, 1500, 90_000, 600_000)] == ["5 ms", "1.5 s", "90.0 s", "10 min"]
