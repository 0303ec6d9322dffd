"""The tree of RFC 6962, against its definition and the test vectors of Certificate Transparency."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gitmem.core.auditing.merkle import grown, inclusion, leaf_hash, root_by, root_of


def mth(data: list[bytes]) -> bytes:
    """MTH(D[n]) word for word as RFC 6962, section 2.1 defines it."""
    n = len(data)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) word for word as RFC 6962, section 2.1.1 defines it."""
    n = len(data)
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    return [*path(m, data[:k]), mth(data[k:])] if m < k else [*path(m - k, data[k:]), mth(data[:k])]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 31, 64, 100])
def test_roots_and_proofs_are_those_of_the_definition(n: int) -> None:
    """For any number of leaves, grown at once or one by one; each proof leads to the root, and no other leaf's does."""
    data = [f"entry {number}".encode() for number in range(n)]
    leaves = [leaf_hash(one) for one in data]
    trees = grown(grown([], leaves[: n // 3]), leaves[n // 3 :])
    assert root_of(trees) == mth(data)
    for index in range(n):
        proof = inclusion(leaves, index)
        assert proof == path(index, data)
        assert root_by(proof, leaves[index], index, n) == mth(data)
        assert root_by(proof, leaves[index - 1], index, n) != mth(data) or n == 1
        assert root_by([*proof, leaves[0]], leaves[index], index, n) is None


def test_the_vectors_of_certificate_transparency() -> None:
    """Roots over the eight inputs that every implementation is tested with."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(one)) for one in inputs]
    assert root_of(grown([], leaves[:1])).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(grown([], leaves)).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
