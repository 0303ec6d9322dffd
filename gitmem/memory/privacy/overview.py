"""What the store logs of whom, and what commits say."""

from __future__ import annotations

from dataclasses import dataclass

from gitmem.core.codec import emit
from gitmem.core.edit import Pen, unsealed
from gitmem.core.membership.members import Rank
from gitmem.memory.committing.commit import author, commit
from gitmem.memory.context import Context
from gitmem.memory.members.own_role import need_role
from gitmem.memory.members.roster import members, my_name, read_member
from gitmem.memory.privacy.consent import CHOICES, opted_out
from gitmem.store.config import OFF, ON, PSEUDONYMS, load_config
from gitmem.store.files import inside, write_atomic
from gitmem.store.layout import CONFIG

_REDACT = "redact."


@dataclass(frozen=True, slots=True)
class PrivacyStatus:
    """What is logged of whom: `me`, how commits name me, for each member what they let be logged, and settings that redact."""

    me: str
    pseudonyms: bool
    commits_as: str
    consent: dict[str, dict[str, bool]]
    redaction: dict[str, str]


def status(context: Context) -> PrivacyStatus:
    """How the store stands."""
    config, who = load_config(context.store.root), author(context)
    consent = {}
    for member in members(context):
        refused = opted_out(read_member(context, member.name))
        consent[member.name] = {what: what not in refused for what in CHOICES}
    settings = {name: str(value) for name, value in sorted(config.values.items()) if name.startswith(_REDACT)}
    shown = f"{who.name} <{who.email}>" if config.pseudonyms else "whom git knows as you"
    return PrivacyStatus(my_name(context), config.pseudonyms, shown, consent, settings)


def set_pseudonyms(context: Context, *, on: bool) -> None:
    """Have gitmem's commits name nobody, or whom git knows. The commit that says so is made so already."""
    store = context.store
    with store.lock:
        store.refresh()
        config = load_config(store.root)
        if config.pseudonyms == on:
            return
        need_role(context, Rank.MEMBER)
        pen = Pen(config.state, store.writer_for(CONFIG, config.state))
        pen.set(PSEUDONYMS, unsealed(ON if on else OFF))
        pen.live()
        write_atomic(inside(store.root, CONFIG), emit(pen.state), durable=True)
        commit(context)


def tells_who(context: Context) -> str | None:
    """The name that a commit which git makes now would carry although commits are to name nobody; None if it carries none."""
    if not context.store.config.pseudonyms:
        return None
    done = context.store.repo.call("var", "GIT_AUTHOR_IDENT")
    name = done.out.decode("utf-8", "replace").rpartition(" <")[0]
    return name if done.code == 0 and name != author(context).name else None
