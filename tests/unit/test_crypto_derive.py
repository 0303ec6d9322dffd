"""Key derivation against the RFC's own vectors and against another implementation."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from gitmem.crypto.derive import hkdf


def test_rfc_5869_vector() -> None:
    """Appendix A.1 of RFC 5869; its output is 42 bytes, of which ours are the first 32."""
    secret, salt = b"\x0b" * 22, bytes(range(13))
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    assert hkdf(secret, salt, bytes(range(0xF0, 0xFA))).hex() == expected


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_like_another_implementation(secret: bytes, salt: bytes, info: bytes) -> None:
    """Whatever goes in, what comes out is what pyca/cryptography derives."""
    assert hkdf(secret, salt, info) == HKDF(SHA256(), 32, salt, info).derive(secret)
