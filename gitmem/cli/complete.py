"""What the shell offers when a person presses Tab. Nothing here needs a key, and no mistake may disturb the typing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from gitmem.errors import GitmemError

if TYPE_CHECKING:
    import click

_OFFERED = 50
_PART_OF_AN_ID = re.compile(r"[a-z0-9-]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9_/-]*")


def _offered(names: Iterable[str], incomplete: str) -> Iterator[str]:
    """Those that begin so. Somebody may have pushed a file that is called `$(…)`, and a shell runs what it has completed."""
    return (name for name in names if name.startswith(incomplete) and _NAME.fullmatch(name))


def record_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's form
    """The ids that begin so."""
    from pathlib import Path

    from gitmem.store.layout import MEMORY
    from gitmem.store.place import find_root

    if not _PART_OF_AN_ID.fullmatch(incomplete):  # it might be a pattern, or lead elsewhere
        return []
    try:
        files = (find_root(Path()) / MEMORY).rglob(f"{incomplete}*.yaml")
        return [*islice(_offered((file.stem for file in files), incomplete), _OFFERED)]
    except (GitmemError, OSError, ValueError):
        return []


def scopes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The scopes that begin so."""
    from pathlib import Path

    from gitmem.memory.members.scopes import names_in
    from gitmem.store.place import find_root
    from gitmem.store.vault import keyed_scopes

    try:
        root = find_root(Path())
        return [*_offered(names_in(root, keyed_scopes(root)), incomplete)]
    except (GitmemError, OSError):
        return []


def members(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The members whose names begin so."""
    from pathlib import Path

    from gitmem.store.layout import MEMBERS
    from gitmem.store.place import find_root

    try:
        files = (find_root(Path()) / MEMBERS).glob("*.yaml")
        return sorted(_offered((file.stem for file in files), incomplete))
    except (GitmemError, OSError):
        return []


def kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The kinds that begin so."""
    from pathlib import Path

    from gitmem.store.kinds import Kinds
    from gitmem.store.place import find_root

    try:
        root = find_root(Path())
    except GitmemError:
        root = None
    return [*_offered(Kinds(root).names(), incomplete)]
