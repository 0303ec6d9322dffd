"""`gitmem learn --batch`: line by line, all or the good ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Seat

GOOD = '{"pattern": "disk full on <*>", "fix": "free some", "tags": ["disk"]}'
OTHER = '{"kind": "note", "fields": {"text": "remember"}, "tags": ["n"], "scope": "team"}'


def test_lines_in_order(ada: Seat) -> None:
    """One document a line, in the order of the input, flat and with an envelope; blank lines do not count; it is committed."""
    head = ada.head()
    done = ada("learn", "--batch", "-", "--json", input=f"{GOOD}\n\n{OTHER}\n{GOOD}").ok()
    assert [list(line) for line in done.json_lines] == [["id", "kind", "created", "redacted"]] * 3
    assert [(line["kind"], line["created"]) for line in done.json_lines] == [
        ("pattern", True),
        ("note", True),
        ("pattern", False),
    ]
    assert done.json_lines[0]["id"] == done.json_lines[2]["id"]
    assert ada.head() != head
    assert ada("status", "--json").ok().json["pending"] == 0


def test_in_a_pipe_and_for_a_person(ada: Seat, tmp_path: Path) -> None:
    """Columns in a pipe, a sum on a terminal."""
    file = tmp_path / "lessons.jsonl"
    file.write_text(f"{GOOD}\n{OTHER}\n")
    lines = [line.split("\t") for line in ada("learn", "--batch", file).ok().out.splitlines()]
    assert [line[1:] for line in lines] == [["pattern", "created"], ["note", "created"]]
    drawn = ada.terminal("learn", "--batch", file)
    assert drawn.text.strip() == "recorded 2 lines: 1 new, 1 known before"


BAD = [
    ("{", "the line is not JSON"),
    ("[1]", "the line is not a JSON object"),
    ('{"pattern": "x", "fixx": "y"}', "unknown field 'fixx' of a pattern; did you mean 'fix'?"),
    ('{"fix": "y"}', "a pattern needs 'pattern'"),
    ('{"pattern": 3}', "'pattern' of a pattern must be text, not a whole number"),
    ('{"kind": "patern", "pattern": "x"}', "there is no kind 'patern'; did you mean 'pattern'?"),
    ('{"kind": 1, "pattern": "x"}', "'kind' must be text"),
    ('{"pattern": "x", "tags": "git"}', "'tags' must be a list"),
    ('{"pattern": "x", "scope": "../etc"}', "scope '../etc' is not of the form"),
    ('{"kind": "../pattern", "pattern": "x"}', "kind '../pattern' is not of the form"),
    ('{"pattern": "x", "pattern": "y"}', "a name stands twice"),
    ('{"pattern": "x", "effectiveness": NaN}', "NaN is no number"),
    ('{"pattern": "/(/"}', "the regular expression /(/ is not valid"),
    ('{"a":' * 20000, "the line is nested too deeply"),
    (b"\xff\xfe", "the line is not UTF-8"),
    ('{"pattern": "\\ud800"}', "'pattern' of a pattern holds half of a surrogate pair"),
]


def test_bad_lines_refuse_all(ada: Seat) -> None:
    """Each bad line is named by number and reason, and nothing at all is recorded."""
    lines = [line if isinstance(line, bytes) else line.encode() for line, _ in BAD]
    head = ada.head()
    done = ada("learn", "--batch", "-", "--json", input=b"\n".join([GOOD.encode(), *lines])).expect(13)
    assert [list(line) for line in done.json_lines] == [["line", "error"]] * len(BAD)
    for number, (answer, (_, why)) in enumerate(zip(done.json_lines, BAD, strict=True), 2):
        assert answer["line"] == number
        assert why in answer["error"]
    assert done.error["error"] == f"{len(BAD)} of {len(BAD) + 1} lines were refused; nothing was recorded"
    assert "--keep-going" in done.error["hint"]
    assert ada("list").ok().out == ""
    assert ada.head() == head


def test_keep_going(ada: Seat) -> None:
    """With --keep-going the good ones are recorded and committed, the bad ones reported, and the exit code is 13."""
    head = ada.head()
    done = ada("learn", "--batch", "-", "--keep-going", "--json", input=f"{GOOD}\n{{\n{OTHER}\n").expect(13)
    assert [line.get("kind", line.get("line")) for line in done.json_lines] == ["pattern", 2, "note"]
    assert done.error["error"] == "1 of 3 lines was refused; the others are recorded"
    assert len(ada("list").ok().out.splitlines()) == 2
    assert ada.head() != head
    shown = ada("learn", "--batch", "-", "--keep-going", input="{\n").expect(13)
    assert shown.err.startswith("warning: line 1: the line is not JSON")


def test_defaults_for_lines(ada: Seat) -> None:
    """--kind and --scope are for lines that say nothing."""
    done = ada(
        "learn", "--batch", "-", "--kind", "note", "--json", input=f'{{"text": "a"}}\n{GOOD[:-1]}, "kind": "pattern"}}\n'
    ).ok()
    assert [line["kind"] for line in done.json_lines] == ["note", "pattern"]


def test_a_line_without_end(ada: Seat) -> None:
    """A line that is too long is refused and the next one read; nothing that long is held in memory."""
    endless = b'{"pattern": "' + b"x" * 9_000_000 + b'"}\n'
    done = ada("learn", "--batch", "-", "--keep-going", "--json", input=endless + GOOD.encode()).expect(13)
    assert done.json_lines[0] == {"line": 1, "error": "the line has more than 4,194,304 bytes"}
    assert done.json_lines[1]["created"] is True


def test_a_file_that_is_not_there(ada: Seat) -> None:
    """One error, exit code 1."""
    assert ada("learn", "--batch", "nosuch.jsonl").expect(1).err.startswith("error: cannot read nosuch.jsonl: no such file")


@pytest.mark.parametrize("count", [1200])
def test_many(ada: Seat, count: int) -> None:
    """More than one portion: every line is answered, the commit holds all."""
    lines = "".join(json.dumps({"pattern": f"error {n}", "fix": str(n)}) + "\n" for n in range(count))
    done = ada("learn", "--batch", "-", "--json", input=lines).ok()
    assert len({line["id"] for line in done.json_lines}) == count
    assert ada("status", "--json").ok().json["records"] == count
