"""Attacks on whole files: cut, emptied, swapped, copied, moved, taken out, rolled back, put in."""

from __future__ import annotations

from gitmem.core.codec import emit, parse
from gitmem.core.collected import empty_list, grave_of, list_of, with_graves
from gitmem.git.repo import Entry
from gitmem.store.layout import ATTRIBUTES, CONFIG, EVENTS, record_path
from tests.tamper.hands import Host
from tests.tamper.table import Expected, Store, host, named

UNSIGNED = "unsigned change"
ELSEWHERE = "p-aaaaaaaaaaaaaaaaaaaaaaaaaa"


def _events(hand: Host, count: int = 1) -> list[str]:
    """Batches of events of one writer, in order."""
    by_writer: dict[str, list[str]] = {}
    for path in sorted(hand.files(EVENTS)):
        by_writer.setdefault(path.split("/")[2], []).append(path)
    return hand.rng.choice([paths for paths in by_writer.values() if len(paths) >= count])


@host()
def record_spelled_otherwise(hand: Host) -> Expected:
    """The same record with one more space, an empty line, or its lines in another order."""
    path, state = hand.pick()
    data = emit(state)
    wrong = [data.replace(b"kind: ", b"kind:  "), data + b"\n", data.replace(b"\n", b"\r\n")]
    hand.put({path: hand.rng.choice(wrong)})
    return named((UNSIGNED, path), aside=path)


@host()
def record_cut_off(hand: Host) -> Expected:
    """The end of a file is missing."""
    path, state = hand.pick()
    data = emit(state)
    hand.put({path: data[: hand.rng.randrange(1, len(data) - 1)]})
    return named((UNSIGNED, path), aside=path)


@host()
def record_emptied(hand: Host) -> Expected:
    """A file of no bytes."""
    path, _ = hand.pick()
    hand.put({path: b""})
    return named((UNSIGNED, path), aside=path)


@host()
def record_with_conflict_markers(hand: Host) -> Expected:
    """What a merge without gitmem might have left."""
    path, state = hand.pick()
    hand.put({path: b"<<<<<<< HEAD\n" + emit(state) + b"=======\n>>>>>>> theirs\n"})
    return named((UNSIGNED, path), aside=path)


@host()
def record_of_another_format(hand: Host) -> Expected:
    """A file that says only a newer gitmem can read it."""
    path, state = hand.pick()
    hand.put({path: b"gitmem: 2\nwhatever: comes\n"})
    return named((UNSIGNED, path), spoiled=[state.id], aside="newer")


@host()
def record_of_five_megabytes(hand: Host) -> Expected:
    """More than any record may hold."""
    path, _ = hand.pick()
    hand.put({path: b"a" * 5_000_000})
    return named((UNSIGNED, path), aside=path)


@host()
def record_taken_out(hand: Host) -> Expected:
    """A file removed."""
    path, _ = hand.pick()
    commit = hand.put({path: None})
    return named(("missing file", path), ("removed file", f"{path} (commit {commit[:12]})"))


@host()
def record_taken_out_of_all_history(hand: Host) -> Expected:
    """A file that never was, in a history made anew."""
    path, _ = hand.pick()
    hand.rewrite({path: None})
    return named(("missing file", path))


@host()
def tombstone_taken_out(hand: Host) -> Expected:
    """The file of a forgotten record removed, so that an old copy could come back."""
    path, _ = hand.pick(alive=False)
    hand.put({path: None})
    return named(("missing file", path))


@host()
def record_rolled_back(hand: Host) -> Expected:
    """An older state that was signed once, in place of the newest."""
    path, versions = next((p, v) for p in hand.records() if len(v := hand.versions(p)) > 1)
    hand.put({path: hand.rng.choice(versions[:-1])})
    return named(("rolled back", path))


@host()
def record_rolled_back_in_all_history(hand: Host) -> Expected:
    """The same, in a history that knows nothing newer."""
    path, versions = next((p, v) for p in hand.records() if len(v := hand.versions(p)) > 1)
    hand.rewrite({path: hand.rng.choice(versions[:-1])})
    return named(("rolled back", path))


@host()
def deleted_record_rolled_back(hand: Host) -> Expected:
    """A forgotten record as it was when it lived."""
    path, _ = hand.pick(alive=False)
    living = [data for data in hand.versions(path) if parse(data, path).alive]
    hand.rewrite({path: living[-1]})
    return named(("rolled back", path))


@host()
def records_swapped(hand: Host) -> Expected:
    """Two records under each other's names."""
    (a, first), (b, second), *_ = hand.records().items()
    hand.put({a: emit(second), b: emit(first)})
    return named((UNSIGNED, a), (UNSIGNED, b))


@host()
def record_in_place_of_another(hand: Host) -> Expected:
    """One record over another."""
    (_, first), (path, _), *_ = hand.records().items()
    hand.put({path: emit(first)})
    return named((UNSIGNED, path))


@host()
def record_copied(hand: Host) -> Expected:
    """A record once more, as one with another id."""
    _, state = next(one for one in hand.records().items() if one[1].kind == "pattern")
    state.id = ELSEWHERE
    path = record_path("team", "pattern", ELSEWHERE)
    hand.put({path: emit(state)})
    return named((UNSIGNED, path), spoiled=[ELSEWHERE] if hand.plain else [])


@host()
def record_moved_to_another_scope(hand: Host) -> Expected:
    """A record taken to where others may read it."""
    path, state = hand.pick()
    state.scope = "public"
    other = record_path("public", state.kind, state.id)
    hand.put({path: None, other: emit(state)})
    return named((UNSIGNED, other), ("missing file", path), spoiled=[state.id] if hand.plain else [])


@host()
def record_moved_to_another_kind(hand: Host) -> Expected:
    """A pattern made a note."""
    path, state = next(one for one in hand.records().items() if one[1].kind == "pattern")
    state.kind = "note"
    other = record_path("team", "note", state.id)
    hand.put({path: None, other: emit(state)})
    return named((UNSIGNED, other), ("missing file", path), spoiled=[state.id] if hand.plain else [])


@host()
def record_renamed_below_another_shard(hand: Host) -> Expected:
    """A genuine file where no record of that id belongs."""
    path, state = hand.pick()
    other = path.replace(f"/{state.id[2:4]}/", "/zz/")
    hand.put({path: None, other: emit(state)})
    return named((UNSIGNED, other), ("missing file", path))


@host()
def file_kept_beside_a_record(hand: Host) -> Expected:
    """What looks as if a merge could not join it."""
    path, _ = hand.pick()
    kept = f"{path}.kept-0123456789ab"
    hand.put({kept: b"anything at all\n"})
    return named((UNSIGNED, kept))


@host()
def file_that_is_no_record(hand: Host) -> Expected:
    """Something else in the places of the store."""
    path = hand.rng.choice(["memory/README", "memory/team/x.yaml", ".gitmem/hooks/post-merge", "log/events/x.yaml", "log/x"])
    hand.put({path: b"#!/bin/sh\nevil\n"})
    return named((UNSIGNED, path))


@host()
def record_with_a_name_that_steers_the_terminal(hand: Host) -> Expected:
    """A path with an escape sequence in it."""
    hand.plant({"memory/\x1b[2J": Entry("100644", hand.blob(b"x"))})
    return named((UNSIGNED, r"memory/\x1b[2J"), aside=r"memory/\x1b[2J")


@host()
def record_made_a_link(hand: Host) -> Expected:
    """A link to a file of the reader's in place of a record."""
    path, _ = hand.pick()
    hand.plant({path: Entry("120000", hand.blob(b"/etc/passwd"))})
    return named(("no plain file", path), aside=path)


@host()
def submodule_in_the_log(hand: Host) -> Expected:
    """A submodule where segments belong."""
    hand.plant({"log/audit/module": Entry("160000", hand.tip())})
    return named(("no plain file", "log/audit/module"), aside="log/audit/module")


@host()
def record_collected_by_nobody(hand: Host) -> Expected:
    """A grave that says that a living record was forgotten long ago and removed."""
    path, state = hand.pick()
    dead = state.copy()
    dead.life = dict.fromkeys(state.life, "dead")
    graves = list_of(path)
    hand.put({path: None, graves: emit(with_graves(empty_list(graves), "zzzzzzzz-1", [grave_of(dead)]))})
    return named((UNSIGNED, graves), ("missing file", path))


@host(Store.SEALED)
def store_said_to_be_plain(hand: Host) -> Expected:
    """The configuration made to say that values stand in the clear."""
    hand.put({CONFIG: hand.read(CONFIG).replace(b'"sealed"', b'"plain"')})
    return named((UNSIGNED, CONFIG))


@host()
def configuration_taken_out(hand: Host) -> Expected:
    """The file that makes a repository a store removed."""
    hand.put({CONFIG: None})
    return named(("missing file", CONFIG))


@host()
def store_given_another_id(hand: Host) -> Expected:
    """The configuration of another store."""
    hand.put({CONFIG: hand.read(CONFIG).replace(hand.store.encode(), b"s-" + b"0" * 26)})
    return named((UNSIGNED, CONFIG), refused="another store")


@host()
def merge_driver_switched_off(hand: Host) -> Expected:
    """Attributes under which git would merge records line by line."""
    hand.put({ATTRIBUTES: b"* merge=ours -diff\n"})
    return named((UNSIGNED, ATTRIBUTES))


@host()
def attributes_below_the_records(hand: Host) -> Expected:
    """Attributes nearer to the records than the store's own, and stronger."""
    hand.put({"memory/.gitattributes": b"* text eol=crlf merge=ours\n"})
    return named((UNSIGNED, "memory/.gitattributes"))


@host()
def schema_put_in(hand: Host) -> Expected:
    """A kind that nobody of the team made."""
    path = ".gitmem/schemas/evil/1.json"
    hand.put({path: b'{"type": "object", "additionalProperties": false, "properties": {}, "x-gitmem": {"prefix": "e"}}\n'})
    return named((UNSIGNED, path))


@host()
def events_edited(hand: Host) -> Expected:
    """Another count in the header of a batch."""
    [path, *_] = _events(hand)
    hand.put({path: hand.read(path).replace(b"count: ", b"count: 9")})
    return named((UNSIGNED, path))


@host()
def events_taken_out(hand: Host) -> Expected:
    """A batch removed: what was tried and did not help is forgotten."""
    [path, *_] = _events(hand)
    hand.put({path: None})
    return named(("missing file", path))


@host()
def events_replayed(hand: Host) -> Expected:
    """A batch once more, as the writer's next."""
    path = _events(hand)[-1]
    again = path.replace(path[-11:], f"{int(path[-11:-5]) + 1:06d}.yaml")
    hand.put({again: hand.read(path)})
    return named((UNSIGNED, again))


@host()
def events_swapped(hand: Host) -> Expected:
    """Two batches of one writer in each other's place."""
    a, b, *_ = _events(hand, 2)
    hand.put({a: hand.read(b), b: hand.read(a)})
    return named((UNSIGNED, a), (UNSIGNED, b))


@host()
def events_under_another_writer(hand: Host) -> Expected:
    """A batch as if somebody else had made it."""
    [path, *_] = _events(hand)
    other = hand.rng.choice([w for w in hand.chains() if w not in path])
    moved = f"{EVENTS}/{other}/2026-11/000099.yaml"
    hand.put({moved: hand.read(path)})
    return named((UNSIGNED, moved))


@host()
def events_cut_off(hand: Host) -> Expected:
    """Half a batch."""
    [path, *_] = _events(hand)
    data = hand.read(path)
    hand.put({path: data[: len(data) // 2]})
    return named((UNSIGNED, path))
