"""`gitmem config`: the store's settings, what they are and where they come from."""

from __future__ import annotations

import click

from gitmem.cli.command import Group, define
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.ui import Ui, pass_ui


@click.group("config", cls=Group)
def command() -> None:
    """See and change settings: what is redacted, what may be pruned, how many snapshots stay.

    A setting comes from the first layer that has it: the environment (GITMEM_PRUNE_UNUSED_DAYS), the store, the user's own
    file, the default. What is redacted is for the store alone to say. Settings of the store are committed, signed and shared.
    """


@define("get", examples=[("gitmem config get prune.unused_days", "")], exits=(*READS, 13))
@click.argument("name")
@pass_ui
def get(ui: Ui, name: str) -> None:
    """Print the value of a setting."""
    from gitmem.cli.session import opened
    from gitmem.memory.configuration import explain as look

    with opened(ui) as memory:
        found = look(memory.context, name)
    if ui.json:
        ui.data({"name": found.name, "value": found.value, "layer": found.layer})
    else:
        ui.block(found.value)


@define(
    "set",
    examples=[
        ("gitmem config set prune.unused_days 120", "for everybody, from the next sync on"),
        ("gitmem config set prune.max_records.scope.agents.ci 5000", "for what the agent ci recorded"),
        ("gitmem config set --user snapshots.last 20", "for your own clones, where the store says nothing"),
        ("gitmem config set --unset prune.unused_days", ""),
    ],
    exits=WRITES,
)
@click.argument("name")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take the setting out, so that the next layer counts.")
@click.option("--user", is_flag=True, help="In your own file instead of the store.")
@pass_ui
def set_value(ui: Ui, name: str, value: str | None, unset: bool, user: bool) -> None:
    """Set a setting of the store with one signed commit, or in your own file."""
    from gitmem.cli.session import opened
    from gitmem.errors import UsageError
    from gitmem.memory.configuration import set_here

    if unset == (value is not None):
        raise UsageError("give a value, or --unset", f"gitmem config explain {name}")
    with opened(ui) as memory:
        changed = set_here(memory.context, name, value, user=user)
    if ui.json:
        ui.data({"name": name, "value": value, "changed": changed})
    else:
        ui.note(f"{name}: {'unset' if unset else value}" if changed else f"{name} says so already")


@define(
    "list",
    examples=[("gitmem config list", ""), ("gitmem config list prune", "those whose names begin so")],
    exits=(*READS, 13),
)
@click.argument("prefix", default="")
@pass_ui
def list_settings(ui: Ui, prefix: str) -> None:
    """List settings with their values, and the layer that each comes from."""
    from gitmem.cli.session import opened
    from gitmem.memory.configuration import listing

    with opened(ui) as memory:
        found = listing(memory.context, prefix)
    if ui.json:
        ui.data({"settings": [{"name": one.name, "value": one.value, "layer": one.layer} for one in found]})
    else:
        ui.rows(("SETTING", "VALUE", "FROM", "ABOUT"), [(one.name, one.value, one.layer, one.about) for one in found])


@define("explain", examples=[("gitmem config explain prune.unused_days.kind.decision", "")], exits=(*READS, 13))
@click.argument("name")
@pass_ui
def explain(ui: Ui, name: str) -> None:
    """Say what a setting is about, and which layers set it: the first that does counts."""
    from gitmem.cli.session import opened
    from gitmem.memory.configuration import explain as look

    with opened(ui) as memory:
        found = look(memory.context, name)
    if ui.json:
        ui.data(found._asdict() | {"layers": [layer._asdict() for layer in found.layers]})
        return
    ui.block(f"{found.name} = {found.value}, from the layer {found.layer}\n{found.about}")
    ui.rows(
        ("LAYER", "WHERE", "VALUE"),
        [(one.layer, one.origin, "" if one.value is None else one.value) for one in found.layers],
    )


for _each in (get, set_value, list_settings, explain):
    command.add_command(_each)
