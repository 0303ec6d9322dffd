"""`gitmem learn`: record something once, for everybody."""

from __future__ import annotations

import sys
from typing import Any

import click

from gitmem.cli.command import define
from gitmem.cli.complete import kinds
from gitmem.cli.exits import WRITES
from gitmem.cli.inputs import FILE_LIMIT, Given, assignments, clean, given, nested, read_file, read_text
from gitmem.cli.options import scope_option
from gitmem.cli.redacting import as_json, redact_option, tell
from gitmem.cli.ui import Ui, pass_ui
from gitmem.core.kinds.schema import Kind
from gitmem.errors import InvalidRecord, UsageError

_TYPED = {"source_": "-", "commands": "--command", "tags": "--tag", "settings": "--set"}
"""How a parameter is typed whose name says something else."""
_PLAIN = ("pattern", "fix", "meaning", "commands", "context", "source")


def _kinds_section(formatter: click.HelpFormatter) -> None:
    """The shipped kinds with their fields; * marks those that no record may lack."""
    from gitmem.store.kinds import Kinds

    shipped = Kinds()
    with formatter.section("Kinds and their fields (* is needed; docs/kinds.md explains them)"):
        formatter.write_dl([(name, _fields(shipped.get(name))) for name in shipped.names()])


def _fields(kind: Kind) -> str:
    return ", ".join(name + "*" * spec.required for name, spec in kind.fields.items())


@define(
    "learn",
    examples=[
        ("gitmem learn --pattern 'No space left on device' --fix 'Remove old images' --command 'docker system prune'", ""),
        ("cargo build 2>&1 | tail -1 | gitmem learn --pattern - --fix 'cargo update'", "the pattern comes from a pipe"),
        ("gitmem learn --kind decision --set question='Which database?' --set chosen_option=SQLite --tag storage", ""),
        ("gitmem learn --file runbook.yaml", "YAML or JSON: {kind: runbook, title: …, steps: […]}"),
        ("gitmem learn --batch lessons.jsonl --json", "many at once, one JSON object a line"),
    ],
    exits=WRITES,
    more=_kinds_section,
)
@click.argument("source_", metavar="[-]", required=False)
@click.option("--kind", metavar="KIND", shell_complete=kinds, help="What it is; a pattern unless said otherwise.")
@click.option("--pattern", metavar="TEXT", help="The error: literal, with <*> where it varies, or /regex/. - reads stdin.")
@click.option("--fix", metavar="TEXT", help="What to do about it.")
@click.option("--meaning", metavar="TEXT", help="What it says in plain words.")
@click.option("--command", "commands", multiple=True, metavar="TEXT", help="A command that carries out the fix; repeatable.")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A word to find it by; repeatable.")
@click.option("--context", metavar="TEXT", help="Where it was seen.")
@click.option("--source", metavar="TEXT", help="Where it comes from: a link, a ticket, a person.")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Any field by its dotted name; JSON for what is no text."
)
@scope_option("Who can read it; the whole team unless said otherwise, and for an agent nobody else: agents/<name>.")
@click.option("--file", "file", metavar="FILE", help="Read the record from a YAML or JSON file; - is stdin.")
@click.option("--batch", metavar="FILE", help="Read many records, one JSON object a line; - is stdin.")
@click.option("--keep-going", is_flag=True, help="With --batch: record the good lines even if others are refused.")
@redact_option
@pass_ui
def command(ui: Ui, /, batch: str | None, keep_going: bool, **words: Any) -> None:
    """Record something that was learned.

    The same pattern learned twice is one record, whoever learns it. What is recorded is encrypted, checked against its kind and
    on the disk when the command returns; `gitmem sync` shares it. The id is printed on stdout.

    Secrets and personal data are replaced by placeholders such as <token:1> before anything is written: see `gitmem redact`.
    """
    if batch is not None:
        from gitmem.cli.batch import learn_batch

        _refuse_beside_batch(words)
        learn_batch(ui, batch, words["kind"], words["scope"], keep_going=keep_going)
    elif keep_going:
        raise UsageError("--keep-going goes with --batch", "gitmem learn --batch FILE --keep-going")
    else:
        _learn_one(ui, words)


def _refuse_beside_batch(words: dict[str, Any]) -> None:
    beside = [_TYPED.get(name, f"--{name}") for name, value in words.items() if value and name not in ("kind", "scope")]
    if beside:
        raise UsageError(
            f"--batch takes its fields from the lines, not from {beside[0]}", "--kind and --scope may stand beside it"
        )


def _learn_one(ui: Ui, words: dict[str, Any]) -> None:
    from gitmem.cli.session import opened
    from gitmem.memory.context import TEAM

    base = _base(words)
    with opened(ui) as memory:
        kind = words["kind"] or base.kind or "pattern"
        values = nested(base.fields | _options(words) | assignments(words["settings"], memory.context.kinds.get(kind)))
        if not values:
            raise UsageError("there is nothing to learn", _first_words(memory.context.kinds.get(kind)))
        tags = [*base.tags, *map(clean, words["tags"])]
        record = memory.learn(kind, values, tags, words["scope"] or base.scope)
    if ui.json:
        answer = {"id": record.id, "kind": record.kind, "created": record.created}
        ui.data({**answer, "redacted": as_json(record.redacted)})
        return
    ui.line(record.id)
    tell(ui, record.redacted)
    where = "" if record.scope == TEAM else f" in the scope {record.scope}"
    ui.note(
        f"learned a new {record.kind}{where}; `gitmem sync` shares it"
        if record.created
        else f"known already{where}: this {record.kind} was updated"
    )


def _first_words(kind: Kind) -> str:
    """How to record something of a kind: with what no record may lack, and for a pattern with what helped."""
    if kind.name == "pattern":
        return "gitmem learn --pattern 'the error' --fix 'what helped'"
    needed = [name for name, spec in kind.fields.items() if spec.required] or [kind.headline]
    return f"gitmem learn --kind {kind.name} {' '.join(f'--set {name}=…' for name in needed)}; --help names the other fields"


def _base(words: dict[str, Any]) -> Given:
    """What a file or standard input gave."""
    from gitmem.memory.typed import read_mapping

    name = words["file"] or words["source_"]
    if words["source_"] not in (None, "-"):
        raise UsageError(
            "learn takes no words by themselves", "gitmem learn --pattern 'the error' --fix 'what helped', or - for stdin"
        )
    if name is None:
        return Given({}, [])
    if name == "-" and words["pattern"] == "-":
        raise UsageError("standard input can be the record or its pattern, not both", "give one of them in a file or an option")
    return given(read_mapping(read_file(name), "standard input" if name == "-" else name))


def _options(words: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _PLAIN:
        value = words[name]
        if value:
            found[name] = [clean(each) for each in value] if name == "commands" else clean(value)
    if found.get("pattern") == "-":
        found["pattern"] = _piped_pattern()
    return found


def _piped_pattern() -> str:
    if sys.stdin.isatty():
        raise UsageError("--pattern - reads standard input, which is a terminal", "pipe the error in, or give it as text")
    text, dropped = read_text(FILE_LIMIT)
    if dropped:
        raise InvalidRecord(
            f"the pattern on standard input has more than {FILE_LIMIT:,} bytes", "pass on the line that says what failed"
        )
    return text.rstrip("\n")
