"""Members who sign: what audit tests build logs and records with."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from gitmem.core.auditing.audit import Change, Head, Segment, build_segment
from gitmem.core.auditing.delta import record_detail
from gitmem.core.codec import emit
from gitmem.core.edit import Pen, Seal
from gitmem.core.membership.members import POLICY, enrol_detail, genesis_detail
from gitmem.core.record import Json, State
from gitmem.crypto.signing import SigningKey

STORE = "s-0123456789"
TIME = "2026-11-20T10:00:00Z"


def hexdigest(data: bytes | None) -> str | None:
    """SHA-256 in hex, None for no file."""
    return None if data is None else sha256(data).hexdigest()


def key_of(name: str) -> SigningKey:
    """The signing key of the test member `name`."""
    return SigningKey.derive(name.encode().ljust(32, b"."), STORE)


class Scribe:
    """One writer of one member, who keeps the end of its chain."""

    def __init__(self, name: str, writer: str, head: Head | None = None) -> None:
        self.name = name
        self.writer = writer
        self.head = head
        self.key = key_of(name)

    def sign(self, changes: Iterable[Change], seen: Iterable[Head] = (), time: str = TIME) -> Segment:
        """The next segment of the chain."""
        quoted = {head.writer: head for head in seen}
        segment = build_segment(STORE, self.writer, self.head, self.name, quoted, time, changes, self.key.sign, self.key.public)
        self.head = segment.head
        return segment

    def genesis(self, policy: int = POLICY) -> Change:
        """The change that makes this scribe's member the first one; 1 is the policy of the first stores, which named none."""
        recovery = ("age1recovery", key_of("recovery").public)
        detail = genesis_detail(self.name, f"age1{self.name}", self.key.public, STORE, recovery)
        if policy == 1:
            del detail["policy"], detail["recovery"]
        return Change("init", ".gitmem/config.yaml", None, "0" * 64, detail)


def enrolment(name: str, role: str = "member") -> Change:
    """The change that enrols `name`."""
    detail = enrol_detail(name, [f"age1{name}"], [key_of(name).public], role)
    return Change("enrol", f".gitmem/members/{name}.yaml", None, "1" * 64, detail)


def about(op: str, name: str, **detail: Json) -> Change:
    """The change of a member's file that a `role` or `remove` entry tells of."""
    return Change(op, f".gitmem/members/{name}.yaml", "1" * 64, "2" * 64, {"member": name, **detail})


def change(path: str, before: bytes | None, after: bytes | None, op: str = "learn") -> Change:
    """The change of a file that is no record."""
    return Change(op, path, hexdigest(before), hexdigest(after))


def record_change(path: str, before: State | None, after: State, op: str = "edit") -> Change:
    """The change of a record."""
    old = None if before is None else emit(before)
    return Change(op, path, hexdigest(old), hexdigest(emit(after)), record_detail(before, after))


def constant(value: str) -> Seal:
    """A pen's value as it is."""
    return lambda _path, _dot: value


def new_record(writer: str, record_id: str = "p-abcd", **fields: str) -> State:
    """A living record in the clear with these fields."""
    pen = Pen(State("pattern", 1, "team", record_id), writer)
    for name, value in fields.items():
        pen.set(name, constant(value))
    pen.live()
    return pen.state


def edited(state: State, writer: str, **fields: str) -> State:
    """`state` with fields set by `writer`."""
    pen = Pen(state, writer)
    for name, value in fields.items():
        pen.set(name, constant(value))
    return pen.state


def counted(state: State, writer: str, counter: str, by: int = 1) -> State:
    """`state` with a counter of `writer` raised."""
    pen = Pen(state, writer)
    pen.count(counter, by)
    return pen.state
