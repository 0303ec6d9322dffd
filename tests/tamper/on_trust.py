"""Attacks of a member, who signs what they like in their own name, and tries it in others'."""

from __future__ import annotations

from gitmem.core.auditing.audit import EMPTY, Change, Head, closing, segment_path
from gitmem.core.codec import emit, parse
from gitmem.core.collected import empty_list, grave_of, list_of, with_graves
from gitmem.core.dots import checked, dot_of
from gitmem.core.edit import Pen
from gitmem.memory.members.granting import add_scope
from gitmem.memory.privacy.erase import erase
from gitmem.store.layout import AUDIT, CONFIG, MEMBERS, member_path
from tests.support.auditing import change, enrolment
from tests.tamper.hands import BRANCH, Insider, told_again
from tests.tamper.table import Expected, Store, insider, named

UNSIGNED = "unsigned change"
NOT_ENTITLED = "not entitled"
X = "memory/x"


def _add(hand: Insider, changes: list[Change], **signing: object) -> str:
    """Commit a segment of theirs by itself; its path."""
    segment = hand.sign(changes, **signing)  # type: ignore[arg-type]
    hand.put({segment.path: segment.data, X: b"x"})
    return segment.path


@insider()
def signed_in_anothers_name(hand: Insider) -> Expected:
    """An entry that says that ada did it."""
    path = _add(hand, [change(X, None, b"x")], subject="ada")
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def went_on_with_anothers_chain(hand: Insider) -> Expected:
    """A segment at the end of ada's chain."""
    path = _add(hand, [change(X, None, b"x")], writer=hand.writer_of("ada"))
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def closed_anothers_chain(hand: Insider) -> Expected:
    """A new chain that says it goes on where ada left off."""
    writer = hand.writer_of("ada")
    path = _add(hand, [closing(writer, hand.head(writer)), change(X, None, b"x")], writer="evil0000-2")
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def closed_anothers_chain_early(hand: Insider) -> Expected:
    """The same, and ada's chain cut off there."""
    chain = hand.chains()[hand.writer_of("ada")]
    segment = hand.sign([closing(chain[0].writer, chain[1].head)], writer="evil0000-2")
    hand.rewrite({segment.path: segment.data} | {one.path: None for one in chain[2:]})
    return named((NOT_ENTITLED, f"{segment.path}:1"), ("missing entries", f"{AUDIT}/{chain[0].writer}"))


@insider()
def founded_the_store_again(hand: Insider) -> Expected:
    """A second beginning, with themselves as the first member."""
    genesis = change(CONFIG, None, hand.read(CONFIG), "init")
    genesis.detail.update({"member": hand.name, "recipient": "age1x", "key": hand.key.public, "store": hand.store})
    path = _add(hand, [genesis])
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def enrolled_with_anothers_key(hand: Insider) -> Expected:
    """A new name for ada's key: what she signs would be somebody else's."""
    detail = enrolment("eve")
    detail.detail["keys"] = [hand.chains()[hand.writer_of("ada")][0].key]
    path = _add(hand, [detail])
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def let_somebody_in(hand: Insider) -> Expected:
    """An enrolment by somebody who is no admin."""
    path = _add(hand, [enrolment("eve")])
    return named((NOT_ENTITLED, f"{path}:1"))


@insider()
def enrolled_in_the_file_alone(hand: Insider) -> Expected:
    """A recipient in ada's file, signed for as a change of the file, with no enrolment."""
    path = member_path("ada")
    pen = Pen(parse(hand.read(path), path), hand.writer)
    pen.add("recipients", "e" + "a" * 25, lambda _path, _dot: "age1" + "q" * 58)
    hand.commit({path: emit(pen.state)}, "config")
    return named(("wrong member file", path))


@insider()
def made_themselves_an_admin(hand: Insider) -> Expected:
    """Their own role raised in their file, and signed for."""
    path = member_path(hand.name)
    pen = Pen(parse(hand.read(path), path), hand.writer)
    pen.set("role", lambda _path, _dot: "admin")
    hand.commit({path: emit(pen.state)}, "config")
    return named(("wrong member file", path))


@insider()
def took_a_member_out_by_hand(hand: Insider) -> Expected:
    """Ada's file removed, and signed for as any other change."""
    path = member_path("ada")
    hand.commit({path: None}, "config")
    return named(("wrong member file", path))


@insider()
def signed_for_what_is_not_there(hand: Insider) -> Expected:
    """An entry about a content that is in no commit."""
    path, state = hand.pick()
    pen = Pen(state, hand.writer)
    pen.set("fix" if state.kind == "pattern" else min(state.fields), lambda _path, _dot: "never written")
    segment = hand.sign([hand.change(path, emit(pen.state))])
    hand.put({segment.path: segment.data})
    return named(("rolled back", path))


@insider()
def signed_for_another_content(hand: Insider) -> Expected:
    """An entry whose hash is not that of the file it came with."""
    path, state = hand.pick()
    lie = hand.change(path, emit(state))
    state.counts.setdefault("fixed", {})["zzzzzzzz-1"] = 99
    segment = hand.sign([lie])
    hand.put({segment.path: segment.data, path: emit(state)})
    return named((UNSIGNED, path), spoiled=[state.id])


@insider()
def signed_less_than_was_done(hand: Insider) -> Expected:
    """Two records changed, one told of."""
    (told, first), (untold, second), *_ = hand.records().items()
    for state in (first, second):
        state.counts.setdefault("failed", {})[hand.writer] = 50
    segment = hand.sign([hand.change(told, emit(first))])
    hand.put({segment.path: segment.data, told: emit(first), untold: emit(second)})
    return named((UNSIGNED, untold), spoiled=[first.id, second.id])


@insider()
def own_chain_told_in_two_ways(hand: Insider) -> Expected:
    """Another last segment in place of one that others have read."""
    chain = hand.chains()[hand.writer]
    quoted = next(segment for segment in chain if _is_quoted(hand, segment.head))
    other = hand.sign([change(X, None, b"x")], chain[quoted.number - 2].head) if quoted.number > 1 else None
    data = other.data if other else told_again(quoted, hand.key, time="2001-01-01T00:00:00Z")
    hand.rewrite({quoted.path: data, X: b"x"})
    return (
        named(
            ("forked chain", f"{AUDIT}/{hand.writer}"),
        )
        if not other
        else named(("", f"{AUDIT}/{hand.writer}"))
    )


def _is_quoted(hand: Insider, head: Head) -> bool:
    return any(
        first.seen.get(head.writer) == (head.seq, head.hash)
        for chain in hand.chains().values()
        for first in (segment.entries[0] for segment in chain)
    )


@insider()
def own_past_signed_again(hand: Insider) -> Expected:
    """Their whole chain made anew with other times, in a history where it always was so."""
    files: dict[str, bytes | None] = {}
    head: Head | None = None
    for segment in hand.chains()[hand.writer]:
        changes = [Change(e.op, e.object, e.before, e.after, e.detail) for e in segment.entries]
        again = hand.sign(changes, head or Head(hand.writer, 0, 0, EMPTY))
        files[again.path], head = again.data, again.head
    hand.rewrite(files)
    return named(("forked chain", f"{AUDIT}/{hand.writer}"))


@insider()
def own_end_cut_off(hand: Insider) -> Expected:
    """Their last segments taken back after others had read them."""
    chain = hand.chains()[hand.writer]
    last = max(number for number, segment in enumerate(chain) if _is_quoted(hand, segment.head))
    hand.rewrite({segment.path: None for segment in chain[last:]})
    return named(("missing entries", f"{AUDIT}/{hand.writer}"))


@insider()
def claimed_to_have_seen_what_never_was(hand: Insider) -> Expected:
    """A quotation of ada's chain beyond its end."""
    end = hand.head(hand.writer_of("ada"))
    _add(hand, [change(X, None, b"x")], seen=[Head(end.writer, end.segment + 1, end.seq + 9, "0" * 64)])
    return named(("missing entries", f"{AUDIT}/{end.writer}"))


@insider()
def misquoted_another(hand: Insider) -> Expected:
    """A quotation of ada's chain with another hash, to have it look forked."""
    end = hand.head(hand.writer_of("ada"))
    _add(hand, [change(X, None, b"x")], seen=[Head(end.writer, end.segment, end.seq, "0" * 64)])
    return named(("forked chain", f"{AUDIT}/{end.writer}"))


@insider()
def took_a_segment_out_and_answered_for_it(hand: Insider) -> Expected:
    """Ada's last segment removed, with an entry that says that this is well."""
    victim = hand.chains()[hand.writer_of("ada")][-1]
    segment = hand.sign([Change("heal", victim.path, None, None, {"answers": [None]})])
    hand.put({segment.path: segment.data, victim.path: None})
    return named(("removed segment", victim.path))


@insider()
def changed_a_segment_and_answered_for_it(hand: Insider) -> Expected:
    """Ada's last segment given another content, with an entry that answers for it."""
    victim = hand.chains()[hand.writer_of("ada")][-1]
    wrong = victim.data.replace(b'"sig":"-----BEGIN SSH SIGNATURE-----\\nU1NI', b'"sig":"-----BEGIN SSH SIGNATURE-----\\nU1NJ')
    lie = change(victim.path, victim.data, wrong, "heal")
    lie.detail["answers"] = [lie.after]
    segment = hand.sign([lie])
    hand.put({segment.path: segment.data, victim.path: wrong})
    return named(("changed segment", victim.path), ("bad signature", victim.path))


@insider()
def buried_by_a_list_alone(hand: Insider) -> Expected:
    """A grave of a living record, in a list that is signed for, and its file taken out beside it."""
    path, state = hand.pick()
    dead = state.copy()
    dead.life = dict.fromkeys(state.life, "dead")
    graves = list_of(path)
    listing = emit(with_graves(empty_list(graves), hand.writer, [grave_of(dead)]))
    segment = hand.sign([hand.change(graves, listing, "collect")])
    hand.put({path: None, graves: listing, segment.path: segment.data})
    return named((NOT_ENTITLED, segment.path), ("missing file", path), aside=f"bob had no right to bury {path}")


@insider(Store.SEALED)
def plaintext_signed_for(hand: Insider) -> Expected:
    """A value in the clear with a true entry: the log is right, and the sync sets it aside."""
    path, state = next(one for one in hand.records().items() if one[1].kind == "pattern")
    dot = str(dot_of(min(state.fields["fix"])))
    state.fields["fix"] = {checked("fields/fix", dot, "in the clear"): "in the clear"}
    hand.commit({path: emit(state)})
    return named(aside=path)


@insider(Store.SEALED)
def token_moved_and_signed_for(hand: Insider) -> Expected:
    """Another record's ciphertext with a true entry."""
    (path, state), (_, other), *_ = [one for one in hand.records().items() if one[1].kind == "pattern"]
    state.fields["fix"] = {min(state.fields["fix"]): other.fields["fix"][min(other.fields["fix"])]}
    hand.commit({path: emit(state)})
    return named(aside=path)


@insider()
def garbage_signed_for(hand: Insider) -> Expected:
    """What is no record, with a true entry about the file."""
    path, state = hand.pick()
    broken = emit(state).replace(b"kind: ", b"kind:  ")
    segment = hand.sign([change(path, emit(state), broken, "edit")])
    hand.put({segment.path: segment.data, path: broken})
    return named(aside=path)


@insider()
def member_file_removed_and_chain_kept(hand: Insider) -> Expected:
    """All member files taken out at once."""
    hand.put(dict.fromkeys(hand.files(MEMBERS)))
    return named(("wrong member file", member_path("ada")), ("wrong member file", member_path("bob")))


@insider()
def segment_number_skipped(hand: Insider) -> Expected:
    """A segment of theirs under a number that leaves room for another one later."""
    head = hand.head()
    skipped = Head(head.writer, head.segment + 1, head.seq, head.hash)
    path = _add(hand, [change(X, None, b"x")], head=skipped)
    assert path != segment_path(head.writer, head.segment + 1)
    return named(("missing segment", segment_path(head.writer, head.segment + 1)))


@insider(Store.SEALED)
def erased_from_a_scope_of_others(hand: Insider) -> Expected:
    """A record of a scope that bob is not in, erased by a gitmem that lets him: its grave does not stand either."""
    with hand.ground.at("cyd") as cyd:
        add_scope(cyd.context, "ops")
        record = cyd.learn("note", {"text": "the vault code"}, scope="ops").id
        cyd.sync()
    with hand.ground.at("bob") as bob:
        bob.sync()
        bob.context.store.marks.set_note("role", "admin")
        erase(bob.context, [record])
        hand.repo.run("fetch", "--quiet", str(hand.ground.folder / "bob"), f"+HEAD:{BRANCH}")
    return named((NOT_ENTITLED, AUDIT), spoiled=[record], aside="bob, who is not in ops")
