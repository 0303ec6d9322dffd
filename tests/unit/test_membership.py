"""Members come from signed entries alone, and from a chain of them that begins with the founder."""

from __future__ import annotations

import pytest

from gitmem.core.audit import Change, Segment, closing
from gitmem.core.edit import Pen
from gitmem.core.membership import Members, disagreement, enrol_detail, fold, genesis_detail
from gitmem.core.record import Json, State
from tests.support.auditing import STORE, Scribe, change, constant, enrolment, key_of


def _founded() -> tuple[Scribe, Segment]:
    ada = Scribe("ada", "ada-1")
    return ada, ada.sign([change(".gitattributes", None, b"x"), ada.genesis(), enrolment("ada")])


def _whats(segments: list[Segment]) -> list[tuple[str, str]]:
    return [(problem.what, problem.where) for problem in fold(segments)[1]]


def test_the_first_member() -> None:
    """Whoever signs the beginning of the store is its first member."""
    _, first = _founded()
    members, problems = fold([first])
    assert problems == []
    assert members.store == STORE
    assert members.by_name["ada"].recipients == {"age1ada"}
    assert members.holder(key_of("ada").public) == "ada"
    assert members.holder(key_of("eve").public) is None


def test_members_enrol_members() -> None:
    """Through any number of steps, and in any order in which the segments are met."""
    ada, first = _founded()
    second = ada.sign([enrolment("bob")])
    bob = Scribe("bob", "bob-1")
    third = bob.sign([enrolment("cem")], [second.head])
    fourth = Scribe("cem", "cem-1").sign([change("memory/a", None, b"x")], [third.head])
    for segments in ([first, second, third, fourth], [fourth, third, second, first]):
        members, problems = fold(segments)
        assert problems == []
        assert {name: m.enrolled_by for name, m in members.by_name.items()} == {"ada": "ada", "bob": "ada", "cem": "bob"}


def test_a_clock_that_is_wrong() -> None:
    """What a writer has seen decides, not the time it gives."""
    ada, first = _founded()
    second = ada.sign([enrolment("bob")])
    early = Scribe("bob", "bob-1").sign([change("memory/a", None, b"x")], [second.head], time="1999-01-01T00:00:00Z")
    assert _whats([early, first, second]) == []


def test_another_key_for_a_member() -> None:
    """A second enrolment adds keys and recipients, and leaves the role as it was."""
    ada, first = _founded()
    more = Change("enrol", "x", None, None, enrol_detail("bob", ["age1bob2"], ["ssh-ed25519 second"], "admin"))
    members, problems = fold([first, ada.sign([enrolment("bob")]), ada.sign([more])])
    assert problems == []
    assert members.by_name["bob"].recipients == {"age1bob", "age1bob2"}
    assert members.by_name["bob"].keys == {key_of("bob").public, "ssh-ed25519 second"}
    assert members.by_name["bob"].role == "member"


def test_strangers() -> None:
    """Who is no member cannot make one, alone or in a circle."""
    _, first = _founded()
    eve, mallory = Scribe("eve", "eve-1"), Scribe("mallory", "mal-1")
    segments = [first, eve.sign([enrolment("mallory"), enrolment("eve")]), mallory.sign([enrolment("eve")])]
    assert _whats(segments) == [("unknown signer", segments[1].path), ("unknown signer", segments[2].path)]
    assert list(fold(segments)[0].by_name) == ["ada"]


def test_no_beginning() -> None:
    """Without the entry that founds the store nobody is a member."""
    segment = Scribe("ada", "ada-1").sign([enrolment("ada")])
    assert _whats([segment]) == [("no beginning", "log/audit"), ("unknown signer", segment.path)]
    assert _whats([])[0] == ("no beginning", "log/audit")


@pytest.mark.parametrize(
    "detail",
    [
        genesis_detail("eve", "age1", key_of("ada").public, STORE),
        genesis_detail("ada", "age1", key_of("eve").public, STORE),
        genesis_detail("ada", "age1", key_of("ada").public, "s-other"),
        {"member": "ada", "key": key_of("ada").public, "store": STORE},
        {},
    ],
)
def test_a_beginning_that_does_not_fit_its_signature(detail: dict[str, Json]) -> None:
    """It names its signer, the signing key and the store it is in."""
    segment = Scribe("ada", "ada-1").sign([Change("init", ".gitmem/config.yaml", None, None, detail)])
    assert ("not entitled", f"{segment.path}:1") in _whats([segment])


def test_two_beginnings() -> None:
    """A second one is a problem, by the founder or by another member, early or late."""
    ada, first = _founded()
    again = Scribe("ada", "ada-2")
    later = again.sign([again.genesis()], [first.head])
    assert _whats([first, later]) == [("not entitled", f"{later.path}:1")]
    late = ada.sign([ada.genesis()])
    assert _whats([first, late]) == [("not entitled", f"{late.path}:1")]


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"member": "bob"},
        {"member": "../bob", "recipients": [], "keys": []},
        {"member": "bob", "recipients": "age1", "keys": []},
        {"member": "bob", "recipients": [1], "keys": []},
        {"member": "bob", "recipients": ["a", "a"], "keys": []},
        {"member": "bob", "recipients": [], "keys": ["k"] * 100},
        {"member": "bob", "recipients": [], "keys": [key_of("ada").public]},
    ],
)
def test_enrolments_that_name_nobody(detail: dict[str, Json]) -> None:
    """A name, recipients and keys are needed, and a key has one holder."""
    ada, first = _founded()
    segment = ada.sign([Change("enrol", "x", None, None, detail)])
    assert _whats([first, segment]) == [("not entitled", f"{segment.path}:1")]


def test_each_writes_in_her_own_log_and_name() -> None:
    """A member signs neither as another, nor in another's log, nor closes one, nor speaks of another store."""
    ada, first = _founded()
    second = ada.sign([enrolment("bob")])

    def problem(bob: Scribe, entry: Change) -> list[tuple[str, str]]:
        segment = bob.sign([entry], [second.head] if bob.writer != "ada-1" else [])
        return [(what, where.removeprefix(segment.path)) for what, where in _whats([first, second, segment])]

    entry = change("memory/a", None, b"x")
    as_ada = Scribe("bob", "bob-1")
    as_ada.name = "ada"
    assert problem(Scribe("bob", "bob-1"), entry) == []
    for bob, what in (
        (as_ada, entry),
        (Scribe("bob", "ada-1", second.head), entry),
        (Scribe("bob", "bob-1"), closing("ada-1", second.head)),
    ):
        assert problem(bob, what) == [("not entitled", ":1")]


def _file(name: str, recipients: list[str], keys: list[str], role: str = "member") -> State:
    pen = Pen(State("member", 1, "store", f"m-{name}"), "ada-1")
    pen.set("role", lambda _path, _dot: role)
    for number, value in enumerate(recipients):
        pen.add("recipients", f"r{'abc'[number]}", constant(value))
    for number, value in enumerate(keys):
        pen.add("keys", f"k{'abc'[number]}", constant(value))
    return pen.state


def test_the_picture_agrees_with_the_fold() -> None:
    """A member file shows what was signed: nobody else, and no recipient, key or role more or less."""
    ada, first = _founded()
    members = fold([first, ada.sign([enrolment("bob")])])[0]
    key = key_of("bob").public
    assert disagreement(members, "bob", _file("bob", ["age1bob"], [key])) is None
    wrong: list[tuple[str, State | None]] = [
        ("eve", _file("eve", ["age1eve"], [])),
        ("bob", None),
        ("bob", _file("eve", ["age1bob"], [key])),
        ("bob", _file("bob", ["age1bob", "age1eve"], [key])),
        ("bob", _file("bob", [], [key])),
        ("bob", _file("bob", ["age1bob"], [key, "k2"])),
        ("bob", _file("bob", ["age1bob"], [key], role="admin")),
    ]
    assert all(disagreement(members, name, state) for name, state in wrong)
    assert disagreement(Members(), "ada", None)
