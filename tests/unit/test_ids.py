"""Ids of records and set elements."""

from __future__ import annotations

import hmac
from base64 import b32decode
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.ids import element_key, identity_id, random_id, shard
from gitmem.core.record import RECORD_ID

KEY = bytes(range(32))
MILLIS_IN_3000 = 32_503_680_000_000


def test_an_identity_id_is_a_keyed_hash() -> None:
    """HMAC-SHA256 over the length-prefixed kind and identity, base32 of its first 130 bits."""
    message = b"\0\0\0\0\0\0\0\x07pattern" + b"\0\0\0\0\0\0\0\x05oops!"
    made = identity_id("p", KEY, "pattern", "oops!")
    assert made == "p-6y4ndd54f7nixz7jehxzq5tkvn"
    assert b32decode(made[2:26].upper()) == hmac.digest(KEY, message, "sha256")[:15]


@given(st.text(), st.text(), st.text(), st.text())
def test_identities_do_not_run_together(kind: str, identity: str, other_kind: str, other: str) -> None:
    """One id means one kind and one identity, wherever the boundary between them lies."""
    same = identity_id("p", KEY, kind, identity) == identity_id("p", KEY, other_kind, other)
    assert same == ((kind, identity) == (other_kind, other))
    assert RECORD_ID.fullmatch(identity_id("p", KEY, kind, identity))


def test_an_identity_id_needs_the_key() -> None:
    """Who lacks it cannot test a guess."""
    assert identity_id("p", KEY, "pattern", "oops!") != identity_id("p", bytes(32), "pattern", "oops!")


@given(st.integers(0, MILLIS_IN_3000), st.integers(0, MILLIS_IN_3000), st.binary(min_size=10, max_size=16))
def test_random_ids_sort_by_time_within_a_shard(earlier: int, later: int, entropy: bytes) -> None:
    """Two shard characters, ten of time, fourteen of chance."""
    earlier, later = sorted((earlier, later))
    first, second = random_id("n", earlier, entropy), random_id("n", later, entropy)
    assert RECORD_ID.fullmatch(first)
    assert len(first) == 28
    assert shard(first) == shard(second) == first[2:4]
    assert first <= second
    assert (first == second) == (earlier == later)
    assert int(first[4:14], 32) == earlier
    assert first == random_id("n", earlier, entropy[:10])


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_random_ids_hold_all_of_their_entropy(a: bytes, b: bytes) -> None:
    """Eighty bits: ids made in the same millisecond are as different as these."""
    assert (random_id("n", 1, a) == random_id("n", 1, b)) == (a == b)


def test_shards_spread() -> None:
    """The directory is chance and not time, so that none grows without bound."""
    made = {shard(random_id("n", 1_764_000_000_000, Random(n).randbytes(10))) for n in range(5000)}
    assert len(made) > 900


@pytest.mark.parametrize("value", ["git", "", 1, ["a"], {"a": None}, "\ud800"])
def test_element_keys(value: object) -> None:
    """The same value has the same key in one place and another elsewhere, of a form the codec reads."""
    key = element_key(KEY, "p-abc/tags", value)  # type: ignore[arg-type]
    assert key == element_key(KEY, "p-abc/tags", value)  # type: ignore[arg-type]
    assert key not in {element_key(KEY, "p-abd/tags", value), element_key(bytes(32), "p-abc/tags", value)}  # type: ignore[arg-type]
    assert len(key) == 26
    assert set(key[1:]) <= set("abcdefghijklmnopqrstuvwxyz234567")
