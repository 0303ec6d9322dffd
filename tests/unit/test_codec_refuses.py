"""Bad record files: each is refused with its line, in words a person can act on, and in bounded time."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.dots import Dot, spell
from gitmem.core.record import MAX_BYTES
from gitmem.errors import InvalidRecord

GOOD = b"""\
gitmem: 1
kind: pattern
schema: 1
scope: team
id: p-3k7q5w2m
seen:
  k3v9q2xa-1: 5
fields:
  fix:
    k3v9q2xa-1.1: ENC[1-9f3a1c07,AAAA]
  meaning:
    k3v9q2xa-1.2~f16a15af: "no upstream"
sets:
  tags:
    eaaaaaaa:
      k3v9q2xa-1.3: ENC[1-9f3a1c07,BBBB]
life:
  k3v9q2xa-1.4: alive
counts:
  fixed:
    k3v9q2xa-1: 45
last:
  used: 2026-11-20T10:00:00Z
"""
VALUE, DEEP, LONG = '"no upstream"', 10_000, "9" * 5_000


def refusal(data: bytes, where: str = "memory/x.yaml") -> tuple[int, str]:
    """Line and reason of the refusal."""
    with pytest.raises(InvalidRecord) as caught:
        parse(data, where)
    found = re.fullmatch(re.escape(where) + r":(\d+): (.*)", caught.value.message)
    assert found, caught.value.message
    assert caught.value.exit_code == 13
    assert caught.value.hint
    return int(found[1]), found[2]


def changed(old: str, new: str) -> bytes:
    """The good file with one place changed."""
    assert GOOD.count(old.encode()) == 1, old
    return GOOD.replace(old.encode(), new.encode("utf-8", "surrogatepass"))


def value(text: str) -> bytes:
    """The good file with another text where a value in the clear stands, on line 12."""
    return changed(VALUE, text)


def test_the_good_file_is_good() -> None:
    """What the others are made from."""
    assert emit(parse(GOOD, "x")) == GOOD


WHOLE_FILES = {
    "empty": (b"", 1, "cut off"),
    "blank": (b"\n", 1, "not a `key: value` line"),
    "text": (b"hello\n", 1, "not a `key: value` line"),
    "list": (b"- gitmem: 1\n", 1, "not a mapping"),
    "flow mapping": (b'{"gitmem": 1}\n', 1, "not a mapping"),
    "document marker": (b"---\n" + GOOD, 1, "not a `key: value` line"),
    "comment": (GOOD + b"# end\n", 24, "not a `key: value` line"),
    "trailing blank line": (GOOD + b"\n", 24, "not a `key: value` line"),
    "no newline at the end": (GOOD[:-1], 23, "cut off"),
    "cut in a line": (GOOD[: GOOD.index(b"meaning")], 11, "cut off"),
    "carriage returns": (GOOD.replace(b"\n", b"\r\n"), 1, "carriage return"),
    "one carriage return": (changed("alive", "alive\r"), 18, "carriage return"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 1, "byte order mark"),
    "UTF-16": (GOOD.decode().encode("utf-16"), 1, "NUL"),
    "NUL": (changed("alive", "ali\0ve"), 18, "NUL"),
    "not UTF-8": (GOOD.replace(b"alive", b"\xff"), 18, "not UTF-8"),
    "surrogate in UTF-8": (GOOD.replace(b"no upstream", b"\xed\xa0\x80"), 12, "not UTF-8"),
    "too large": (GOOD.ljust(MAX_BYTES + 1, b"\n"), 1, "at most 1,048,576"),
    "conflict": (changed("life:\n", "<<<<<<< HEAD\nlife:\n=======\n>>>>>>> theirs\n"), 17, "conflict markers"),
    "conflict, second half": (changed("life:\n", "=======\nlife:\n"), 17, "conflict markers"),
    "newer format": (b"gitmem: 2\nlinks: [1, 2]\n\tanything\n", 1, "format 2 is newer"),
    "format 0": (changed("gitmem: 1", "gitmem: 0"), 1, "'gitmem' must be 1"),
    "no format": (GOOD.removeprefix(b"gitmem: 1\n"), 1, "'gitmem' is missing"),
    "format in the middle": (changed("gitmem: 1\nkind: pattern\n", "kind: pattern\ngitmem: 2\n"), 2, "'gitmem' must be 1"),
    "terminal escape in the format": (changed("gitmem: 1", "gitmem: \x1b[31m1"), 1, "'gitmem' must be 1"),
    "missing header": (changed("scope: team\n", ""), 1, "'scope' is missing"),
    "order": (changed("kind: pattern\nschema: 1\n", "schema: 1\nkind: pattern\n"), 2, "canonical"),
    "order of entries": (changed("  fix:\n", "  zfix:\n"), 9, "canonical"),
    "order of sections": (
        GOOD.replace(b"life:\n  k3v9q2xa-1.4: alive\n", b"") + b"life:\n  k3v9q2xa-1.4: alive\n",
        17,
        "canonical",
    ),
}

LINES = {
    "anchor on a section": ("seen:", "seen: &a", 6, "anchors"),
    "anchor on a value": (VALUE, '&a "x: y"', 12, "anchors"),
    "anchor before a key": ("scope: team", "&a scope: team", 4, "anchors"),
    "alias as a value": (VALUE, "*a", 12, "anchors"),
    "alias as a key": ("scope: team", "*a : team", 4, "anchors"),
    "merge key": ("  fix:", "  <<: *a", 9, "anchors"),
    "tag": ("kind: pattern", "kind: !!str pattern", 2, "tags"),
    "tag that builds an object": (VALUE, "!!python/object/apply:os.system [ls]", 12, "tags"),
    "duplicate header": ("schema: 1\n", "schema: 1\nschema: 1\n", 4, "'schema' stands twice"),
    "duplicate section": ("life:\n", "seen:\n", 17, "'seen' stands twice"),
    "duplicate field": ("  meaning:\n", "  fix:\n", 11, "'fix' stands twice"),
    "duplicate dot": ("seen:\n  k3v9q2xa-1: 5\n", "seen:\n  k3v9q2xa-1: 5\n  k3v9q2xa-1: 6\n", 8, "'k3v9q2xa-1' stands twice"),
    "tab as indentation": ("  k3v9q2xa-1.4", "\tk3v9q2xa-1.4", 18, "a tab"),
    "tab after a colon": ("kind: pattern", "kind:\tpattern", 2, "a tab"),
    "odd indentation": ("  fix:", "   fix:", 9, "wrong indentation"),
    "indented too far": ("    k3v9q2xa-1.1", "      k3v9q2xa-1.1", 10, "wrong indentation"),
    "indented below a value": ("scope: team\n", "scope: team\n  x: 1\n", 5, "wrong indentation"),
    "two spaces after a colon": ("kind: pattern", "kind:  pattern", 2, "kind ' pattern' is not of the form"),
    "trailing space": ("life:", "life: ", 17, "not a `key: value` line"),
    "space before a colon": ("life:", "life :", 17, "not a `key: value` line"),
    "trailing comment": ("schema: 1", "schema: 1 # one", 3, "whole number"),
    "list in a section": ("  fix:", "  - fix:", 9, "a list where"),
    "block scalar": (VALUE, "|", 12, "neither sealed nor JSON"),
    "folded line": (VALUE, '"no\n      upstream"', 13, "not a `key: value` line"),
    "single quotes": (VALUE, "'no upstream'", 12, "neither sealed nor JSON"),
    "no quotes": (VALUE, "no upstream", 12, "neither sealed nor JSON"),
    "tab in a string": (VALUE, '"no\tupstream"', 12, "neither sealed nor JSON"),
    "cut token": (VALUE, "ENC[1-9f3a1c07,AA", 12, "neither sealed nor JSON"),
    "token with a check": (VALUE, "ENC[1-9f3a1c07,AAAA]", 12, "a sealed value carries no check"),
    "quoted token": ("ENC[1-9f3a1c07,AAAA]", '"ENC[1-9f3a1c07,AAAA]"', 10, "canonical"),
    "space in JSON": (VALUE, "[1, 2]", 12, "canonical"),
    "escape that is not needed": (VALUE, '"\\u0061"', 12, "canonical"),
    "escape in capitals": (VALUE, '"\\u001B"', 12, "canonical"),
    "escape that is missing": (VALUE, '"\x7f"', 12, "canonical"),
    "line separator": (VALUE, '"\u2028"', 12, "canonical"),
    "keys out of order": (VALUE, '{"b":1,"a":2}', 12, "canonical"),
    "key twice in a value": (VALUE, '{"a":1,"a":2}', 12, "canonical"),
    "float with a zero too many": (VALUE, "1.50", 12, "canonical"),
    "float in another notation": (VALUE, "1E5", 12, "canonical"),
    "float that is no float": (VALUE, "0.1000000000000000055511151231257827", 12, "canonical"),
    "negative zero": (VALUE, "-0", 12, "canonical"),
    "leading zero": (VALUE, "01", 12, "neither sealed nor JSON"),
    "NaN": (VALUE, "NaN", 12, "not finite"),
    "Infinity": (VALUE, "[-Infinity]", 12, "not finite"),
    "1e400": (VALUE, '{"a":1e400}', 12, "not finite"),
    "integer without end": (VALUE, LONG, 12, "too large"),
    "deep JSON lists": (VALUE, "[" * DEEP + "]" * DEEP, 12, "nested more than 64 deep"),
    "deep JSON objects": (VALUE, '{"a":' * DEEP + "1" + "}" * DEEP, 12, "nested more than 64 deep"),
    "deep JSON, unclosed": (VALUE, "[" * DEEP, 12, "nested more than 64 deep"),
    "JSON one level too deep": (VALUE, "[" * 65 + "]" * 65, 12, "nested more than 64 deep"),
    "unknown key": ("life:", "lief:", 17, "unknown key 'lief'; did you mean 'life'?"),
    "unknown key like none": ("life:", "zzz:", 17, "unknown key 'zzz'"),
    "misspelt header": ("schema: 1", "scheme: 1", 3, "unknown key 'scheme'; did you mean 'schema'?"),
    "capital in a section": ("counts:", "Counts:", 19, "unknown key 'Counts'; did you mean 'counts'?"),
    "kind is a mapping": ("kind: pattern", "kind:\n  a: 1", 2, "'kind' must be a word"),
    "id is a mapping": ("id: p-3k7q5w2m", "id:\n  a: 1", 5, "'id' must be a word"),
    "seen is a number": ("seen:\n  k3v9q2xa-1: 5", "seen: 5", 6, "'seen' must be a mapping"),
    "seen is empty": ("seen:\n  k3v9q2xa-1: 5", "seen:", 6, "'seen' must be a mapping with entries"),
    "seen is JSON": ("seen:\n  k3v9q2xa-1: 5", "seen: {}", 6, "'seen' must be a mapping"),
    "seen of a mapping": ("k3v9q2xa-1: 5", "k3v9q2xa-1:\n    x: 5", 7, "whole number"),
    "fields is a word": ("counts:\n  fixed:\n    k3v9q2xa-1: 45", "counts: none", 19, "'counts' must be a mapping"),
    "field is a value": ("  meaning:\n    k3v9q2xa-1.2~f16a15af: ", "  meaning: ", 11, "'meaning' must be a mapping"),
    "field is empty": (
        "  meaning:\n    k3v9q2xa-1.2~f16a15af: " + VALUE,
        "  meaning:",
        11,
        "'meaning' must be a mapping with entries",
    ),
    "value is a mapping": (
        "k3v9q2xa-1.1: ENC[1-9f3a1c07,AAAA]",
        "k3v9q2xa-1.1:\n      a: 1",
        10,
        "a value must stand on the line of its dot",
    ),
    "element without dots": ("    eaaaaaaa:\n      k3v9q2xa-1.3: ", "    eaaaaaaa: ", 15, "'eaaaaaaa' must be a mapping"),
    "element with a bad key": ("eaaaaaaa:", "e1:", 15, "'e1' is not the key of a set element"),
    "dot without a number": ("k3v9q2xa-1.1:", "k3v9q2xa-1:", 10, "'k3v9q2xa-1' is not a dot"),
    "dot number 0": ("k3v9q2xa-1.1:", "k3v9q2xa-1.0:", 10, "'k3v9q2xa-1.0' is not a dot"),
    "dot number 01": ("k3v9q2xa-1.1:", "k3v9q2xa-1.01:", 10, "'k3v9q2xa-1.01' is not a dot"),
    "dot number of 16 digits": ("k3v9q2xa-1.1:", "k3v9q2xa-1.1000000000000000:", 10, "is not a dot"),
    "short check": ("k3v9q2xa-1.2~f16a15af", "k3v9q2xa-1.2~f16a", 12, "is not a dot"),
    "hash without a twin": ("k3v9q2xa-1.1:", "k3v9q2xa-1.1#00000000:", 9, "not spelled canonically"),
    "wrong hash": (
        "k3v9q2xa-1.1: ENC[1-9f3a1c07,AAAA]\n",
        "k3v9q2xa-1.1: ENC[1-9f3a1c07,AAAA]\n    k3v9q2xa-1.1#00000000: ENC[1-9f3a1c07,BBBB]\n",
        9,
        "not spelled canonically",
    ),
    "life in another word": ("alive", "undead", 18, "'alive' or 'dead'"),
    "life in quotes": ("alive", '"alive"', 18, "'alive' or 'dead'"),
    "life with a check": ("k3v9q2xa-1.4", "k3v9q2xa-1.4~00000000", 18, "'alive' or 'dead'"),
    "life under a word": ("k3v9q2xa-1.4", "me", 18, "'alive' or 'dead'"),
    "life with a hash and no twin": ("k3v9q2xa-1.4", "k3v9q2xa-1.4#0453462f", 17, "not spelled canonically"),
    "life of a mapping": ("k3v9q2xa-1.4: alive", "k3v9q2xa-1.4:\n    x: alive", 18, "'alive' or 'dead'"),
    "counter below zero": ("k3v9q2xa-1: 45", "k3v9q2xa-1: -1", 21, "whole number"),
    "counter with a point": ("k3v9q2xa-1: 45", "k3v9q2xa-1: 4.5", 21, "whole number"),
    "counter with a zero in front": ("k3v9q2xa-1: 45", "k3v9q2xa-1: 045", 21, "whole number"),
    "counter of 16 digits": ("k3v9q2xa-1: 45", "k3v9q2xa-1: 1000000000000000", 21, "whole number"),
    "counter in other digits": ("k3v9q2xa-1: 45", "k3v9q2xa-1: \u0664\u0665", 21, "whole number"),
    "counter of nobody": ("  fixed:\n    k3v9q2xa-1: 45", "  fixed: 45", 20, "'fixed' must be a mapping"),
    "writer in capitals": ("k3v9q2xa-1: 45", "K3V9Q2XA-1: 45", 21, "'K3V9Q2XA-1' is not a writer"),
    "name in capitals": ("  fixed:", "  Fixed:", 20, "'Fixed' cannot be a name in 'counts'"),
    "schema is a word": ("schema: 1", "schema: one", 3, "whole number"),
    "time without a zone": ("10:00:00Z", "10:00:00", 23, "UTC times"),
    "time with an offset": ("10:00:00Z", "10:00:00+01:00", 23, "UTC times"),
    "time of no day": ("2026-11-20", "2026-02-29", 23, "UTC times"),
    "time of no hour": ("10:00:00Z", "24:00:00Z", 23, "UTC times"),
    "time in a mapping": ("used: 2026-11-20T10:00:00Z", "used:\n    x: 1", 23, "UTC times"),
    "write that seen does not cover": ("k3v9q2xa-1: 5", "k3v9q2xa-1: 3", 18, "'seen' does not cover the write k3v9q2xa-1.4"),
    "value that seen does not cover": ("k3v9q2xa-1.1:", "k3v9q2xa-1.6:", 10, "'seen' does not cover the write k3v9q2xa-1.6"),
    "element that seen does not cover": ("k3v9q2xa-1.3:", "m7d4ttzz-1.1:", 16, "'seen' does not cover the write m7d4ttzz-1.1"),
}

NAMES = {
    "id": [
        "..",
        "../x",
        "p-../../x",
        "/etc/passwd",
        "p-/x",
        "p-a/b",
        "p-",
        "-",
        "P-A",
        "p-A",
        "p-a.b",
        "p-a\\b",
        "p_a",
        "p-" + "a" * 65,
        '"p-a"',
    ],
    "kind": ["..", ".", "/etc", "a/b", "Pattern", "1kind", "-x", "a" * 33, "pättern", "null", "on", "y", "pattern\x1b[0m"],
    "scope": [
        "..",
        "team/..",
        "../team",
        "/etc",
        "team/",
        "a/b/c",
        "Team",
        "team/A",
        "~",
        "null",
        "yes",
        "off",
        "team/no",
        "a b",
        "n",
    ],
}


@pytest.mark.parametrize(("data", "line", "why"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_bad_files(data: bytes, line: int, why: str) -> None:
    """What is wrong with the file as a whole."""
    at, reason = refusal(data)
    assert why in reason
    assert at == line


@pytest.mark.parametrize(("old", "new", "line", "why"), LINES.values(), ids=LINES)
def test_bad_lines(old: str, new: str, line: int, why: str) -> None:
    """One place of a good file changed: the refusal names that line."""
    at, reason = refusal(changed(old, new))
    assert why in reason
    assert at == line
    assert reason.isprintable()
    assert len(reason) < 200


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, names in NAMES.items() for name in names])
def test_names_that_would_be_paths(key: str, name: str) -> None:
    """A kind, scope or id becomes a path: nothing that leaves its directory, or that a file system or YAML reads otherwise."""
    good = {"id": "id: p-3k7q5w2m", "kind": "kind: pattern", "scope": "scope: team"}[key]
    at, reason = refusal(changed(good, f"{key}: {name}"))
    assert at == {"kind": 2, "scope": 4, "id": 5}[key]
    assert reason.startswith(f"{key} ")
    assert reason.isprintable()


@pytest.mark.parametrize("scope", ["team", "ops-eu", "member/ada", "team_2", "x"])
def test_scopes_that_are_fine(scope: str) -> None:
    """One level below a scope is a member's own; none of it leaves the directory."""
    state = parse(changed("scope: team", f"scope: {scope}"), "x")
    assert ".." not in PurePosixPath(state.scope).parts


def test_ten_thousand_levels_of_indentation() -> None:
    """Refused at the first line that is too deep, without recursion."""
    deep = "".join(f"{'  ' * n}a:\n" for n in range(1000)).encode()
    assert refusal(deep[:MAX_BYTES])[0] == 5
    assert refusal(b"gitmem: 1\n" + b" " * 20_000 + b"a: 1\n") == (2, "wrong indentation")


HOSTILE = {
    "one line": b"a" * MAX_BYTES,
    "one key": b"a" * (MAX_BYTES - 3) + b":\n",
    "colons": b":" * MAX_BYTES,
    "spaces": b" " * (MAX_BYTES - 1) + b"\n",
    "newlines": b"\n" * MAX_BYTES,
    "many keys": b"".join(b"k%d: 1\n" % n for n in range(100_000))[: MAX_BYTES - 1] + b"\n",
    "quotes": GOOD[:-1].replace(VALUE.encode(), b'"\\"' * 300_000) + b"\n",
    "brackets": GOOD.replace(VALUE.encode(), b"[" * 1_000_000),
    "closed brackets": GOOD.replace(VALUE.encode(), b"[" * 500_000 + b"]" * 500_000),
    "empty lists": GOOD.replace(VALUE.encode(), b"[" + b"[], " * 250_000 + b"[]]"),
    "digits": GOOD.replace(VALUE.encode(), b"9" * 1_000_000),
    "digits after a point": GOOD.replace(VALUE.encode(), b"0." + b"9" * 1_000_000),
    "many numbers": GOOD.replace(VALUE.encode(), b"[" + b",".join([b"9" * 4_400] * 200) + b"]"),
    "escapes that grow": GOOD.replace(VALUE.encode(), b'"' + b"\xc2\x85" * 500_000 + b'"'),
    "many fields": GOOD.replace(b"sets:\n", b"".join(b"  z%d:\n    a-1.1: 1\n" % n for n in range(40_000)) + b"sets:\n"),
    "many dots": GOOD.replace(
        b"  meaning:\n", b"".join(b"    k3v9q2xa-1.1#%08x: 1\n" % n for n in range(30_000)) + b"  meaning:\n"
    ),
    "long token": GOOD.replace(b"AAAA]", b"A" * 1_000_000),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_mebibyte_of_malice_is_refused(data: bytes) -> None:
    """Each shape is refused as such; what took quadratic time would not end here."""
    assert len(data) <= MAX_BYTES
    refusal(data)


def test_twenty_thousand_values_under_one_dot_are_spelled_again_once() -> None:
    """They are canonical, so nothing refuses them; to spell them all again for each would not end here."""
    state = parse(GOOD, "x")
    values = [f"ENC[1-9f3a1c07,{number:08d}]" for number in range(20_000)]
    state.fields["fix"] = spell("fields/fix", Dot("k3v9q2xa-1", 1), values)
    assert parse(emit(state), "x") == state
