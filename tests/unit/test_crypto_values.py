"""Sealed values: what opens, what does not, and what a token gives away."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import traceback
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.token import epoch_of, is_token
from gitmem.crypto.keys import EpochKey, commitment, new_epoch
from gitmem.crypto.values import Json, Place, Sealer, record_key
from gitmem.errors import GitmemError, InvalidRecord, NoKey, Tampered

PLACE: Final = Place("store-1", "team", "pattern", "p-3k7q")
KEY: Final = EpochKey("team", f"1-{commitment(bytes(range(32)))[:8]}", bytes(range(32)), bytes(32))
SEALER: Final = Sealer(KEY, PLACE)
NONCE: Final = bytes(range(12))
SECRET: Final = "correct horse battery staple"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_a_value_survives_the_round_trip(value: Json) -> None:
    """What is sealed opens to an equal value, and the token is one that the core recognises."""
    token = SEALER.seal("fix", "w-1.3", value)
    assert is_token(token)
    assert epoch_of(token) == KEY.epoch
    assert SEALER.unseal("fix", "w-1.3", token) == value


@given(st.binary(max_size=700))
def test_a_payload_survives_the_round_trip(payload: bytes) -> None:
    """Bytes come back as they were, also those that look like padding."""
    assert SEALER.unseal_bytes("p", "w-1.1", SEALER.seal_bytes("p", "w-1.1", payload)) == payload


@pytest.mark.parametrize("value", ["\ud800", "a\x00b", "", "é" * 40, 2**70, {"b": 1, "a": [None, True]}])
def test_awkward_values_survive(value: Json) -> None:
    """Lone surrogates, NUL, the empty string, big numbers."""
    assert SEALER.unseal("f", "w-1.1", SEALER.seal("f", "w-1.1", value)) == value


@given(st.data(), st.text(max_size=40))
def test_any_flipped_bit_fails(data: st.DataObject, text: str) -> None:
    """No bit of a token's characters can change and the token still open: base64 leaves no slack."""
    token = SEALER.seal("fix", "w-1.3", text)
    position = data.draw(st.integers(0, len(token) - 1))
    bit = data.draw(st.integers(0, 6))
    changed = token[:position] + chr(ord(token[position]) ^ (1 << bit)) + token[position + 1 :]
    with pytest.raises(GitmemError):
        SEALER.unseal("fix", "w-1.3", changed)


def test_every_character_of_a_token_counts() -> None:
    """Replacing any one character by any other of the alphabet is noticed, the last one's spare bits included."""
    for length in (1, 40, 41, 42):
        token = SEALER.seal_bytes("fix", "w-1.3", b"x" * length)
        start = token.index(",") + 1
        for position in range(start, len(token) - 1):
            other = "A" if token[position] != "A" else "B"
            with pytest.raises(GitmemError):
                SEALER.unseal_bytes("fix", "w-1.3", token[:position] + other + token[position + 1 :])
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            if last != token[-2]:
                with pytest.raises(GitmemError):
                    SEALER.unseal_bytes("fix", "w-1.3", token[:-2] + last + "]")


@pytest.mark.parametrize(("field", "value"), [("store", "store-2"), ("scope", "ops"), ("kind", "solution"), ("id", "p-3k7r")])
def test_a_token_opens_in_its_own_record_only(field: str, value: str) -> None:
    """Moved to another store, scope, kind or id, it does not open."""
    elsewhere = Sealer(KEY, dataclasses.replace(PLACE, **{field: value}))
    with pytest.raises(Tampered):
        elsewhere.unseal("fix", "w-1.3", SEALER.seal("fix", "w-1.3", SECRET))


@pytest.mark.parametrize(("path", "dot"), [("fi", "xw-1.3"), ("fix2", "w-1.3"), ("fix", "w-1.4"), ("fix", "w-2.3")])
def test_a_token_opens_at_its_own_path_and_dot_only(path: str, dot: str) -> None:
    """Moved to another field or write, it does not open; shifting text between path and dot does not help."""
    with pytest.raises(Tampered):
        SEALER.unseal(path, dot, SEALER.seal("fix", "w-1.3", SECRET))


def test_a_merged_key_counts_as_its_dot() -> None:
    """Merging renames `dot` to `dot#hash` without a key, so both spellings open."""
    token = SEALER.seal("fix", "w-1.3", SECRET)
    assert SEALER.unseal("fix", "w-1.3#5b0e77aa", token) == SECRET
    assert SEALER.unseal("fix", "w-1.3", SEALER.seal("fix", "w-1.3#5b0e77aa", SECRET)) == SECRET


def test_another_key_fails() -> None:
    """A key of another epoch is named as such; another key under the same name is tampering."""
    token = SEALER.seal("fix", "w-1.3", SECRET)
    with pytest.raises(NoKey, match="is sealed in epoch 1-"):
        Sealer(new_epoch("team", 2), PLACE).unseal("fix", "w-1.3", token)
    with pytest.raises(Tampered):
        Sealer(dataclasses.replace(KEY, key=bytes(32)), PLACE).unseal("fix", "w-1.3", token)


@pytest.mark.parametrize(
    "token",
    ["", "plain", "ENC[]", f"ENC[{KEY.epoch},]", f"ENC[{KEY.epoch},AAAA]", f"ENC[{KEY.epoch},AAAAA]", "ENC[0-1,AAAA]"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Anything that is not spelled as a token is an invalid record, not a crash."""
    with pytest.raises(InvalidRecord):
        SEALER.unseal("fix", "w-1.3", token)


@given(st.integers(0, 1200))
def test_a_token_tells_a_size_class_only(size: int) -> None:
    """Tokens of one bucket have one length: 32, 64, 128, 256, then multiples of 256, of which padding takes a byte."""
    bucket = next(b for b in (32, 64, 128, 256, 512, 768, 1024, 1280) if size < b)
    sealed = len(SEALER.seal_bytes("p", "w-1.1", b"x" * size))
    assert sealed == len(SEALER.seal_bytes("p", "w-1.1", b"x" * (bucket - 1)))
    assert sealed < len(SEALER.seal_bytes("p", "w-1.1", b"x" * bucket))


def test_nonces_do_not_repeat() -> None:
    """Sealing twice gives two tokens."""
    assert len({SEALER.seal("f", "w-1.1", 1) for _ in range(200)}) == 200


def test_a_number_that_json_cannot_carry_is_refused() -> None:
    """NaN and infinity have no JSON spelling."""
    with pytest.raises(InvalidRecord, match="NaN"):
        SEALER.seal("f", "w-1.1", float("nan"))


@pytest.mark.parametrize("payload", [b"NaN", b"{", b"\xff", b"1 2", b"[" * 100_000])
def test_a_member_cannot_plant_what_is_no_value(payload: bytes) -> None:
    """A payload under the right key that holds no JSON is refused, not passed on."""
    with pytest.raises(InvalidRecord):
        SEALER.unseal("f", "w-1.1", SEALER.seal_bytes("f", "w-1.1", payload))


@pytest.mark.parametrize("padded", [b"", b"\0" * 32, b"a\x80", b"a\x80".ljust(64, b"\0")])
def test_only_our_own_padding_is_taken_off(padded: bytes) -> None:
    """One payload has one padding."""
    aead = SEALER._aead
    body = NONCE + aead.encrypt(NONCE, padded, SEALER._bound_to("f", "w-1.1"))
    from gitmem.crypto.values import _to_base64url

    with pytest.raises(InvalidRecord, match="padded"):
        SEALER.unseal_bytes("f", "w-1.1", f"ENC[{KEY.epoch},{_to_base64url(body)}]")


def test_no_secret_in_messages() -> None:
    """Neither a failure's traceback nor a representation shows plaintext or key."""
    token = SEALER.seal("fix", "w-1.3", SECRET)
    shown = [repr(SEALER), repr(KEY), repr(PLACE)]
    for path, value in (("other", token), ("fix", token[:-3] + "]")):
        try:
            SEALER.unseal(path, "w-1.3", value)
        except GitmemError as error:
            shown += ["".join(traceback.format_exception(error)), repr(error)]
    try:
        SEALER.seal("fix", "w-1.3", [SECRET, float("inf")])
    except GitmemError as error:
        shown.append("".join(traceback.format_exception(error)))
    for text in shown:
        assert SECRET not in text
        assert repr(KEY.key)[2:-1] not in text
        assert KEY.key.hex() not in text
    assert len(shown) == 8


def test_frozen_vectors() -> None:
    """Format 1 as it is for ever: key, token of a value, token of a payload, under a fixed nonce."""
    assert record_key(KEY.key, PLACE).hex() == "fdaa889a6fe58f7bea8944bdf10785bda56626c5493a42e5e74c0bb235460892"
    value = "ENC[1-54864adc,AAECAwQFBgcICQoLQQYzczlSWvBMDW5-vBzWy9SP-ixN2tXTslzUgnNBNZc4oCrS9XQfaiUGjdbhbBPA]"
    payload = (
        "ENC[1-54864adc,AAECAwQFBgcICQoLY3dYAB0-MoQwZQgZkHe3q-Ye6D9Zz8PEqkXOmW9cK4iH-gxgQXpxFYkeHurUJ4HQGQKAw"
        "7i4fYLfYM8ji1D9aTnWBxSk9tnH6DibAUP-ffj0awsgeMludtO_hWjhfYtxG3SLJlSC2f90S6VmJ0Mi2gE2ha3oTAn4gOFXDS5mN"
        "eERzBBV3aTtzhJkNwkejWwN]"
    )
    assert SEALER._seal("fix", "k3v9q2xa-1.3", b'"pip install foo"', NONCE) == value
    assert SEALER._seal("payload", "k3v9q2xa-1.4", bytes(range(64)), NONCE) == payload
    assert SEALER.unseal("fix", "k3v9q2xa-1.3", value) == "pip install foo"
    assert SEALER.unseal_bytes("payload", "k3v9q2xa-1.4", payload) == bytes(range(64))


def test_the_vector_by_hand() -> None:
    """The format needs no gitmem to be read: HKDF, AES-GCM and the documented associated data, written out."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def prefixed(*parts: str) -> bytes:
        return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)

    key = HKDF(SHA256(), 32, b"store-1", prefixed("team", "pattern", "p-3k7q")).derive(KEY.key)
    bound = prefixed("1", "store-1", "team", "pattern", "p-3k7q", "fix", "w-1.3", KEY.epoch)
    import base64

    body = base64.urlsafe_b64decode(SEALER.seal("fix", "w-1.3", "é").split(",")[1][:-1] + "==")
    assert AESGCM(key).decrypt(body[:12], body[12:], bound) == '"é"'.encode() + b"\x80" + bytes(27)


def test_opening_a_value_does_not_import_age() -> None:
    """pyrage and keyring are paid for by unwrapping and looking up only."""
    code = "import sys, gitmem.crypto.values, gitmem.crypto.keys; print({'pyrage', 'keyring'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_is_sealed_alike_is_alike() -> None:
    """Equal values at one place give equal tokens, whoever seals; another value, path, dot, record or key another nonce."""
    token = SEALER.seal_alike("fields/since", "m-1.1", "14.2")
    assert token == Sealer(KEY, PLACE).seal_alike("fields/since", "m-1.1", "14.2")
    assert SEALER.unseal("fields/since", "m-1.1", token) == "14.2"
    others = [
        SEALER.seal_alike("fields/since", "m-1.1", "14.3"),
        SEALER.seal_alike("fields/fixed_in", "m-1.1", "14.2"),
        SEALER.seal_alike("fields/since", "m-1.2", "14.2"),
        Sealer(KEY, dataclasses.replace(PLACE, id="p-other")).seal_alike("fields/since", "m-1.1", "14.2"),
        Sealer(new_epoch("team", 2, bytes(32)), PLACE).seal_alike("fields/since", "m-1.1", "14.2"),
    ]
    nonces = {one.partition(",")[2][:16] for one in [token, *others]}
    assert len(nonces) == len(others) + 1


def test_tokens_sealed_alike_are_frozen() -> None:
    """Replicas of different ages must agree for ever."""
    assert SEALER.seal_alike("fields/since", "m-1.1", "14.2") == (
        "ENC[1-54864adc,hjOwcJX7qwQGMh0gcgu3Ez5qAmrBs-9VTzVATLBseZkcwJ-bK6fZliImnOOUaRTyG5jWR7MJ41xKANlr]"
    )
