"""The exit codes and what they mean: part of the promise, the same in every command."""

from __future__ import annotations

from typing import Final

MEANINGS: Final = {
    0: "done; an empty answer, too",
    1: "failed",
    2: "wrong usage: a word, an option or a value that the command does not take",
    3: "done, and concurrent values wait for a person: `gitmem conflicts`",
    10: "no store here, or no usable git",
    11: "another process holds the store's lock",
    12: "no key that opens the store",
    13: "an invalid record, or input that cannot become one",
    14: "the remote cannot be reached, or refused",
    15: "tampering was found",
    70: "a bug in gitmem",
    130: "interrupted with Ctrl-C",
}

READS: Final = (10, 12)
"""What any command that reads the store may end with."""
WRITES: Final = (10, 11, 12, 13)
"""What any command that writes to the store may end with."""


def exit_codes(own: tuple[int, ...]) -> list[tuple[str, str]]:
    """The rows of an `Exit status` section: those of every command, and a command's own."""
    return [(str(code), MEANINGS[code]) for code in sorted({0, 1, 2, *own, 130})]
