"""A record that does not fit its kind is refused by field and reason, without a word of what it holds."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import InvalidRecord
from gitmem.store.kinds import Kinds

KINDS = Kinds()
SECRET = "hunter2"


def refusal(kind: str, values: Any) -> InvalidRecord:
    """The error for values that must be refused."""
    with pytest.raises(InvalidRecord) as caught:
        KINDS.get(kind).validate(values)
    return caught.value


UNKNOWN = [
    ("pattern", {"patern": SECRET}, "unknown field 'patern' of a pattern; did you mean 'pattern'?"),
    ("pattern", {"pattern": "x", "Fix": SECRET}, "unknown field 'Fix' of a pattern; did you mean 'fix'?"),
    ("pattern", {"pattern": "x", "zzz": SECRET}, "unknown field 'zzz' of a pattern"),
    (
        "solution",
        {"problem": {"mesage": SECRET}},
        "unknown field 'mesage' of 'problem' of a solution; did you mean 'message'?",
    ),
    (
        "solution",
        {"message": SECRET},
        "unknown field 'message' of a solution; did you mean 'message' inside 'problem'?",
    ),
    (
        "solution",
        {"problem.message": SECRET},
        "unknown field 'problem.message' of a solution; did you mean 'message' inside 'problem'?",
    ),
    (
        "pattern",
        {"pattern": "x", "files": [{"path": "a"}, {"pth": SECRET}]},
        "unknown field 'pth' of entry 2 of 'files' of a pattern; did you mean 'path'?",
    ),
    (
        "runbook",
        {"title": "x", "steps": [{"do": "a", "comand": SECRET}]},
        "unknown field 'comand' of entry 1 of 'steps' of a runbook; did you mean 'command'?",
    ),
]


@pytest.mark.parametrize(("kind", "values", "message"), UNKNOWN, ids=lambda v: v if isinstance(v, str) else "")
def test_a_misspelt_key_is_named_with_the_nearest(kind: str, values: Any, message: str) -> None:
    """Unknown keys are refused on every level; the suggestion knows members of groups as well."""
    error = refusal(kind, values)
    assert error.message == message
    assert error.exit_code == 13
    assert "gitmem learn --help" in error.hint


FAULTS = [
    ("pattern", {}, "a pattern needs 'pattern'"),
    ("environment", {}, "an environment needs 'name'"),
    ("pattern", [], "a pattern must be a mapping of names to values, not a list"),
    ("pattern", None, "a pattern must be a mapping of names to values, not null"),
    ("pattern", {"pattern": 7}, "'pattern' of a pattern must be text, not a whole number"),
    ("pattern", {"pattern": " \t"}, "'pattern' of a pattern must not be blank"),
    ("pattern", {"pattern": "x" * 200_001}, "'pattern' of a pattern must have at most 200,000 characters"),
    ("pattern", {"pattern": "x", "fix": None}, "'fix' of a pattern must be text, not null"),
    ("pattern", {"pattern": "x", "commands": 4}, "'commands' of a pattern must be text or a list, not a whole number"),
    (
        "pattern",
        {"pattern": "x", "commands": ["a", True]},
        "entry 2 of 'commands' of a pattern must be text, not true or false",
    ),
    ("pattern", {"pattern": "x", "tags": SECRET}, "'tags' of a pattern must be a list, not text"),
    ("pattern", {"pattern": "x", "tags": [""]}, "entry 1 of 'tags' of a pattern must not be blank"),
    (
        "pattern",
        {"pattern": "x", "context": {SECRET: []}},
        "a value in 'context' of a pattern must be text or a number or true or false or null, not a list",
    ),
    ("pattern", {"pattern": "x", "files": [{}]}, "entry 1 of 'files' of a pattern needs 'path'"),
    (
        "pattern",
        {"pattern": "x", "files": [{"path": "../" + SECRET}]},
        "'path' of entry 1 of 'files' of a pattern does not fit its description: "
        "Path of the file from the top of its repository, without ..",
    ),
    ("solution", {"problem": SECRET}, "'problem' of a solution must be a mapping of names to values, not text"),
    ("solution", {"problem": {}}, "'problem' of a solution must not be empty"),
    ("solution", {"problem": {"message": 1}}, "'problem.message' of a solution must be text, not a whole number"),
    ("solution", {"problem": {"message": "x"}, "effectiveness": 2}, "'effectiveness' of a solution must be at most 1"),
    ("decision", {"question": "x", "chosen_option": "y", "would_repeat": "z"}, "'would_repeat' of a decision must be "),
    ("note", {"text": "x", "type": SECRET}, "'type' of a note must be one of: episodic, semantic, procedural"),
    ("note", {"text": "x", "valence": -2}, "'valence' of a note must be at least -1"),
    ("context", {"key": "x", "value": 1, "expires": SECRET}, "'expires' of a context does not fit its description: When"),
    ("runbook", {"title": "x", "steps": []}, "'steps' of a runbook must not be empty"),
]


@pytest.mark.parametrize(("kind", "values", "message"), FAULTS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_fault_is_told_in_plain_words(kind: str, values: Any, message: str) -> None:
    """Types, limits and missing fields are named as a person would say them."""
    error = refusal(kind, values)
    assert error.message.startswith(message)
    assert len(error.message) < 300


UNSTORABLE = [
    (datetime.date(2026, 11, 20), "is of type date, which JSON does not have: write it as text"),
    (b"x", "is of type bytes, which JSON does not have: write it as text"),
    (("a",), "is of type tuple, which JSON does not have: write it as text"),
    (math.nan, "must be a finite number"),
    (math.inf, "must be a finite number"),
    (1 << 63, "is too large a number"),
    ("\ud800", "is not valid Unicode"),
    ({1: "x"}, "has a key that is not text: put it in quotes"),
    ({"\udfff": "x"}, "has a key that is not valid Unicode"),
]


@pytest.mark.parametrize(("value", "why"), UNSTORABLE, ids=lambda v: v if isinstance(v, str) else "")
def test_what_json_cannot_hold_is_refused(value: Any, why: str) -> None:
    """What no file could keep is refused before the schema is asked, also deep inside."""
    error = refusal("pattern", {"pattern": "x", "context": {"a": [value]}})
    assert error.message.endswith(why)
    assert error.message.startswith("a value in 'context' of a pattern") or "of a value in" in error.message


def test_endless_nesting_is_refused() -> None:
    """A value that holds itself is an error, not a hang or a crash."""
    loop: list[Any] = []
    loop.append(loop)
    assert refusal("pattern", {"pattern": "x", "context": loop}).message.endswith("nested more than 32 levels deep")


def test_control_characters_in_a_key_do_not_reach_the_terminal() -> None:
    """An unknown key is shown cut and without what a terminal would obey."""
    error = refusal("pattern", {"pattern": "x", "\x1b[2J" + "k" * 500: 1})
    assert error.message == "unknown field '?[2J" + "k" * 36 + "…' of a pattern"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just(SECRET), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(KINDS.names()), st.data())
def test_no_value_is_ever_repeated(name: str, data: st.DataObject) -> None:
    """Whatever is wrong with it, an error or its cause shows nothing of what a declared field holds."""
    kind = KINDS.get(name)
    values = data.draw(st.dictionaries(st.sampled_from(sorted(kind.schema["properties"])), json_values, max_size=5))
    try:
        kind.validate(values)
    except InvalidRecord as refused:
        error = refused
    else:
        return
    assert "unknown field" in error.message or SECRET not in error.message + error.hint
    assert (error.__cause__, error.__context__) == (None, None)


LENIENT = [
    ("pattern", {"pattern": "x", "commands": "ls", "context": "in CI", "fix": ""}),
    ("pattern", {"pattern": "x", "commands": ["ls", "cd"], "context": {"tool": "git", "version": 2.39}}),
    ("solution", {"problem": {"error_type": "E1"}, "effectiveness": "mostly", "prevention": "care"}),
    ("solution", {"problem": {"message": "x"}, "effectiveness": 0.5, "prevention": [{"check": "lint"}]}),
    ("decision", {"question": "x", "chosen_option": "y", "alternatives": "z", "would_repeat": None}),
    ("decision", {"question": "x", "chosen_option": "y", "alternatives": [{"name": "z", "cons": ["slow"]}]}),
    ("runbook", {"title": "x", "steps": "just do it"}),
    ("context", {"key": "x", "value": [1, "two", None], "expires": "2026-11-20"}),
    ("environment", {"name": "x", "tools": ["git", "make"]}),
]


@pytest.mark.parametrize(("kind", "values"), LENIENT, ids=lambda v: v if isinstance(v, str) else "")
def test_what_people_would_expect_to_work_works(kind: str, values: Any) -> None:
    """One or many, text or names with values: a field takes the shape that comes to mind."""
    KINDS.get(kind).validate(values)


def test_reading_needs_no_validator() -> None:
    """Splitting, joining and weights never import the validation library, which costs more than a cold start."""
    code = (
        "import sys; from gitmem.store.kinds import Kinds; k = Kinds().get('pattern');"
        "k.identity({'pattern': 'x'}); k.weights(); k.join(*k.split({'pattern': 'x', 'tags': ['a']}));"
        "sys.exit(any(m in sys.modules for m in ('jsonschema_rs', 'difflib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
