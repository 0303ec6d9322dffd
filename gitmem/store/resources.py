"""Where the files shipped with the package lie."""

from __future__ import annotations

from pathlib import Path


def resource_dir(name: str) -> Path:
    """The shipped directory `name` (`schemas`, `hooks`): inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
