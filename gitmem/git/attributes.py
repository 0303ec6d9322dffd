"""The lines in .gitattributes that tell git how to treat the store's files.

They stand in the store's own tree, which is stronger than what a user's `core.attributesFile` says of `*` or `*.yaml`. Stronger
still is the clone's `info/attributes`; what it does is found by asking git. What keeps bytes as they are stands there as well:
a revert of the founding takes the .gitattributes away, and with `core.autocrlf` git then writes files that it never corrects.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
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

_QUOTED: Final = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r"}

_JOINED: Final = ("memory/s/k/aa/k-aa.yaml", ".gitmem/config.yaml", ".gitmem/members/a.yaml", ".gitmem/collected/aa.yaml")
_WHOLE: Final = (".gitmem/keys/s/1/a.age", ".gitmem/schemas/k.json", "log/audit/a/000/1.jsonl")
_OFF: Final = frozenset({"unset", "unspecified"})
_ALLOWED: Final = {
    "text": frozenset({"unset"}),
    "ident": _OFF,
    "filter": _OFF,
    "working-tree-encoding": _OFF,
}


def with_own_lines(content: bytes, lines: Sequence[str] = LINES) -> bytes:
    """`content` of a .gitattributes with the store's lines in it: those that are missing are added at the end, in one piece.

    At the end, because the last line that matches a path wins. Other lines stay as they are.
    """
    have = {line.strip() for line in content.splitlines()}
    missing = [line for line in map(os.fsencode, lines) if line not in have]
    if not missing:
        return content
    start = content if not content or content.endswith(b"\n") else content + b"\n"
    return start + b"".join(line + b"\n" for line in missing)


def protect(repo: Repo, prefix: str) -> None:
    """Have no commit that this clone checks out change how bytes of the store at `prefix` are written: see `unprotected`."""
    file = own_file(repo)
    before = file.read_bytes() if file.exists() else b""
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as out:  # what a person has written there is never rewritten
        out.write(with_own_lines(before, _guards(prefix)).removeprefix(before))


def unprotected(repo: Repo, prefix: str) -> bool:
    """Whether the clone's own `info/attributes` lacks lines that keep the store's bytes where .gitattributes is missing."""
    return not set(_guards(prefix)) <= set(_lines(repo))


def own_file(repo: Repo) -> Path:
    """The attributes that belong to the clone, for all its work trees; see gitattributes(5)."""
    return repo.common_dir / "info" / "attributes"


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


def overriding(repo: Repo, prefix: str) -> list[str]:
    """The lines of the clone's own `info/attributes` that are not ours: they are stronger than the store's."""
    return [line for line in _lines(repo) if not line.startswith("#") and line not in _guards(prefix)]


def _lines(repo: Repo) -> Iterator[str]:
    try:
        text = os.fsdecode(own_file(repo).read_bytes())
    except OSError:
        return
    yield from (line.strip() for line in text.split("\n") if line.strip())


def _guards(prefix: str) -> list[str]:
    """The lines for `info/attributes`. How records are merged is left to the tree: a store that lacks that is found ill."""
    return [f"{_pattern(prefix, line.partition(' ')[0])} {_AS_IT_IS}" for line in LINES]


def _pattern(prefix: str, path: str) -> str:
    """`path`, itself a pattern, below the directory `prefix`, which stands for itself whatever is in its name."""
    if re.fullmatch(r"[\w./-]*", prefix, re.ASCII):
        return prefix + path
    literal = re.sub(r"([\\*?\[])", r"\\\1", prefix) + path
    return '"' + literal.translate(_QUOTED) + '"'


def _allowed(path: str, name: str) -> frozenset[str]:
    if name != "merge":
        return _ALLOWED[name]
    return frozenset({"gitmem"}) if path in _JOINED else _OFF
