"""Attacks of a host on the log: segments edited, cut, dropped, doubled, swapped, moved, forged, signed again."""

from __future__ import annotations

import json

from gitmem.core.auditing.audit import Segment, place_of, segment_path
from gitmem.core.dots import json_line
from gitmem.crypto.signing import SigningKey
from gitmem.store.layout import AUDIT, EVENTS, MEMBERS
from tests.support.auditing import change, enrolment
from tests.tamper.hands import Host, Insider, signed_again, told_again
from tests.tamper.table import Expected, host, named


def _stranger(hand: Host) -> SigningKey:
    """A key of somebody who is no member."""
    return SigningKey.derive(hand.rng.randbytes(32), hand.store)


def _some(hand: Host) -> Segment:
    return hand.rng.choice([segment for chain in hand.chains().values() for segment in chain])


def _with_lines(hand: Host) -> Segment:
    """A segment of several entries."""
    return hand.rng.choice([s for chain in hand.chains().values() for s in chain if len(s.entries) > 1])


@host()
def segment_taken_out(hand: Host) -> Expected:
    """One from the middle of a chain."""
    segment = hand.rng.choice(hand.chain(at_least=3)[1:-1])
    hand.put({segment.path: None})
    return named(("removed segment", segment.path), ("missing segment", segment.path))


@host()
def segment_taken_out_of_all_history(hand: Host) -> Expected:
    """The same, in a history where it never was."""
    segment = hand.rng.choice(hand.chain(at_least=3)[1:-1])
    hand.rewrite({segment.path: None})
    return named(("missing segment", segment.path))


@host()
def first_segment_taken_out(hand: Host) -> Expected:
    """The beginning of a chain."""
    segment = hand.chain(at_least=2)[0]
    hand.rewrite({segment.path: None})
    return named(("missing segment", segment.path))


@host()
def last_segment_taken_out(hand: Host) -> Expected:
    """The end of a chain, with what it changed left as it is."""
    segment = hand.chain()[-1]
    hand.put({segment.path: None})
    return named(("removed segment", segment.path))


@host()
def last_segment_taken_out_of_all_history(hand: Host) -> Expected:
    """The same in a history where it never was: what it vouched for has nobody to vouch for it."""
    segment = hand.chain()[-1]
    hand.rewrite({segment.path: None})
    unsigned = next(entry.object for entry in segment.entries if entry.object.startswith(EVENTS))
    return named(("unsigned change", unsigned))


@host()
def chain_taken_out(hand: Host) -> Expected:
    """All that a writer ever logged."""
    chain = hand.chain()
    hand.rewrite({segment.path: None for segment in chain})
    return named(("unsigned change", ""), ("missing entries", f"{AUDIT}/{chain[0].writer}"))


@host()
def log_taken_out(hand: Host) -> Expected:
    """All that anybody ever logged."""
    hand.rewrite(dict.fromkeys(hand.files(AUDIT)))
    return named(("no beginning", AUDIT))


@host()
def segment_cut_off(hand: Host) -> Expected:
    """The end of a file is missing."""
    segment = _some(hand)
    hand.put({segment.path: segment.data[: hand.rng.randrange(len(segment.data) - 1)]})
    return named(("changed segment", segment.path), ("unreadable segment", segment.path))


@host()
def segment_edited(hand: Host) -> Expected:
    """Another operation in an entry."""
    segment = _some(hand)
    line = segment.body.splitlines()[-1]
    wrong = segment.data.replace(line, json_line(json.loads(line) | {"op": "forged"}).encode())
    hand.put({segment.path: wrong})
    return named(("changed segment", segment.path), ("bad signature", segment.path))


@host()
def segment_edited_in_all_history(hand: Host) -> Expected:
    """Another time in an entry, in a history where it always stood."""
    segment = _some(hand)
    _, signature = segment.data[:-1].rsplit(b"\n", 1)
    body, _, _ = told_again(segment, _stranger(hand), time="2001-01-01T00:00:00Z")[:-1].rpartition(b"\n")
    hand.rewrite({segment.path: body + b"\n" + signature + b"\n"})
    return named(("bad signature", segment.path))


@host()
def segment_spelled_otherwise(hand: Host) -> Expected:
    """The same entries with other spaces."""
    segment = _some(hand)
    hand.rewrite({segment.path: segment.data.replace(b'"op":', b'"op": ')})
    return named(("unreadable segment", f"{segment.path}:1"))


@host()
def entry_taken_out_of_a_segment(hand: Host) -> Expected:
    """One line less."""
    segment = _with_lines(hand)
    lines = segment.data.splitlines(keepends=True)
    del lines[hand.rng.randrange(len(lines) - 1)]
    hand.rewrite({segment.path: b"".join(lines)})
    return named(("", segment.path))


@host()
def entry_doubled_in_a_segment(hand: Host) -> Expected:
    """One line twice."""
    segment = _some(hand)
    lines = segment.data.splitlines(keepends=True)
    hand.rewrite({segment.path: b"".join([lines[0], *lines])})
    return named(("unreadable segment", segment.path))


@host()
def segments_swapped(hand: Host) -> Expected:
    """Two of one chain exchanged."""
    a, b = hand.rng.sample(hand.chain(at_least=3), 2)
    hand.rewrite({a.path: b.data, b.path: a.data})
    return named(("broken chain", f"{min(a.path, b.path)}:1"))


@host()
def segment_replayed(hand: Host) -> Expected:
    """The last one again, as the next."""
    last = hand.chain()[-1]
    path = segment_path(last.writer, last.number + 1)
    hand.put({path: last.data})
    return named(("broken chain", f"{path}:1"))


@host()
def segment_moved_to_another_chain(hand: Host) -> Expected:
    """One writer's segment in the chain of another."""
    (writer, chain), (_, others), *_ = hand.rng.sample(sorted(hand.chains().items()), 2)
    path = segment_path(writer, len(chain) + 1)
    hand.put({path: others[-1].data})
    return named(("unreadable segment", path))


@host()
def segment_with_anothers_signature(hand: Host) -> Expected:
    """The last line of another segment of the same key."""
    first, second = hand.rng.sample(hand.chain(at_least=2), 2)
    hand.rewrite({first.path: first.body + second.data.splitlines(keepends=True)[-1]})
    return named(("bad signature", first.path))


@host()
def segment_signed_again_by_a_stranger(hand: Host) -> Expected:
    """True entries, another key."""
    segment = _some(hand)
    hand.rewrite({segment.path: signed_again(segment, _stranger(hand))})
    founding = any(entry.op == "init" for entry in segment.entries)
    return named(("not entitled" if founding else "unknown signer", segment.path))


@host()
def segment_of_a_stranger(hand: Host) -> Expected:
    """A chain of somebody nobody enrolled, with a record that it vouches for."""
    eve = _as_stranger(hand)
    segment = eve.sign([change("memory/x", None, b"x")], writer="evil0000-1")
    hand.put({segment.path: segment.data, "memory/x": b"x"})
    return named(("unknown signer", segment.path))


@host()
def stranger_goes_on_with_a_members_chain(hand: Host) -> Expected:
    """The next segment of a member's, signed by another key."""
    eve = _as_stranger(hand)
    writer = hand.rng.choice(sorted(hand.chains()))
    subject = hand.chains()[writer][0].entries[0].subject
    segment = eve.sign([change("memory/x", None, b"x")], writer=writer, subject=subject)
    hand.put({segment.path: segment.data, "memory/x": b"x"})
    return named(("unknown signer", segment.path))


@host()
def stranger_enrols_themselves(hand: Host) -> Expected:
    """An enrolment signed by the one it enrols."""
    eve = _as_stranger(hand)
    detail = enrolment("eve")
    detail.detail["keys"] = [eve.key.public]
    segment = eve.sign([detail], writer="evil0000-1")
    hand.put({segment.path: segment.data})
    return named(("unknown signer", segment.path))


@host()
def stranger_founds_the_store_again(hand: Host) -> Expected:
    """A second beginning, before the first by its clock."""
    eve = _as_stranger(hand)
    first = next(entry for chain in hand.chains().values() for s in chain for entry in s.entries if entry.op == "init")
    genesis = change(first.object, None, b"x", "init")
    genesis.detail.update({"member": "eve", "recipient": "age1eve", "key": eve.key.public, "store": hand.store})
    segment = eve.sign([genesis], writer="00000000-1")
    hand.put({segment.path: segment.data})
    return named(("", ""))


@host()
def key_named_that_did_not_sign(hand: Host) -> Expected:
    """A member's key beside a stranger's signature."""
    segment = _some(hand)
    last = json_line({"key": segment.key, "sig": _stranger(hand).sign(segment.body)}).encode() + b"\n"
    hand.rewrite({segment.path: segment.body + last})
    return named(("bad signature", segment.path))


@host()
def segment_told_of_another_store(hand: Host) -> Expected:
    """The entries of this store's log, as if of another one."""
    segment = _some(hand)
    hand.rewrite({segment.path: told_again(segment, _stranger(hand), store="s-" + "0" * 26)})
    return named(("", segment.path))


@host()
def file_that_is_no_segment(hand: Host) -> Expected:
    """Something else among the segments."""
    path = f"{AUDIT}/{hand.chain()[0].writer}/000/notes.txt"
    hand.put({path: b"x"})
    return named(("unreadable segment", path))


@host()
def segment_far_ahead(hand: Host) -> Expected:
    """A segment under a number that leaves a gap."""
    last = hand.chain()[-1]
    path = segment_path(last.writer, last.number + hand.rng.choice([2, 1000]))
    assert place_of(path)
    hand.put({path: last.data})
    return named(("missing segment", segment_path(last.writer, last.number + 1)))


def _as_stranger(hand: Host) -> Insider:
    """Somebody with a key of their own that nobody enrolled."""
    eve = Insider(hand.ground, hand.rng, "eve")
    eve.__dict__["key"] = _stranger(hand)
    return eve


@host()
def member_file_put_in(hand: Host) -> Expected:
    """A member nobody enrolled."""
    path = f"{MEMBERS}/eve.yaml"
    hand.put({path: hand.read(f"{MEMBERS}/bob.yaml").replace(b"m-bob", b"m-eve")})
    return named(("wrong member file", path), ("unsigned change", path))
