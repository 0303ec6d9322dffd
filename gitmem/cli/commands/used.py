"""`gitmem used`: did it help?"""

from __future__ import annotations

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError


@define(
    "used",
    examples=[
        ("gitmem used p-3k7q --fixed", "it worked"),
        ("gitmem used p-3k7q --failed", "it did not"),
        ("gitmem used p-3k7q --fixed --ms 1500", "it worked, and took a second and a half"),
    ],
    exits=WRITES,
)
@click.argument("id", shell_complete=record_ids)
@click.option("--fixed/--failed", default=None, help="Whether it solved the problem.")
@click.option("--ms", type=int, metavar="N", help="How long the fix took, in milliseconds.")
@pass_ui
def command(ui: Ui, id: str, fixed: bool | None, ms: int | None) -> None:  # noqa: A002 - the name in the help
    """Count one try of a record: whether it fixed the problem.

    What worked most often is what `gitmem match` offers first, to everybody in the team. ID is a record's id or any unique
    beginning of it.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.locate import locate
    from gitmem.store.layout import id_at

    if fixed is None:
        raise UsageError("did it fix the problem?", f"`gitmem used {id} --fixed` or `gitmem used {id} --failed`")
    with opened(ui) as memory:
        memory.used(id, fixed=fixed, ms=ms)
        full = id_at(locate(memory.context, id))
    if ui.json:
        ui.data({"id": full, "fixed": fixed, "ms": ms})
    else:
        ui.note(f"noted: {full} {'fixed it' if fixed else 'did not help'}; `gitmem sync` tells the team")
