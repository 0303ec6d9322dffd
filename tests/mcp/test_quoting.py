"""What record content looks like once it has been made safe for a model's context."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitmem.mcp.quoting import bounded, line, visible


def test_what_steers_or_hides_is_spelled_out() -> None:
    """Escapes, bidirectional controls, Unicode tags and bare carriage returns show; letters, emoji and line ends stay."""
    assert visible("\x1b[2Jgone\x07") == "\\x1b[2Jgone\\x07"
    assert visible("rm \u202egnp.exe") == "rm \\u202egnp.exe"
    assert visible("hi\U000e0041\U000e0042") == "hi\\U000e0041\\U000e0042"
    assert visible("safe\roverwritten") == "safe\\x0doverwritten"
    assert visible("\u0645\u06cc\u200c\u062e 👩\u200d💻\tüber\r\nzwei\n") == "\u0645\u06cc\u200c\u062e 👩\u200d💻\tüber\nzwei\n"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_line_is_one_line_of_at_most_its_length(text: str, limit: int) -> None:
    """Whatever the text, a row stays a row, and a cut shows."""
    shown = line(text, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    assert shown.endswith("…") or shown == visible(" ".join(text.split()))


def test_a_cut_tells_how_much_it_took() -> None:
    """Long texts are cut at any depth, and only those."""
    value = {"fix": "x" * 130, "commands": ["short", "y" * 101], "n": 3}
    assert bounded(value, 100) == {
        "fix": "x" * 100 + "… [30 more characters]",
        "commands": ["short", "y" * 100 + "… [1 more characters]"],
        "n": 3,
    }
