"""Write docs/cli.md from the commands themselves: `python docs/generate_cli.py`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from gitmem.cli.command import Command
from gitmem.cli.exits import MEANINGS, exit_codes
from gitmem.cli.root import SECTIONS, gitmem

TARGET = Path(__file__).with_name("cli.md")

INTRODUCTION = """\
# Command line

<!-- Written by docs/generate_cli.py from gitmem/cli. Change the commands, then run it. -->

`gitmem COMMAND --help` shows the same. Data goes to standard output and everything else to standard error; `-` is standard
input. Colour, tables, progress and the pager appear on a terminal only: in a pipe, lists are lines of tab-separated columns
without a header. An id may be given by any unique beginning of it.
"""

JSON = """\
## JSON

With `--json` every command writes one JSON document to standard output (`learn --batch` one line for each line of input).
Fields are only ever added. A failed call ends with one line on standard error, `{"error": …, "hint": …, "exit_code": …}`.

| command | document |
|---|---|
| `learn` | `{"id", "kind", "created"}`; of a refused line of a batch `{"line", "error"}` |
| `match` | `{"matches": [{"id", "kind", "score", "confidence", "fields", "usage", "why", "conflicts"}]}` |
| `used` | `{"id", "fixed", "ms"}` |
| `search` | `{"results": [{"id", "kind", "score", "fields"}]}` |
| `show`, `resolve` | `{"id", "kind", "scope", "schema", "fields", "sets", "usage", "alive", "conflicts", "contested"}` |
| `edit` | the same with `"changed"` |
| `list` | `{"records": [as show]}` |
| `conflicts` | `{"conflicts": [as show]}` |
| `forget` | `{"id", "kind", "forgotten"}` |
| `diff` | `{"changes": [{"id", "kind", "scope", "what", "lines"}]}` |
| `log`, `audit log` | `{"entries": [{"time", "member", "op", "object", "record", "kind", "scope", "raised", "writer", "seq", "words"}]}` |
| `commit` | `{"commit", "records", "entries", "skipped"}` |
| `sync` | `{"pushed", "pulled", "merged", "conflicts", "attempts", "head", "problems", "remote", "side", "folded", "notes"}` |
| `status` | `{"store", "root", "member", "replica", "plain", "records", "pending", "conflicts", "ahead", "behind", "branch", "remote", "scopes"}` |
| `init` | `{"root", "store", "member", "identity", "new_identity", "recovery", "commit", "notes"}` |
| `clone` | `{"root", "store", "member", "request", "notes"}` |
| `join` | `{"request", "name", "fingerprint", "store"}` |
| `member list` | `{"members": [{"name", "role", "recipients", "keys", "me"}]}` |
| `member add` | `{"name", "role", "recipients", "keys", "fingerprint", "commit"}` |
| `audit verify` | `{"ok", "entries", "writers", "problems": [{"what", "where", "why"}], "notes"}` |
| `gc` | `{"dry_run", "collected": [{"what", "id", "kind", "scope", "waits_for"}], "waiting": [the same], "replicas": [{"replica", "member", "last", "retired", "me", "holds_up"}], "retired", "commit", "problems", "let_go": [the same], "snapshots"}` |
| `migrate detect` | `{"kinds": [{"kind", "newest", "versions": {version: records}, "waiting"}]}` |
| `migrate plan`, `run`, `rollback` | `{"dry_run", "records": [{"id", "kind", "scope", "schema", "to", "fields"}], "sealed", "problems", "commit", "snapshot"}` |
| `prune` | `{"dry_run", "records": [{"id", "kind", "scope", "reason", "why"}], "by_reason": {reason: records}, "standing", "archive", "commit", "snapshot", "revived"}` |
| `prune --undo` | `{"dry_run", "archive", "restored", "skipped": [{"id", "why"}], "commit", "snapshot"}` |
| `prune --list` | `{"archives": [{"name", "time", "member", "records"}]}` |
| `maintenance run` | `{"ok", "dry_run", "steps": [{"name", "result", "said", "seconds"}]}` |
| `maintenance install` | `{"dry_run", "way", "files": {path: content}, "changed", "notes"}` |
| `maintenance uninstall` | `{"removed": [as install]}` |
| `config get`, `set` | `{"name", "value", "layer"}`, `{"name", "value", "changed"}` |
| `config list` | `{"settings": [{"name", "value", "layer"}]}` |
| `config explain` | `{"name", "value", "layer", "about", "layers": [{"layer", "origin", "value"}]}` |
| `doctor` | `{"ok", "checks": [{"name", "ok", "why", "fix"}]}` |
| `hooks install` | `{"notes"}` |

`usage` is `{"matched", "fixed", "failed", "success_rate", "avg_fix_ms", "last_matched", "last_used"}`, `conflicts` of a record
`{field: [{"dot", "value", "by", "at"}]}`.
"""  # noqa: E501 - a row of a table is one line


def document() -> str:
    """The whole of docs/cli.md."""
    parts = [INTRODUCTION, "## Global options\n", "They may stand in front of a command or behind it.\n"]
    parts += ["\n".join(_options(gitmem)) + "\n", "## Exit status\n", "| code | meaning |\n|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    parts += ["", JSON]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_section(path, found) for name in names for path, found in _commands(name)]
    return "\n".join(parts)


def _commands(name: str) -> Iterator[tuple[str, click.Command]]:
    """A command, or the commands of a group, with their full names."""
    ctx = click.Context(gitmem, info_name="gitmem")
    found = gitmem.get_command(ctx, name)
    if isinstance(found, click.Group):
        yield from ((f"gitmem {name} {sub}", command) for sub, command in found.commands.items())
    elif found:
        yield f"gitmem {name}", found


def _section(path: str, command: click.Command) -> str:
    """What one command does, how it is called, examples and its exit codes."""
    ctx = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(ctx)])
    lines = [f"### {path}\n", inspect.cleandoc(command.help or "") + "\n", f"```text\n{usage}\n```\n", *_options(command), ""]
    if isinstance(command, Command):
        lines += ["```sh", *(line for example in command.examples for line in _example(*example)), "```\n"]
        lines += ["Exit status: " + ", ".join(f"`{code}`" for code, _ in exit_codes(command.exits)) + ".\n"]
    return "\n".join(lines)


def _options(command: click.Command) -> list[str]:
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    return [f"- `{_spelling(option)}` {option.help}" for option in options]


def _spelling(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    kind = option.type
    value = "|".join(kind.choices) if isinstance(kind, click.Choice) else option.metavar or "N"
    return f"{names} {value}"


def _example(line: str, purpose: str) -> Iterator[str]:
    if purpose:
        yield f"# {purpose}"
    yield line


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
