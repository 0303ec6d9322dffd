"""One state has one spelling, and what is not that spelling is refused with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.core.codec import emit, parse
from gitmem.core.dots import json_line
from gitmem.core.edit import Pen
from gitmem.core.record import MAX_BYTES, Json, State
from gitmem.errors import InvalidRecord
from tests.support.stores import EFFORT
from tests.unit.strategies import new_state, rich_states

WHERE = "memory/team/pattern/3k/p-3k7q5w2m.yaml"
PIECES = [
    *(
        b" ",
        b"\n",
        b":",
        b": ",
        b"~",
        b"#",
        b"-",
        b"'",
        b'"',
        b"\t",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc2\x85",
        b"\xef\xbb\xbf",
        b"{}",
    ),
    *(
        b"alive",
        b"dead",
        b"&a ",
        b"*a",
        b"!!str ",
        b"1e400",
        b"NaN",
        b"ENC[1-9f3a1c07,AA]",
        b"null",
        b"  x:\n",
        b"<<<<<<< HEAD\n",
    ),
]


@given(rich_states())
def test_what_is_written_is_read(state: State) -> None:
    """Every state survives its file."""
    assert parse(emit(state), WHERE) == state


@given(rich_states())
def test_order_in_memory_does_not_show(state: State) -> None:
    """The spelling depends on what a state holds, not on the order in which it came to hold it."""
    turned = state.copy()
    for container in (turned.seen, turned.fields, turned.sets, turned.life, turned.counts, turned.last):
        entries = list(container.items())
        container.clear()
        container.update(reversed(entries))  # type: ignore[arg-type]
    assert emit(turned) == emit(state)


def _flip(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << len(piece) % 8)]) + data[at + 1 :]


def _insert(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at:]


def _replace(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at + len(piece) :]


def _delete(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + data[at + len(piece) :]


def _truncate(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at]


def _repeat_line(data: bytes, at: int, piece: bytes) -> bytes:
    start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
    return data[:end] + data[start:end] + data[end:]


def _swap_lines(data: bytes, at: int, piece: bytes) -> bytes:
    lines, n = data.splitlines(keepends=True), data.count(b"\n", 0, at)
    other = (n + len(piece)) % len(lines)
    n = min(n, len(lines) - 1)
    lines[n], lines[other] = lines[other], lines[n]
    return b"".join(lines)


_DAMAGE = [_flip, _insert, _replace, _delete, _truncate, _repeat_line, _swap_lines]
_damages = st.lists(
    st.tuples(st.sampled_from(_DAMAGE), st.integers(0, 1 << 16), st.sampled_from(PIECES)), min_size=1, max_size=3
)


@settings(max_examples=(4 if EFFORT == 1 else 10) * settings().max_examples)
@given(rich_states(), _damages)
def test_damage_is_refused_by_name_or_is_another_canonical_file(
    state: State, damages: list[tuple[Callable[[bytes, int, bytes], bytes], int, bytes]]
) -> None:
    """Whatever happens to a file, reading it ends in a state that writes the same bytes, or in a refusal with file and line."""
    data = emit(state)
    for damage, at, piece in damages:
        data = damage(data, at % len(data), piece) if data else data
    outcome = _parsed(data)
    if isinstance(outcome, State):
        assert emit(outcome) == data
    else:
        found = re.match(re.escape(WHERE) + r":([1-9][0-9]*): ", outcome.message)
        assert found, outcome.message
        assert int(found[1]) <= data.count(b"\n") + 1
        assert outcome.message.isprintable()
        assert len(outcome.message) < 400
        assert outcome.hint


def _parsed(data: bytes) -> State | InvalidRecord:
    try:
        return parse(data, WHERE)
    except InvalidRecord as error:
        return error


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_any_yaml_reader_reads_the_same_tree(loader: type[yaml.SafeLoader]) -> None:
    """A record needs no gitmem to be read: for PyYAML it is the tree that it is for us."""

    @given(rich_states())
    def reads(state: State) -> None:
        read = yaml.load(emit(state), Loader=loader)
        assert _same(read, _tree(state))

    reads()


def _tree(state: State) -> dict[str, object]:
    header = {"gitmem": 1, "kind": state.kind, "schema": state.schema, "scope": state.scope, "id": state.id}
    last = {name: datetime.fromisoformat(text) for name, text in state.last.items()}
    values = {
        "fields": {name: {key: _read(value) for key, value in register.items()} for name, register in state.fields.items()},
        "sets": {
            name: {key: {dot: _read(value) for dot, value in register.items()} for key, register in elements.items()}
            for name, elements in state.sets.items()
        },
    }
    sections = {"seen": state.seen, **values, "life": state.life, "counts": state.counts, "last": last}
    return header | {name: content for name, content in sections.items() if content}


def _read(value: Json) -> object:
    """What YAML 1.1 makes of a JSON value: 1e+16 is a string there, for want of a point."""
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, dict):
        return {key: _read(item) for key, item in value.items()}
    return value if not isinstance(value, float) or "." in repr(value) else repr(value)


def _same(a: object, b: object) -> bool:
    """Equal, and of the same types all through: Python takes True for 1."""
    return repr(_sorted(a)) == repr(_sorted(b))


def _sorted(tree: object) -> object:
    if isinstance(tree, list):
        return [_sorted(item) for item in tree]
    return {key: _sorted(tree[key]) for key in sorted(tree)} if isinstance(tree, dict) else tree


AWKWARD: list[Any] = [
    *("", " ", "yes", "null", "1", "1e3", "0x1f", "2026-11-20", "ENC[", "ENC[1-9f3a1c07,]", "'", '"', "\\", "#", ": ", "- a"),
    *(
        "a\nb",
        "a\r\nb",
        "\t",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\xa0",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\ufffe",
        "\uffff",
        "\ufdd0",
    ),
    *("\ud800", "\udfff\ud800", "😀", "\U0010ffff", "e\u0301", "\u202e", "x" * 5000, "word " * 3000),
    *(0, -1, 2**53 + 1, 10**4000, 0.1, -0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, True, False, None),
    *([], {}, [[], {}], {"": ""}, {"b": 1, "a": 2}, {"\ud800": 1, "é": 2}, {"1": {"2": [None]}}),
]


@pytest.mark.parametrize("value", AWKWARD, ids=lambda value: ascii(value)[:24])
def test_awkward_values_come_back(value: Json) -> None:
    """Values that text formats trip over, each on one line of the file."""
    pen = Pen(new_state(), "k3v9q2xa-1")
    pen.set("fix", lambda path, dot: value)
    data = emit(pen.state)
    assert json_line(*parse(data, WHERE).fields["fix"].values()) == json_line(value)
    assert data.count(b"\n") == 10
    assert not re.search(rb"[\0-\x09\x0b-\x1f\x7f]", data)


def test_halves_of_a_character_are_put_together() -> None:
    r"""A YAML reader makes two code points of "\ud83d\ude00", a JSON reader one: in the file it is one."""
    assert json_line("\ud83d\ude00") == json_line("😀") == '"😀"'
    assert json_line({"\ud83d\ude00": 1, "\uffff": 2}) == json_line({"😀": 1, "\uffff": 2})


def _nested(depth: int) -> Json:
    value: Json = "x"
    for n in range(depth):
        value = [value] if n % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [-float("inf")], 10**5000, _nested(65), _nested(2000)], ids=range(6)
)
def test_what_could_not_be_read_is_not_written(value: Json) -> None:
    """No value goes into a file that would be refused on the way out."""
    with pytest.raises(InvalidRecord):
        json_line(value)


def test_the_depth_that_is_written_is_read() -> None:
    """The limit is the same in both directions."""
    pen = Pen(new_state(), "k3v9q2xa-1")
    pen.set("fix", lambda path, dot: _nested(64))
    assert parse(emit(pen.state), WHERE) == pen.state


def test_a_mebibyte_is_written_and_read_and_not_a_byte_more() -> None:
    """The limit is the same in both directions, and the error says how large the file would be."""
    pen = Pen(new_state(), "k3v9q2xa-1")
    pen.set("fix", lambda path, dot: "")
    room = MAX_BYTES - len(emit(pen.state))
    pen = Pen(new_state(), "k3v9q2xa-1")
    pen.set("fix", lambda path, dot: "x" * room)
    data = emit(pen.state)
    assert len(data) == MAX_BYTES
    assert parse(data, WHERE) == pen.state
    pen = Pen(new_state(), "k3v9q2xa-1")
    pen.set("fix", lambda path, dot: "x" * (room + 1))
    with pytest.raises(InvalidRecord, match=r"would be 1,048,577 bytes; the limit is 1,048,576"):
        emit(pen.state)
