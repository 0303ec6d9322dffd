"""Tables as a terminal shows them. The only place that imports rich, which takes longer than most commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gitmem.cli.text import one_line


def draw(names: Sequence[str], rows: Iterable[Sequence[Any]], *, colour: bool) -> str:
    """A table as wide as the terminal; the last column is cut where they do not fit, the others never."""
    cells = [[one_line("" if cell is None else cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, expand=True, header_style="bold" if colour else "")
    for number, name in enumerate(names):
        last = number == len(names) - 1
        width = None if last else max([cell_len(name), *(cell_len(row[number]) for row in cells)])
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width, ratio=1 if last else None)
    for row in cells:
        table.add_row(*map(Text, row))
    screen = shutil.get_terminal_size().columns
    console = Console(width=screen, force_terminal=True, highlight=False, markup=False, no_color=not colour)
    with console.capture() as drawn:
        console.print(table)
    return drawn.get()
