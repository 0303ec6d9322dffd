"""Who belongs to the store: folded from signed entries, never taken from a file.

The chain of trust begins with the one `init` entry, whose signer is the first member. From there every `enrol` entry signed by
a member adds a member or gives one more keys. Entries are taken in causal order (what a writer has seen comes first), not by
the clock, and nobody can enrol herself: a key counts only if enrolments lead to it from the first member. The files in
`.gitmem/members` are a picture of this, and must agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gitmem.core.audit import CLOSE, ENROL, INIT, MEMBER, ROOT, Problem, Segment
from gitmem.core.audit_chain import causal_order
from gitmem.core.record import Json, State

FOLDER: Final = ".gitmem/members"
_MAX_KEYS: Final = 64


@dataclass(slots=True)
class Member:
    """A member: name, age recipients, signing keys (`ssh-ed25519 …`), the role given at first, and who enrolled them."""

    name: str
    recipients: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    role: str | None = None
    enrolled_by: str = ""


@dataclass(slots=True)
class Members:
    """All members by name, the store they belong to, and the file and line that begin it (all empty without `init`)."""

    store: str = ""
    genesis: tuple[str, int] = ("", 0)
    by_name: dict[str, Member] = field(default_factory=dict)

    def holder(self, key: str) -> str | None:
        """The name of the member whose signing key it is."""
        return next((m.name for m in self.by_name.values() if key in m.keys), None)


def genesis_detail(member: str, recipient: str, key: str, store: str) -> dict[str, Json]:
    """The detail of the `init` entry: the first member, and the id of the store."""
    return {"member": member, "recipient": recipient, "key": key, "store": store}


def enrol_detail(member: str, recipients: Iterable[str], keys: Iterable[str], role: str | None = None) -> dict[str, Json]:
    """The detail of an `enrol` entry: whom it adds (or gives more keys), with age recipients and signing keys."""
    detail: dict[str, Json] = {"member": member, "recipients": [*sorted(recipients)], "keys": [*sorted(keys)]}
    return detail | {"role": role} if role else detail


def fold(segments: Iterable[Segment]) -> tuple[Members, list[Problem]]:
    """The members after all segments, and every segment or entry that nobody with the right to it signed."""
    waiting, problems = causal_order(segments)
    members, owners = Members(), dict[str, str]()
    problems += _begin(members, waiting)
    # A segment whose signer is not known yet waits: a concurrent enrolment may come later in this order.
    progress = True
    while progress:
        strangers = []
        for segment in waiting:
            signer = members.holder(segment.key)
            if signer is None:
                strangers.append(segment)
            else:
                problems += _check_signer(members, owners, segment, signer) + _take(members, segment, signer)
        progress = len(strangers) < len(waiting)
        waiting = strangers
    why = "no chain of enrolments leads to its key"
    return members, problems + [Problem("unknown signer", s.path, f"{why} {s.key[:80]!r}") for s in waiting]


def _begin(members: Members, segments: list[Segment]) -> list[Problem]:
    """Take the first member from the `init` entry, which stands in the first segment of its writer."""
    founding = ((s, n, e) for s in segments if s.number == 1 for n, e in enumerate(s.entries, 1) if e.op == INIT)
    segment, line, entry = next(founding, (None, 0, None))
    if segment is None or entry is None:
        return [Problem("no beginning", ROOT, "no entry begins the store, so nobody is a member")]
    name, recipient, key, store = (entry.detail.get(part) for part in ("member", "recipient", "key", "store"))
    if (name, key, store) != (entry.subject, segment.key, entry.store) or not isinstance(recipient, str):
        return [_wrong(segment, line, "the entry that begins the store does not speak of the one who signed it")]
    members.store, members.genesis = entry.store, (segment.path, line)
    members.by_name[entry.subject] = Member(entry.subject, {recipient}, {segment.key}, enrolled_by=entry.subject)
    return []


def _check_signer(members: Members, owners: dict[str, str], segment: Segment, signer: str) -> list[Problem]:
    """Whether a member signed as herself, in a log of her own, in this store."""
    first = segment.entries[0]
    if first.subject != signer:
        return [_wrong(segment, 1, f"names {first.subject} as the one who acts and is signed by {signer}")]
    if first.store != members.store:
        return [_wrong(segment, 1, f"belongs to the store {first.store}, not to {members.store}")]
    if owners.setdefault(segment.writer, signer) != signer:
        return [_wrong(segment, 1, f"{signer} wrote into the log of {owners[segment.writer]}")]
    closed = first.detail.get("closed") if first.op == CLOSE else None
    if isinstance(closed, str) and owners.get(closed, signer) != signer:
        return [_wrong(segment, 1, f"{signer} closed the log of {owners[closed]}")]
    return []


def _take(members: Members, segment: Segment, signer: str) -> list[Problem]:
    """Apply what a member's segment says about members."""
    problems: list[Problem] = []
    for line, entry in enumerate(segment.entries, 1):
        if entry.op == INIT and (segment.path, line) != members.genesis:
            problems.append(_wrong(segment, line, "a second beginning of the store"))
        if entry.op == ENROL:
            problems += _enrol(members, segment, line, signer)
    return problems


def _enrol(members: Members, segment: Segment, line: int, signer: str) -> list[Problem]:
    detail = segment.entries[line - 1].detail
    name, role = detail.get("member"), detail.get("role")
    recipients, keys = _words(detail.get("recipients")), _words(detail.get("keys"))
    if not isinstance(name, str) or not MEMBER.fullmatch(name) or recipients is None or keys is None:
        return [_wrong(segment, line, "an enrolment without member, recipients or keys")]
    if taken := next((holder for key in keys if (holder := members.holder(key)) not in (None, name)), None):
        return [_wrong(segment, line, f"gives {name} a key of {taken}")]
    member = members.by_name.setdefault(name, Member(name, enrolled_by=signer))
    member.recipients |= recipients
    member.keys |= keys
    member.role = member.role or (role if isinstance(role, str) else None)
    return []


def _words(value: Json) -> set[str] | None:
    if not isinstance(value, list) or len(value) > _MAX_KEYS:
        return None
    words = {word for word in value if isinstance(word, str)}
    return words if len(words) == len(value) else None


def _wrong(segment: Segment, line: int, why: str) -> Problem:
    return Problem("not entitled", f"{segment.path}:{line}", why)


def disagreement(members: Members, name: str, state: State | None) -> str | None:
    """Why the member file of `name` (None: there is none) is no true picture of the fold; None if it is."""
    member = members.by_name.get(name)
    if member is None:
        return f"{name} was never enrolled by a member"
    if state is None:
        return f"the file of {name}, who was enrolled by {member.enrolled_by}, is gone"
    if (state.kind, state.scope, state.id) != ("member", "store", f"m-{name}"):
        return f"it holds {state.scope}/{state.kind}/{state.id}"
    for what, signed in (("recipients", member.recipients), ("keys", member.keys)):
        if (shown := _elements(state, what)) != signed:
            extra = sorted(shown - signed) or sorted(signed - shown)
            return f"its {what} are not those that were signed: {str(extra[0])[:60]!r}"
    roles = set(map(str, state.fields.get("role", {}).values()))
    if member.role is not None and roles != {member.role}:
        return f"its role is not the one that was signed: {member.role}"
    return None


def _elements(state: State, name: str) -> set[str]:
    registers = state.sets.get(name, {}).values()
    return {str(value) for register in registers for value in register.values()}
