"""Manifests and their chain: what was written reads back to the same, and nothing else passes."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.auditing.audit import EMPTY
from gitmem.core.backups import (
    FULL,
    INCREMENTAL,
    ROTATION,
    Manifest,
    Signed,
    Type,
    builds_up,
    bundle_sequence,
    check_links,
    floor_to_keep,
    needed_for,
    parse_manifest,
    sequence_of,
    sets_of,
    write_manifest,
)
from gitmem.crypto.signing import verify
from gitmem.errors import GitmemError, Tampered
from tests.support.auditing import STORE, key_of

KEY = key_of("ada")


def _commit(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()[:40]


class Shelf:
    """A destination in memory: the files of a chain, by name."""

    def __init__(self, chain: str = "k3v9q2xa") -> None:
        self.files: dict[str, bytes] = {}
        self.last: Signed | None = None
        self.chain = chain

    def add(self, kind: Type, floor: int = 0) -> Manifest:
        """Put the next link there."""
        last = self.last.manifest if self.last else None
        number = last.sequence + 1 if last else 1
        keeps = last if last and kind != FULL else None
        made = Manifest(
            chain=self.chain,
            store=STORE,
            sequence=number,
            prev=self.last.digest if self.last else EMPTY,
            time=f"2026-{number:02d}-01T00:00:00Z",
            type=kind,
            first=keeps.first if keeps else number,
            commit=last.commit if last and kind == ROTATION else _commit(number),
            base=last.commit if last and kind == INCREMENTAL else "",
            branch="refs/heads/main",
            prefix="",
            records=number,
            bytes=0 if kind == ROTATION else 100,
            sha256="" if kind == ROTATION else "ab" * 32,
            sealed=kind != ROTATION,
            floor=floor,
        )
        data = write_manifest(made, KEY.sign, KEY.public)
        self.files[made.name] = data
        self.last = parse_manifest(data, made.name)
        assert self.last.manifest == made
        return made

    def problems(self) -> list[str]:
        """What reading all files finds wrong, signatures included."""
        found, chain = [], []
        for name, data in sorted(self.files.items()):
            try:
                one = parse_manifest(data, name)
                verify(one.key, one.body, one.signature)
                assert one.key == KEY.public or found.append(f"{name}: a stranger")
                chain.append(one)
            except GitmemError as error:
                found.append(error.message)
        return found + [f"{one.where}: {one.why}" for one in check_links(chain, "there")]

    @property
    def links(self) -> list[Signed]:
        """The chain as it is read."""
        return [parse_manifest(data, name) for name, data in sorted(self.files.items())]


def shelf(*kinds: Type) -> Shelf:
    """A destination with these links."""
    made = Shelf()
    for kind in kinds:
        made.add(kind)
    return made


SIX: tuple[Type, ...] = (FULL, INCREMENTAL, INCREMENTAL, FULL, INCREMENTAL, INCREMENTAL)


def test_a_chain_reads_back() -> None:
    """Names, sets, and what a backup needs; a sound chain has no problems."""
    made = shelf(*SIX)
    assert made.problems() == []
    assert [[one.sequence for one in some] for some in sets_of(made.links)] == [[1, 2, 3], [4, 5, 6]]
    assert [one.sequence for one in needed_for(made.links, 5)] == [4, 5]
    assert needed_for(made.links, 9) == []
    assert builds_up(needed_for(made.links, 6))
    assert not builds_up([])
    one = made.links[1].manifest
    assert (one.id, one.name, one.bundle) == ("b-k3v9q2xa-0002", "000002.json", "000002-abababab.bundle.age")
    assert (sequence_of(one.name), bundle_sequence(one.bundle)) == (2, 2)
    assert [sequence_of(name) for name in ("2.json", "000000.json", "000002.json.tmp", "0000002.json")] == [None] * 4
    assert bundle_sequence("../000002-abababab.bundle") is None


@pytest.mark.parametrize("number", range(1, 6))
def test_a_backup_that_is_gone_is_noticed(number: int) -> None:
    """Any but the last: that one only who has seen it can miss."""
    made = shelf(*SIX)
    del made.files[f"{number:06d}.json"]
    assert any("is not there" in line for line in made.problems())
    assert not builds_up([one.manifest for one in made.links][:2]) or number > 2


@given(st.permutations(range(1, 7)))
def test_order_cannot_be_changed(order: list[int]) -> None:
    """Manifests under each other's names are no chain."""
    made = shelf(*SIX)
    files = {f"{place:06d}.json": made.files[f"{number:06d}.json"] for place, number in enumerate(order, 1)}
    made.files = files
    assert (made.problems() == []) == (order == sorted(order))


def test_another_times_backup_is_noticed() -> None:
    """Of two histories of one destination, a link of the one does not fit into the other, nor one of another chain or store."""
    one, other = shelf(*SIX[:3]), shelf(*SIX[:2])
    other.add(FULL)
    for name in ("000002.json", "000003.json"):
        mixed = Shelf()
        mixed.files = one.files | {name: shelf(FULL, FULL, FULL).files[name]}
        assert mixed.problems(), name
    strange = Shelf("zzzzzzzz")
    strange.add(FULL)
    strange.add(INCREMENTAL)
    strange.files |= {"000001.json": one.files["000001.json"]}
    assert any("another chain" in line for line in strange.problems())


@given(st.data())
def test_every_flipped_bit_is_found(data: st.DataObject) -> None:
    """Wherever it is in any manifest."""
    made = shelf(*SIX[:3])
    name = data.draw(st.sampled_from(sorted(made.files)))
    content = bytearray(made.files[name])
    place = data.draw(st.integers(0, len(content) * 8 - 1))
    content[place // 8] ^= 1 << place % 8
    made.files[name] = bytes(content)
    assert made.problems()


@pytest.mark.parametrize(
    "change",
    [
        {"prefix": "../"},
        {"prefix": "a/../"},
        {"branch": "refs/heads/a b"},
        {"sha256": ""},
        {"sequence": -1},
        {"chain": "../../x"},
        {"time": "yesterday"},
        {"type": "other"},
    ],
)
def test_a_manifest_names_no_place_outside(change: dict[str, str]) -> None:
    """What is signed all the same, by a member who means harm, is refused where it could lead somewhere else."""
    one = shelf(FULL).links[0].manifest
    data = write_manifest(replace(one, **change), KEY.sign, KEY.public)  # type: ignore[arg-type]
    with pytest.raises(Tampered):
        parse_manifest(data, one.name)


def test_a_rotation_says_where_the_chain_begins() -> None:
    """Whole sets go, the newest never; without the rotation's word the same files would be missing."""
    made = shelf(*SIX)
    assert floor_to_keep(made.links, "2026-09-01T00:00:00Z", 1) == 4
    assert floor_to_keep(made.links, "2026-09-01T00:00:00Z", 0) == 4
    assert floor_to_keep(made.links, "2026-02-28T00:00:00Z", 1) == 1
    assert floor_to_keep(made.links, "2026-09-01T00:00:00Z", 2) == 1
    made.add(ROTATION, floor=4)
    assert made.problems() == []
    made.add(INCREMENTAL)
    for name in ("000002.json", "000001.json", "000003.json"):  # in whatever order, cut short anywhere
        del made.files[name]
        assert made.problems() == []
    assert [[one.sequence for one in some] for some in sets_of(made.links)] == [[4, 5, 6, 8]]
    assert builds_up(needed_for(made.links, 8))
    del made.files["000004.json"]
    assert made.problems()


def test_a_rotation_lets_go_of_no_part_of_a_set() -> None:
    """One that says so breaks the chain."""
    made = shelf(*SIX)
    made.add(ROTATION, floor=5)
    assert made.problems()
