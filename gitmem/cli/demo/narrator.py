"""What the demo writes: commands as they are typed, their output, and each claim with whether it holds."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Iterable
from typing import Final, TextIO

from gitmem.cli.text import safe_text

WIDTH: Final = 108
_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}
_MOST_LINES: Final = 12


class Narrator:
    """Writes to `out`, in colour on a terminal only, and keeps count of what was claimed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._yes, self._no, self._bar = ("✓", "✗", "│") if _can_write(out, "✓✗│") else ("ok", "NO", "|")
        self._began = time.monotonic()
        self._acts = 0
        self.claims: list[dict[str, str | bool]] = []

    def title(self, text: str) -> None:
        """Open the demo."""
        self._line(self._styled(text, "bold"))

    def act(self, text: str) -> None:
        """Open the next act."""
        self._acts += 1
        self._line()
        self._line(self._styled(f"{self._acts}. {text}", "bold"))

    def say(self, text: str) -> None:
        """Tell what is going on."""
        self._line()
        for line in textwrap.wrap(text, WIDTH - 3):
            self._line(f"   {line}")

    def typed(self, who: str, command: str) -> None:
        """Show a command that a member runs."""
        prompt = self._styled(f"{who:>5} $", "cyan")
        self._line(f"   {prompt} {self._styled(safe_text(command), 'bold')}")

    def printed(self, text: str, most: int = _MOST_LINES) -> None:
        """Show what a command printed, cut to `most` lines and to the width of the page."""
        lines = [line.rstrip() for line in safe_text(text).expandtabs(4).splitlines() if line.strip()]
        for line in lines[:most]:
            cut = line if len(line) <= WIDTH - 12 else line[: WIDTH - 13] + "…"
            self._line(f"         {self._styled(f'{self._bar} {cut}', 'dim')}")
        if len(lines) > most:
            self._line(f"         {self._styled(f'{self._bar} … {len(lines) - most} more lines', 'dim')}")

    def table(self, rows: Iterable[tuple[str, ...]]) -> None:
        """Show rows with their columns aligned."""
        rows = list(rows)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            self._line("         " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def claim(self, text: str, holds: bool, seen: object = "") -> None:
        """Say whether a claim holds; `seen` is what was found instead if it does not."""
        self.claims.append({"claim": text, "holds": holds})
        mark = self._styled(self._yes, "green") if holds else self._styled(self._no, "red")
        self._line(f"         {mark} {text}" + (f" (found: {safe_text(seen)[:300]})" if seen != "" and not holds else ""))

    @property
    def broken(self) -> list[str]:
        """The claims that do not hold."""
        return [str(made["claim"]) for made in self.claims if not made["holds"]]

    def summary(self, failures: int, kept: str | None) -> None:
        """Close the demo: how many claims hold, which do not, and where everything lies if it was `kept`."""
        seconds = time.monotonic() - self._began
        broken = self.broken
        held = f"{len(self.claims) - len(broken)} of {len(self.claims)} claims hold"
        verdict = self._styled(held, "red" if broken else "green", "bold")
        self._line()
        self._line(f"{verdict}; {failures} commands failed on purpose; {seconds:.1f} s")
        for text in broken:
            self._line(f"  {self._styled(self._no, 'red')} {text}")
        if kept:
            self._line(f"kept: {kept}")
            self._line(f"  HOME={kept}/grace gitmem -C {kept}/grace/memory list")

    def _line(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def _styled(self, text: str, *styles: str) -> str:
        if not self._colour:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"


def _can_write(out: TextIO, text: str) -> bool:
    try:
        text.encode(out.encoding or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
