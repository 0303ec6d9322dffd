"""The lines in .gitattributes that tell git how to treat the store's files.

They stand in the store's own tree, which is stronger than what a user's `core.attributesFile` says of `*` or `*.yaml`. Stronger
still is the clone's `info/attributes`; what it does is found by asking git.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from gitmem.git.repo import Repo

_AS_IT_IS: Final = "-text -ident -filter !working-tree-encoding"  # no line end, keyword, filter or encoding changes a byte

LINES: Final = (
    f"memory/** {_AS_IT_IS} merge=gitmem diff=gitmem",
    f".gitmem/config.yaml {_AS_IT_IS} merge=gitmem",
    f".gitmem/members/* {_AS_IT_IS} merge=gitmem",
    f".gitmem/collected/* {_AS_IT_IS} merge=gitmem",
    f".gitmem/keys/** {_AS_IT_IS} -merge",
    f".gitmem/schemas/** {_AS_IT_IS} -merge",
    f"log/** {_AS_IT_IS} -merge",
)

_JOINED: Final = ("memory/s/k/aa/k-aa.yaml", ".gitmem/config.yaml", ".gitmem/members/a.yaml", ".gitmem/collected/aa.yaml")
_WHOLE: Final = (".gitmem/keys/s/1/a.age", ".gitmem/schemas/k.json", "log/audit/a/000/1.jsonl")
_OFF: Final = frozenset({"unset", "unspecified"})
_ALLOWED: Final = {
    "text": frozenset({"unset"}),
    "ident": _OFF,
    "filter": _OFF,
    "working-tree-encoding": _OFF,
}


def with_own_lines(content: bytes) -> bytes:
    """`content` of a .gitattributes with the store's lines in it: those that are missing are added at the end, in one piece.

    At the end, because the last line that matches a path wins. Other lines stay as they are.
    """
    have = {line.strip() for line in content.splitlines()}
    missing = [line for line in LINES if line.encode() not in have]
    if not missing:
        return content
    start = content if not content or content.endswith(b"\n") else content + b"\n"
    return start + "".join(f"{line}\n" for line in missing).encode()


def misread(repo: Repo, prefix: str) -> list[str]:
    """What git would do otherwise than the store needs with files of the store at `prefix`, one sentence an attribute."""
    paths = [prefix + path for path in (*_JOINED, *_WHOLE)]
    fields = os.fsdecode(repo.run("check-attr", "-z", *_ALLOWED, "merge", "--", *paths)).split("\0")[:-1]
    found = zip(fields[::3], fields[1::3], fields[2::3], strict=True)
    wrong: dict[str, str] = {}
    for path, name, value in found:
        if value not in _allowed(path.removeprefix(prefix), name):
            wrong.setdefault(name, f"{name} is {value} for {path.removeprefix(prefix).partition('/')[0]}")
    return list(wrong.values())


def overriding(repo: Repo) -> Iterator[str]:
    """The lines of the clone's own `info/attributes`, which are stronger than the store's."""
    try:
        text = (repo.common_dir / "info" / "attributes").read_text("utf-8", "surrogateescape")
    except OSError:
        return
    yield from (line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def _allowed(path: str, name: str) -> frozenset[str]:
    if name != "merge":
        return _ALLOWED[name]
    return frozenset({"gitmem"}) if path in _JOINED else _OFF
