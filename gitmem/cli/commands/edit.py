"""`gitmem edit`: change a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import define
from gitmem.cli.complete import record_ids
from gitmem.cli.exits import WRITES
from gitmem.cli.inputs import assignments, clean, given, read_file
from gitmem.cli.redacting import as_json, redact_option, tell
from gitmem.cli.text import one_line
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import GitmemError, UsageError

if TYPE_CHECKING:
    from gitmem.memory.memory import Memory
    from gitmem.memory.results import Record


@define(
    "edit",
    examples=[
        ("gitmem edit p-3k7q", "opens it in $VISUAL or $EDITOR"),
        ("gitmem edit p-3k7q --fix 'Restart the agent' --tag ssh", "in a script"),
        ("gitmem edit s-1f4a --set problem.context='only on ARM' --unset prevention", ""),
        ("gitmem edit p-3k7q --continue", "takes up a text that was refused"),
    ],
    exits=WRITES,
)
@click.argument("id", shell_complete=record_ids)
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Set a field by its dotted name; JSON for what is no text."
)
@click.option("--fix", metavar="TEXT", help="Set the fix.")
@click.option("--unset", multiple=True, metavar="FIELD", help="Remove a field; repeatable.")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="Add a tag; repeatable.")
@click.option("--untag", "untags", multiple=True, metavar="TEXT", help="Remove a tag; repeatable.")
@click.option("--file", "file", metavar="FILE", help="Replace all fields by those of a YAML or JSON file; - is stdin.")
@click.option("--continue", "again", is_flag=True, help="Reopen the text that could not be taken last time.")
@redact_option
@pass_ui
def command(ui: Ui, /, id: str, file: str | None, again: bool, **words: Any) -> None:  # noqa: A002
    """Change a record, in your editor or by options.

    The editor gets the decrypted record as YAML in a private file, in memory where the system has such a place; the file is
    wiped afterwards. What it leaves is checked before it is taken, and kept (encrypted) for another try if it is refused.
    """
    from gitmem.cli.session import opened

    by_options = any(value is not None and value != () for value in words.values())
    if sum((file is not None, again, by_options)) > 1:
        raise UsageError("an edit is made by options, from a file or in the editor, one at a time", "`gitmem edit --help`")
    with opened(ui) as memory:
        before = memory.get(id)
        if not before.alive:
            raise GitmemError(f"{before.id} is forgotten", "`gitmem learn` records it anew")
        if file is not None:
            after = _from_file(memory, before, file)
        elif by_options:
            after = memory.edit(before.id, _changes(memory, before, words))
        else:
            after = _in_editor(ui, memory, before, again) or before
    changed = (before.fields, before.sets, before.conflicts) != (after.fields, after.sets, after.conflicts)
    if ui.json:
        ui.data(after.as_json() | {"changed": changed, "redacted": as_json(after.redacted)})
    else:
        tell(ui, after.redacted)
        ui.note(f"changed {after.id}; `gitmem sync` shares it" if changed else "nothing was changed")


def _changes(memory: Memory, record: Record, words: dict[str, Any]) -> dict[str, Any]:
    """The fields that the options change, as `Memory.edit` takes them."""
    from gitmem.memory.context import kind_of

    changes = assignments(words["settings"], kind_of(memory.context, record))
    if words["fix"] is not None:
        changes["fix"] = clean(words["fix"])
    for name in map(clean, words["unset"]):
        _require(record, name)
        changes[name] = None
    if words["tags"] or words["untags"]:
        changes["tags"] = _tags(record, [*map(clean, words["tags"])], [*map(clean, words["untags"])])
    return changes


def _require(record: Record, name: str) -> None:
    from gitmem.cli.present import flat
    from gitmem.core.nearest import meant

    known = {*record.fields, *record.sets, *flat(record.fields)}
    if name not in known:
        why = f"{record.id} has no field {one_line(name)!r}{meant(name, known)}"
        raise UsageError(why, f"`gitmem show {record.id}` shows what it has")


def _tags(record: Record, more: list[str], fewer: list[str]) -> list[Any]:
    tags = record.sets.get("tags", [])
    missing = [tag for tag in fewer if tag not in tags]
    if missing:
        raise UsageError(f"{record.id} has no tag {one_line(missing[0])!r}", f"`gitmem show {record.id}` shows its tags")
    return [*(tag for tag in tags if tag not in fewer), *(tag for tag in more if tag not in tags)]


def _from_file(memory: Memory, record: Record, name: str) -> Record:
    from gitmem.memory.typed import read_mapping

    one = given(read_mapping(read_file(name), "standard input" if name == "-" else name))
    if one.kind not in (None, record.kind):
        raise UsageError(
            f"{record.id} is a {record.kind}, and stays one", f"`gitmem learn --kind {one_line(one.kind)}` makes another record"
        )
    values = one.fields | ({"tags": one.tags} if one.tags else {})
    return memory.edit(record.id, values, replace=True)


def _in_editor(ui: Ui, memory: Memory, record: Record, again: bool) -> Record | None:
    """The record as the editor left it, None if nothing was changed; a text that cannot be taken is kept."""
    from gitmem.cli.editor import edited
    from gitmem.memory.recording import drafts

    context = memory.context
    draft = drafts.resume(context, record.id) if again else drafts.begin(context, record.id)
    ui.before_asking()
    data = edited(draft.text)
    try:
        after = drafts.take(context, draft, data)
    except BaseException as error:
        drafts.keep(context, draft, data)
        if isinstance(error, GitmemError):
            raise type(error)(error.message, f"your text is kept, encrypted: gitmem edit {record.id} --continue") from error
        raise
    drafts.discard(context, draft)
    return after
