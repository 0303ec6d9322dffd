"""Members come from signed entries alone, and from a chain of them that begins with the founder."""

from __future__ import annotations

import pytest

from gitmem.core.auditing.audit import Change, Head, Segment, closing
from gitmem.core.edit import Pen
from gitmem.core.membership.fold import fold
from gitmem.core.membership.members import Members, disagreement, enrol_detail, genesis_detail, scope_detail
from gitmem.core.record import Json, State
from tests.support.auditing import STORE, Scribe, about, change, constant, enrolment, key_of, new_record, record_change


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


def test_admins_enrol_members() -> None:
    """Through any number of steps, and in any order in which the segments are met."""
    ada, first = _founded()
    second = ada.sign([enrolment("bob", "admin")])
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


def test_old_stores_let_members_enrol_members() -> None:
    """In a store whose beginning names no policy that was allowed, and stays so until it uses roles and the like."""
    ada = Scribe("ada", "ada-1")
    first = ada.sign([ada.genesis(policy=1), enrolment("bob")])
    bob = Scribe("bob", "bob-1")
    second = bob.sign([enrolment("cem")], [first.head])
    members, problems = fold([first, second])
    assert (problems, members.by_name["cem"].enrolled_by) == ([], "bob")
    third = ada.sign([about("role", "cem", role="reader")], [second.head])
    late = bob.sign([enrolment("dan")], [third.head])
    assert _whats([first, second, third, late]) == [("not entitled", f"{late.path}:1")]


def test_members_enrol_nobody() -> None:
    """In a store of today only an admin does; a member may add keys of their own."""
    ada, first = _founded()
    second = ada.sign([enrolment("bob")])
    bob = Scribe("bob", "bob-1")
    third = bob.sign([enrolment("cem")], [second.head])
    more = Change("enrol", "x", None, None, enrol_detail("bob", ["age1bob2"], ["ssh-ed25519 second"]))
    fourth = bob.sign([more])
    assert _whats([first, second, third, fourth]) == [("not entitled", f"{third.path}:1")]
    members = fold([first, second, third, fourth])[0]
    assert list(members.by_name) == ["ada", "bob"]
    assert members.by_name["bob"].recipients == {"age1bob", "age1bob2"}
    assert not members.counts(third.path, 1)
    assert members.counts(fourth.path, 1)


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
    assert disagreement(Members(), "ada", None) is None


def _team(*admins: str) -> tuple[dict[str, Scribe], list[Segment]]:
    """Ada's store with these admins, and eve and dan as members; each has seen the beginning."""
    ada, first = _founded()
    second = ada.sign([*(enrolment(name, "admin") for name in admins), enrolment("eve"), enrolment("dan")])
    scribes = {"ada": ada} | {name: Scribe(name, f"{name}-1") for name in (*admins, "eve", "dan")}
    begun = [scribes[name].sign([change(f"memory/{name}", None, b"x")], [second.head]) for name in (*admins, "eve", "dan")]
    return scribes, [first, second, *begun]


def _names(segments: list[Segment]) -> list[str]:
    return sorted(fold(segments)[0].by_name)


def test_a_removed_member() -> None:
    """What the removal had seen of theirs counts; what they sign later, or signed beside it, does not."""
    team, begun = _team()
    removal = team["ada"].sign([about("remove", "eve", ends={"eve-1": 1})], [begun[2].head])
    beside = team["eve"].sign([change("memory/beside", None, b"x")])
    later = team["eve"].sign([change("memory/later", None, b"x")], [removal.head])
    members, _ = fold([*begun, removal])
    assert ("eve" in members.by_name, "eve" in members.removed) == (False, True)
    assert _whats([*begun, removal]) == []
    assert _whats([later, beside, *begun, removal]) == [("not entitled", f"{s.path}:1") for s in (beside, later)]
    again = team["ada"].sign([enrolment("eve", "service")], [later.head])
    back = team["eve"].sign([change("log/x", b"x", b"x", "read")], [again.head])
    assert _whats([*begun, removal, beside, later, again, back]) == [("not entitled", f"{s.path}:1") for s in (beside, later)]


def test_nobody_raises_themselves() -> None:
    """Roles are an admin's to give, and so is leaving to take: but anybody may leave."""
    team, begun = _team()
    for entry in (about("role", "eve", role="admin"), about("remove", "dan"), enrolment("mal"), enrolment("eve", "admin")):
        segment = Scribe("eve", "eve-1", begun[2].head).sign([entry], [begun[3].head])
        members = fold([*begun, segment])[0]
        assert (members.by_name["eve"].role, sorted(members.by_name)) == ("member", ["ada", "dan", "eve"])
    leaves = team["eve"].sign([about("remove", "eve")])
    assert (_whats([*begun, leaves]), _names([*begun, leaves])) == ([], ["ada", "dan"])


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        ("reader", "memory/a", False),
        ("reader", ".gitmem/keys/team/1-aaaaaaaa/eve.age", True),
        ("reader", ".gitmem/members/eve.yaml", True),
        ("reader", ".gitmem/members/dan.yaml", False),
        ("service", "memory/a", True),
        ("service", "log/events/a", True),
        ("service", ".gitmem/config.yaml", False),
        ("service", ".gitmem/keys/team/1-aaaaaaaa/dan.age", False),
        ("member", ".gitmem/config.yaml", True),
        ("member", ".gitmem/keys/team/1-aaaaaaaa/dan.age", False),
        ("admin", ".gitmem/keys/team/1-aaaaaaaa/dan.age", True),
    ],
)
def test_what_a_role_may_change(role: str, path: str, allowed: bool) -> None:
    """A reader nothing but what is their own, a service records, a member the store's files, an admin who may read."""
    team, begun = _team()
    given = team["ada"].sign([about("role", "eve", role=role)], [begun[2].head])
    acts = team["eve"].sign([change(path, None, b"x")], [given.head])
    assert _whats([*begun, given, acts]) == ([] if allowed else [("not entitled", f"{acts.path}:1")])


def test_lowering_wins_over_what_is_beside_it() -> None:
    """An admin who is lowered has enrolled nobody while she did not know it."""
    team, begun = _team("bob")
    lowered = team["ada"].sign([about("role", "bob", role="member")], [begun[2].head])
    beside = team["bob"].sign([enrolment("mal"), change("memory/beside", None, b"x")])
    assert _whats([*begun, lowered, beside]) == [("not entitled", f"{beside.path}:1")]
    assert "mal" not in _names([*begun, lowered, beside])


def test_two_admins_remove_each_other() -> None:
    """The senior stands, whoever's log comes first, and the other's entry does not count."""
    for early, late in (("aaa-1", "zzz-1"), ("zzz-1", "aaa-1")):
        ada = Scribe("ada", early)
        first = ada.sign([change(".gitattributes", None, b"x"), ada.genesis(), enrolment("ada"), enrolment("bob", "admin")])
        bob = Scribe("bob", late)
        begun = bob.sign([change("memory/a", None, b"x")], [first.head])
        more = Scribe("ada", "mmm-1").sign([change("memory/b", None, b"x")], [begun.head])
        one = ada.sign([about("remove", "bob")], [begun.head, more.head])
        other = bob.sign([about("remove", "ada")])
        members, problems = fold([first, begun, more, one, other])
        assert list(members.by_name) == ["ada"]
        assert [problem.where for problem in problems] == [f"{other.path}:1"]


def test_the_last_admin_stays() -> None:
    """Neither removed nor lowered, by herself or by the recovery identity."""
    team, begun = _team("bob")
    gone = team["ada"].sign([about("remove", "bob")], [begun[2].head])
    recovery = Scribe("recovery", "rec-1")
    for scribe, entry in ((team["ada"], about("role", "ada", role="reader")), (recovery, about("remove", "ada"))):
        segment = scribe.sign([entry], [gone.head] if scribe is recovery else [])
        assert ("not entitled", f"{segment.path}:1") in _whats([*begun, gone, segment])
        assert fold([*begun, gone, segment])[0].admins() == ["ada"]


def test_recovery() -> None:
    """The recovery identity enrols a new key for somebody, or a new admin, and comes before every admin."""
    team, begun = _team("bob")
    recovery = Scribe("recovery", "rec-1")
    saves = recovery.sign([enrolment("new", "admin"), about("remove", "ada")], [begun[2].head])
    fights = team["ada"].sign([enrolment("mal", "admin"), change("memory/x", None, b"x")])
    members, problems = fold([*begun, saves, fights])
    assert members.admins() == ["bob", "new"]
    assert [problem.where for problem in problems] == [f"{fights.path}:1"] * len(problems)
    assert members.recovery is not None


def test_a_key_given_while_its_owner_is_removed() -> None:
    """Removal wins over it, and nobody did wrong."""
    team, begun = _team("bob")
    gone = team["ada"].sign([about("remove", "eve")], [s.head for s in begun[2:]])
    beside = team["bob"].sign([Change("enrol", "x", None, None, enrol_detail("eve", ["age1new"], ["ssh-ed25519 new"]))])
    again = team["ada"].sign([enrolment("eve")], [beside.head])
    members, problems = fold([*begun, gone, beside, again])
    assert (problems, members.by_name["eve"].recipients) == ([], {"age1eve"})


def test_what_others_have_answered_for() -> None:
    """A refused segment that somebody else sets aside is no problem any more, and counts as little as before."""
    team, begun = _team()
    bad = team["eve"].sign([about("role", "eve", role="admin")], [begun[3].head])
    for name, silent in (("eve", False), ("dan", True)):
        set_aside = Scribe(name, f"{name}-1", fold_head(begun, bad, name)).sign(
            [change(bad.path, bad.data, bad.data, "quarantine")], [bad.head] if name != "eve" else []
        )
        members, problems = fold([*begun, bad, set_aside])
        assert (problems == [], bad.path in members.answered) == (silent, silent)
        assert not members.counts(bad.path, 1)


def fold_head(begun: list[Segment], bad: Segment, name: str) -> Head:
    """The end of somebody's log."""
    return next(s.head for s in [bad, *reversed(begun)] if s.entries[0].subject == name)


def test_scopes() -> None:
    """Whoever makes one says who belongs to it; being dropped wins over being added; leavers leave them all, for good."""
    team, begun = _team()
    made = team["eve"].sign([Change("scope", "x", None, None, scope_detail("ops", ["eve", "dan", "ada"]))], [begun[3].head])
    seen = team["dan"].sign([Change("scope", "x", None, None, scope_detail("ops", ["mal"], admins=["dan"]))], [made.head])
    members, problems = fold([*begun, made, seen])
    assert [problem.where for problem in problems] == [f"{seen.path}:1"]
    assert (members.scopes["ops"].members, members.scopes["ops"].admins) == ({"ada", "dan", "eve"}, {"eve"})
    again = team["eve"].sign([Change("scope", "x", None, None, scope_detail("ops", ["dan"]))])
    drops = team["ada"].sign([Change("scope", "x", None, None, scope_detail("ops", drop=["dan"]))], [made.head])
    members, problems = fold([*begun, made, again, drops])
    assert (problems, members.scopes["ops"].members) == ([], {"ada", "eve"})
    key = team["eve"].sign([change(".gitmem/keys/ops/1-0123abcd/dan.age", None, b"x")])
    gone = team["ada"].sign([about("remove", "eve")], [key.head])
    members, problems = fold([*begun, made, again, drops, key, gone])
    assert problems == []  # what she passed on while she had the right stands
    assert (members.scopes["ops"].members, members.scopes["ops"].admins) == ({"ada"}, set())
    assert [member.name for member in members.readers("ops")] == ["ada"]
    assert len(members.readers("team")) == 2
    back = team["ada"].sign([enrolment("eve")])
    members, problems = fold([*begun, made, again, drops, key, gone, back])
    assert (problems, members.scopes["ops"].members, members.scopes["ops"].admins) == ([], {"ada"}, set())
    into = team["ada"].sign([Change("scope", "x", None, None, scope_detail("ops", ["eve"]))])
    assert fold([*begun, made, again, drops, key, gone, back, into])[0].scopes["ops"].members == {"ada", "eve"}


def test_who_writes_into_a_scope() -> None:
    """Its members by what they had seen; anybody else repeats what they wrote, counts, and takes out what was refused."""
    team, begun = _team()
    made = team["eve"].sign(
        [Change("scope", "x", None, None, scope_detail("ops", ["eve", "dan"]))], [begun[2].head, begun[3].head]
    )
    path, record = "memory/ops/pattern/ab/p-ab.yaml", new_record("eve-1", "p-ab", fix="true")
    written = team["eve"].sign([record_change(path, None, record)])
    lie, dead, told = Pen(record, "ada-1"), Pen(record, "ada-1"), record.copy()
    lie.set("fix", constant("false"))
    dead.die()
    told.counts = {"fixed": {"ada-1": 3}}
    head = team["ada"].head
    for after, why in ((told, False), (lie.state, True), (dead.state, True)):
        again = Scribe("ada", "ada-1", head).sign([record_change(path, None, after)], [written.head])
        assert [problem.what for problem in fold([*begun, made, written, again])[1]] == ["not entitled"] * why
    trick = record_change(path, record, lie.state)
    trick.detail["gone"] = {"eve-1": [1], "ada-1": [1]}
    forged = Scribe("ada", "ada-1", head).sign([trick], [written.head])
    answer = Scribe("dan", "dan-1", team["dan"].head).sign([trick], [forged.head])
    assert _whats([*begun, made, written, forged, answer]) == [("not entitled", f"{forged.path}:1")]
    drops = team["eve"].sign([Change("scope", "x", None, None, scope_detail("ops", drop=["dan"]))])
    for seen, whats in ((written, 0), (drops, 1)):
        edit = Scribe("dan", "dan-1", team["dan"].head).sign([record_change(path, record, lie.state)], [seen.head])
        assert len(_whats([*begun, made, written, drops, edit])) == whats


def test_an_agents_own_scope() -> None:
    """A service makes the scope that bears its name, at two clones at once too, and no other; nobody else gets into it so."""
    ada, first = _founded()
    enrolled = ada.sign([enrolment("bot", "service"), enrolment("eve")])
    bot, clone = Scribe("bot", "bot-1"), Scribe("bot", "bot-2")

    def own(name: str) -> Change:
        return Change(
            "scope", f".gitmem/keys/agents/{name}/1-0123abcd/{name}.age", None, None, scope_detail(f"agents/{name}", [name])
        )

    key = change(".gitmem/keys/agents/bot/1-0123abcd/recovery.age", None, b"x")
    made = bot.sign([own("bot"), key], [enrolled.head])
    twin = clone.sign([own("bot"), key], [enrolled.head])
    for order in ([first, enrolled, made, twin], [twin, made, enrolled, first]):
        members, problems = fold(order)
        assert (problems, members.scopes["agents/bot"].admins) == ([], {"bot"})
    other = bot.sign([own("eve")])
    intruder = Scribe("eve", "eve-1").sign(
        [Change("scope", "x", None, None, scope_detail("agents/bot", ["eve"]))], [enrolled.head]
    )
    members, problems = fold([first, enrolled, made, twin, other, intruder])
    assert {problem.where for problem in problems} == {f"{other.path}:1", f"{intruder.path}:1"}
    assert members.scopes["agents/bot"].members == {"bot"}
