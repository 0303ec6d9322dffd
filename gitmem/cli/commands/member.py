"""`gitmem member`: who may read the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Group, define
from gitmem.cli.complete import scopes as complete_scopes
from gitmem.cli.exits import READS, WRITES
from gitmem.cli.inputs import clean, names, read_line
from gitmem.cli.leaving import tell
from gitmem.cli.sure import sure
from gitmem.cli.ui import Ui, pass_ui
from gitmem.errors import UsageError

if TYPE_CHECKING:
    from gitmem.memory.context import Context
    from gitmem.memory.members.leaving import Taken
    from gitmem.memory.members.requesting import Request


@click.group("member", cls=Group)
def command() -> None:
    """Show who may read the store, and let others in."""


@define(
    "list",
    examples=[("gitmem member list", ""), ("gitmem member list --json | jq -r '.members[].name'", "for a program")],
    exits=READS,
)
@pass_ui
def list_members(ui: Ui) -> None:
    """List the members with their roles, signing keys and recipients."""
    from gitmem.cli.session import opened
    from gitmem.crypto.signing import fingerprint

    with opened(ui) as memory:
        members = list(memory.members())
    if ui.json:
        ui.data({"members": members})
        return
    rows = [
        (f"{m.name}{' (you)' if m.me else ''}", m.role, " ".join(map(fingerprint, m.keys)), " ".join(m.recipients))
        for m in members
    ]
    ui.rows(("NAME", "ROLE", "SIGNS WITH", "RECIPIENT"), rows)


@define(
    "add",
    examples=[
        ("gitmem member add gitmem-join:WzEsInMt…", "the line that `gitmem join` printed on the other side"),
        ("ssh build gitmem -C memory join | gitmem member add -", ""),
        ("gitmem member add - --role service", "for an agent or CI"),
        ("gitmem member add ci --recipient age1… --key 'ssh-ed25519 AAAA…'", "for a key that was made by hand"),
    ],
    exits=WRITES,
)
@click.argument("request", metavar="REQUEST|FILE|NAME|-")
@click.option("--recipient", metavar="RECIPIENT", help="With NAME: who keys are wrapped to: age1…, ssh-ed25519 … or ssh-rsa ….")
@click.option("--key", metavar="KEY", help="With NAME: the key that will sign, in OpenSSH form.")
@click.option("--role", default="member", metavar="ROLE", help="What they may do, where no invitation says it.")
@pass_ui
def add(ui: Ui, request: str, recipient: str | None, key: str | None, role: str) -> None:
    """Let somebody in: they can read everything in the team's scope from then on.

    REQUEST is the line that `gitmem join` printed for them, or a file with it; - reads it from standard input. Compare the
    fingerprint with them: whoever can exchange the request on its way gets in instead.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.members.joining import add_member, invited_scopes

    with opened(ui) as memory:
        asked = _asked(memory.context, request, recipient, key)
        member, made = add_member(memory.context, asked, clean(role))
    scopes = invited_scopes(asked)
    if ui.json:
        ui.data({"name": member.name, "role": member.role, "recipients": member.recipients, "keys": member.keys,
                 "fingerprint": asked.fingerprint, "commit": made.commit if made else None,
                 "scopes": scopes})  # fmt: skip
        return
    if scopes:
        ui.note(f"the invitation lets {member.name} into {' and '.join(scopes)} as well")
    ui.note(f"{member.name} is a member; signs with {asked.fingerprint}: compare it with them")
    ui.note("`gitmem sync` passes the keys on; they run it afterwards")


@define(
    "invite",
    examples=[
        ("gitmem member invite bob", "prints a line to send to bob"),
        ("gitmem member invite ci --role service --days 1 --output ci.invitation", ""),
        ("gitmem member invite cyd --scope ops,projects/apollo", "cyd can read these two as well as the team's records"),
    ],
    exits=WRITES,
)
@click.argument("name", metavar="NAME")
@click.option("--role", default="member", metavar="ROLE", help="What they may do: admin, member, service or reader.")
@click.option(
    "--scope", "into", multiple=True, metavar="NAME,…", shell_complete=complete_scopes,
    help="A scope that they can read as well as the team's, and you can read yourself; repeatable.",
)  # fmt: skip
@click.option("--days", default=7, type=click.IntRange(1, 365), help="How long it holds; a week unless given.")
@click.option("--output", metavar="FILE", help="Write it to a new file instead.")
@pass_ui
def invite(  # noqa: PLR0913, PLR0917 - click passes each option by itself
    ui: Ui, name: str, role: str, into: tuple[str, ...], days: int, output: str | None
) -> None:
    """Invite somebody: one signed line by which they know the true store, and ask to become a member of it once.

    They run `gitmem join INVITATION URL` and send back the line that it prints, for `gitmem member add`. Whoever accepts it
    must be able to read the scopes that it names.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.members import inviting
    from gitmem.memory.syncing.sync import drift

    with opened(ui) as memory:
        made = inviting.invite(memory.context, clean(name), clean(role), days, names(into))
        remote, ahead, _ = drift(memory.context, memory.context.store.repo.branch())
    if ahead:
        ui.warn(f"{remote} lacks some of what it vouches for, and would be refused: `gitmem sync` before it is used")
    if output is not None:
        _write_new(Path(output), f"{made.line()}\n")
    if ui.json:
        ui.data({"invitation": made.line(), "name": made.name, "role": made.role, "until": made.until, "scopes": made.scopes})
        return
    if output is None:
        ui.line(made.line())
    if made.scopes:
        ui.note(f"it leads into {' and '.join(made.scopes)} as well; who accepts it must be able to read that")
    ui.note(f"send it to {made.name}, who runs `gitmem join INVITATION URL`; it holds until {made.until} and is used once")


@define(
    "role",
    examples=[("gitmem member role bob admin", "bob may let others in"), ("gitmem member role ci service", "")],
    exits=WRITES,
)
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE")
@pass_ui
def role(ui: Ui, name: str, role: str) -> None:
    """Say what a member may do from here on: admin, member, service or reader.

    A reader changes nothing, a service writes records, a member also changes everything else but the members, an admin
    those as well. There is always an admin.
    """
    from gitmem.cli.session import opened
    from gitmem.memory.members.removal import set_role

    with opened(ui) as memory:
        member = set_role(memory.context, clean(name), clean(role)).by_name[clean(name)]
    if ui.json:
        ui.data({"name": member.name, "role": member.role})
    else:
        ui.note(f"{member.name} is {member.role} now; `gitmem sync` tells the others")


@define(
    "remove",
    examples=[
        ("gitmem member remove bob --dry-run", "what bob could read"),
        ("gitmem member remove bob --yes", "bob goes; everything is sealed with new keys"),
    ],
    exits=WRITES,
)
@click.argument("name", metavar="NAME")
@click.option("--dry-run", is_flag=True, help="Only tell what they could read.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_ui
def remove(ui: Ui, name: str, dry_run: bool, yes: bool) -> None:
    """Let somebody go: what they sign counts no more, and they open nothing that is written from here on.

    Each scope they could read gets a new key, and its records are sealed with it. They keep what they have read, and every copy
    of the history they have: change at its source what opens something elsewhere. The list says what they could read.
    """
    from gitmem.cli.session import opened
    from gitmem.core.nearest import counted
    from gitmem.memory.members import removal

    with opened(ui) as memory:
        shown = removal.taken_by(memory.context, clean(name))
        what = f"remove {clean(name)}, who could read {_read(shown)}"
        go = not dry_run and sure(ui, what, yes=yes)
        found = removal.remove(memory.context, clean(name), dry_run=not go, shown=shown)
    if ui.json:
        ui.data(found)
        return
    if go or dry_run:
        ui.rows(("SCOPE", "COULD READ"), [(scope, ident) for scope, ids in found.read.items() for ident in ids])
    did = f"{found.member} is no member any more; {counted(found.resealed, 'record')} sealed with new keys"
    tell(ui, found, what, did, asked=not dry_run)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or '').lower()}", "name a file that is not there") from None


def _read(shown: Taken) -> str:
    from gitmem.core.nearest import counted

    parts = [f"{counted(len(ids), 'record')} in {scope}" for scope, ids in shown.read.items()]
    return " and ".join(parts) or "what is open to everybody"


def _asked(context: Context, request: str, recipient: str | None, key: str | None) -> Request:
    from gitmem.memory.members.requesting import PREFIX, parse_request, request_of

    if recipient is None and key is None:
        return parse_request(read_line(clean(request), PREFIX, "a request", "the other side prints one with `gitmem join`"))
    if recipient is None or key is None:
        raise UsageError(
            "a member needs both a recipient and a signing key", "`gitmem join` on their side prints a request with both"
        )
    return request_of(context.store.id, clean(request), clean(recipient), clean(key))


command.add_command(list_members)
command.add_command(invite)
command.add_command(add)
command.add_command(role)
command.add_command(remove)
