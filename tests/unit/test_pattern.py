"""Patterns: what literal text, wildcards and regular expressions match, and that none can harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.literals import required_text
from gitmem.core.recall.pattern import Pattern, parse
from gitmem.core.recall.reading import read
from gitmem.core.recall.terms import words
from gitmem.errors import InvalidRecord

MATCHES = [
    ("No such file", "cat: x: No such file or directory"),
    ("no SUCH file", "cat: x: No such file or directory"),
    ("error: pathspec 'a' did not match", "error: pathspec 'zz' did not match any"),
    ("cannot open /etc/passwd", "ls: cannot open /var/lib/x: denied"),
    ("listen on port 8080 failed", "listen on port 3000 failed"),
    ("127.0.0.1:80", "bind 127.0.0.1:80"),
    ("line one\nline two", "zz line one\n\n   line two zz"),
    ("fatal: <*> has no upstream", "fatal: The branch x has no upstream branch"),
    ("open <*> failed with <*>", "open /a b/c failed with EPERM"),
    ("cannot open /etc/<*>/x: denied", "cannot open /etc/foo/x: denied"),
    ("cannot open /etc/<*>/x: denied", "cannot open /var/foo/x: denied"),
    ("begin\n<*>\nend", "begin\n1\n2\n3\nend"),
    ("begin\n<*>\nend", "begin\nend"),
    ("cannot open <path>: denied", "cannot open /a/b: denied"),
    (r"/EADDR(INUSE|NOTAVAIL) \d+/", "listen EADDRINUSE 80"),
    ("/^foo$/", "a\nfoo\nb"),
    ("/(?i)timeout/", "Gateway Timeout"),
]

MISSES = [
    ("cat", "category"),
    ("127.0.0.1:80", "10.0.0.1:22"),  # nothing but a volatile part: only itself
    ("line one\nline two", "line two\nline one"),
    ("fatal: <*> has no upstream", "fatal:\nhas no upstream"),
    ("begin\n<*>\nend", "end\nbegin"),
    ("/^foo$/", "afoo"),
    ("/Timeout/", "timeout"),
]


@pytest.mark.parametrize(("pattern", "text"), MATCHES)
def test_a_pattern_matches(pattern: str, text: str) -> None:
    """As written or, for literal text and wildcards, with volatile parts masked on both sides."""
    assert parse(pattern).match(text)


@pytest.mark.parametrize(("pattern", "text"), MISSES)
def test_a_pattern_does_not_match(pattern: str, text: str) -> None:
    """No word is cut in two, lines keep their order, and a wildcard stays within its line."""
    assert not parse(pattern).match(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a b", "literal"),
        ("a <*> b", "wildcard"),
        ("/a+b/", "regex"),
        ("/a\nb/", "literal"),
        ("//", "literal"),
        ("a/", "literal"),
    ],
)
def test_the_kind_shows_in_the_text(text: str, kind: str) -> None:
    """One line between slashes is a regular expression."""
    assert parse(text).kind == kind


REFUSED = {
    "": "empty",
    " \n ": "empty",
    "/(/": "not valid",
    "/[/": "not valid",
    "/a**b/": "not valid",
    "/.*/": "matches everything",
    "/a*/": "matches everything",
    "/(x|)/": "matches everything",
    f"/{'a' * 2000}/": "more than",
    "/(a{100}){100}/": "repeats",
    "/(a{,100}){2,100}/": "repeats",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_a_useless_pattern_is_refused_with_a_reason(text: str, reason: str) -> None:
    """So that `learn` says what is wrong, instead of a record that can never match."""
    with pytest.raises(InvalidRecord, match=reason) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["/(a+)+$b/", "/(a|aa)+$/", "/^(([a-z])+.)+[A-Z]([a-z])+$/", r"/(.*)*\d{9}x/"])
def test_a_hostile_expression_is_cut_off(text: str) -> None:
    """Expressions come from a shared repository: each gets a twentieth of a second, where it would never end."""
    query = read("a" * 5000 + "!")
    assert parse(text).find(query) is None


def test_an_unusable_expression_from_elsewhere_is_an_error_and_no_crash() -> None:
    """A Pattern made without `parse` still refuses when it is checked."""
    with pytest.raises(InvalidRecord):
        Pattern("(", "regex").check()


def test_what_was_found_and_where() -> None:
    """The region is whole lines, which tells how much of them the pattern accounts for."""
    found = parse("is not permitted").find(read("one\nmount: /x is not permitted here\nthree"))
    assert found
    assert found.part == "is not permitted"
    assert found.region == "mount: <path> is not permitted here"
    assert found.exact
    masked = parse("port 1 is taken").find(read("port 2 is taken"))
    assert masked
    assert not masked.exact


REQUIRED = {
    "connection refused by host": "refused by",  # the outer words may be parts of longer ones
    r"^fatal: (a|b) no upstream branch$": "fatal no upstream branch",
    "foo|bar": "",
    r"\berror E\d+\b in module": "error in",
    "a b c? d": "b",
    "x{2,3} foo bar baz": "foo bar",
    "[abc] lock held by": "lock held",
    r"git\.push\(x\) failed now ok": "push x failed now",
    "timeout": "",
    r"\x41 foo bar": "foo",
    r"\p{L} foo bar": "foo",
    "(?:foo){e<=1} bar baz": "bar",
    "(?x) foo bar baz": "",
    "(a b c)": "",
    r"\Qa b c": "b",
}


@pytest.mark.parametrize(("expression", "expected"), REQUIRED.items())
def test_required_words_are_certain(expression: str, expected: str) -> None:
    """Only words whose both ends the expression fixes count; alternatives and optional parts do not."""
    assert required_text(expression) == expected


_BITS = st.sampled_from(
    ["foo", "bar", " ", "x", r"\d", r"\b", ".", "(ab)", "[cd]", "e?", "f+", "(g|h)?", "i{0}", r"\.", "^", "$", r"\s"]
)


@given(st.lists(_BITS, max_size=8).map("".join), st.text(alphabet="foobarx cdefghi1.\n", max_size=60))
def test_a_match_holds_every_required_word(expression: str, text: str) -> None:
    """Looking candidates up by their words misses no expression that would match."""
    pattern = Pattern(expression, "regex")
    if pattern.match(text):
        assert set(pattern.words()) <= set(words(text))


@given(st.text(alphabet="ab1/'. \n<*>", max_size=40), st.text(alphabet="ab1/'. \n", max_size=40))
def test_a_literal_match_holds_every_required_word(pattern: str, text: str) -> None:
    """The same for literal text and wildcards, in the words of the text as it is and masked."""
    if pattern.strip() and not (pattern.strip()[0] == pattern.strip()[-1] == "/"):
        parsed = parse(pattern)
        query = read(text)
        if parsed.find(query):
            assert set(parsed.words()) <= {*words(query.plain), *words(query.masked)}
