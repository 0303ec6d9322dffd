"""Tables as a terminal shows them. The only place that imports rich, which takes longer than most commands."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gitmem.cli.text import one_line


def draw(names: Sequence[str], rows: Iterable[Sequence[Any]], *, colour: bool) -> None:
    """Draw a table as wide as the terminal; the last column is cut where they do not fit, the others never."""
    cells = [[one_line("" if cell is None else cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold" if colour else "")
    for number, name in enumerate(names):
        last = number == len(names) - 1
        least = None if last else max([cell_len(name), *(cell_len(row[number]) for row in cells)])
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=least)
    for row in cells:
        table.add_row(*map(Text, row))
    width = shutil.get_terminal_size().columns
    Console(file=sys.stdout, width=width, force_terminal=True, highlight=False, markup=False, no_color=not colour).print(table)
