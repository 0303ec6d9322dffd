"""Masking: what two runs of one failure differ in becomes equal, what tells failures apart stays, and no text is slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.mask import clean, mask

MASKED = {
    "fetch https://example.org/a?b=c failed": "fetch <url> failed",
    "open /var/lib/x.db: denied": "open <path>: denied",
    r"open C:\Users\me\a.txt failed": "open <path> failed",
    "src/app/main.py:12:5: error: x": "<path>: error: x",
    "main.c:12: warning": "<path>: warning",
    "bind 127.0.0.1:8080 failed": "bind <host> failed",
    "ping fe80::1 and 2001:db8::8a2e:370:7334": "ping <host> and <host>",
    "host db-3.example.com:5432 is down": "host <host> is down",
    "mail root@example.org bounced": "mail <mail> bounced",
    "at 2026-11-20T10:00:00.123Z stopped": "at <time> stopped",
    "Nov 21 01:04:33 sshd": "<time> sshd",
    "[6:40:01 AM] start": "[<time>] start",
    "id 550e8400-e29b-41d4-a716-446655440000": "id <uuid>",
    "mac 00:1b:44:11:3a:b7": "mac <mac>",
    "commit deadbeef1 at 0x7ffe12": "commit <hex> at <hex>",
    "token A1b2C3d4E5f6G7h8J9k0L1": "token <id>",
    "retry 3 of 10 in 2.5s, 118.8kB": "retry <n> of <n> in <n>, <n>",
    "pathspec 'topic-1' did not match": "pathspec <q> did not match",
    'no module named "foo.bar"': "no module named <q>",
    "cannot make `a/b': no": "cannot make <q>: no",
    "attempt_1445_0020_m_000 failed": "attempt_<n>_<n>_m_<n> failed",
    "lodash@4.17.21 and python3.5": "lodash@<n> and python<n>",
}

KEPT = [
    "E11000 duplicate key",
    "ORA-01017: invalid username",
    "error TS2322: not assignable",
    "[Errno 13] Permission denied",
    "exit status 128",
    "HTTP 404",
    "status=500",
    "see 'git help push' for more",
    "utf8 is not a codec",
    "it doesn't work and can't",
    "fatal: refusing to merge unrelated histories",
]


@pytest.mark.parametrize(("text", "expected"), MASKED.items())
def test_volatile_parts_become_placeholders(text: str, expected: str) -> None:
    """Every placeholder is frozen: stored patterns are compared through it."""
    assert mask(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_tells_errors_apart_stays(text: str) -> None:
    """Error codes, numbers after a telling word, commands in quotes and apostrophes are not masked."""
    assert mask(text) == text


def test_terminal_escapes_and_control_characters_go() -> None:
    """Colours, titles, cursor moves, zero-width and direction characters are no part of an error."""
    assert (
        clean("\x1b[1;31merror\x1b[0m:\t\x1b]0;title\x07no\u200b \u202efile\x00\r\n\r\n  here\x9b2K") == "error: no file\nhere"
    )


def test_progress_bars_are_lines() -> None:
    """A carriage return starts a line over."""
    assert clean(" 10%\r 20%\rdone") == "10%\n20%\ndone"


@given(st.text(max_size=300) | st.text(alphabet="aA1/.:'\"`@-_<>[] \n\\=~$", max_size=200))
def test_masking_is_idempotent_in_words_and_keeps_lines(text: str) -> None:
    """Masking what is masked changes no line count, and no masked text is longer than its lines allow."""
    once = mask(text)
    assert once.count("\n") == clean(text).count("\n")
    assert mask(once).count("\n") == once.count("\n")


HOSTILE = [
    "a" * 1_000_000, "a-" * 500_000, "1." * 500_000, "/" * 1_000_000, "a/" * 500_000, "'" * 1_000_000, "'a " * 300_000,
    "\x1b[" * 500_000, "<" * 1_000_000, "::" * 500_000, "Jan " * 250_000, "error " * 200_000, "a@" * 500_000,
    " " * 1_000_000, '"a' * 500_000, "a." * 500_000, "errno[[" * 100_000, "'" + "a'b" * 300_000, "`a'a" * 250_000,
    "\x1b]0;" * 250_000, "0x" * 500_000, "2026-" * 200_000, "1:" * 500_000, "\r" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:6]))
def test_a_megabyte_of_anything_is_masked_in_linear_time(text: str) -> None:
    """Each shape is long enough that quadratic work would not end here."""
    mask(text)
