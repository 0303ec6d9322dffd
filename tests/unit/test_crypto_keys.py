"""Epoch keys: wrapping and unwrapping, and every way in which a wrapped key can be the wrong one."""

from __future__ import annotations

import base64
import dataclasses
import shutil
import subprocess
import traceback
from pathlib import Path
from typing import Final

import pyrage
import pytest

from gitmem.core.token import EPOCH
from gitmem.crypto.identity import Identity, new_recovery
from gitmem.crypto.keyfile import parse_identities
from gitmem.crypto.keys import EpochKey, check_recipient, commitment, new_epoch, open_first, unwrap, wrap
from gitmem.errors import NoKey, Tampered, UsageError

ALICE: Final = new_recovery()
BOB: Final = new_recovery()
KEY: Final = new_epoch("team", 1)
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="no age on this machine: apt-get install age")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")

FROZEN_IDENTITY: Final = (
    "AGE-SECRET-KEY-129KVA6P2W83TK8AQZV9ASVF2ZGQ2YQY0YU43LCSHUTM7EVX7L5PSAC4K0D"  # made for this test, opens nothing else
)
FROZEN_EPOCH: Final = f"1-{commitment(bytes(range(32)))[:8]}"
FROZEN_FILE: Final = (
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA1ZkNleXhUN1RjVVo1eUhhWk5uY3d6dFRIV2EyMndidVZxNDBLbGdFNURR"
    "CnkxbUh1OFJrMSt5aERlZWxhT2RxQ0dIQjFXQTJ3M0M4bndVeFpvMUZTYVUKLT4geSZ+RlctZ3JlYXNlIGZKPy8gJXkrPyh1NiB8"
    "IGEKMlFKaURRTFR6Z0JZdHpFRE9jb29VV0hLaktJT2sxKzNqa0w2elQ3a2FHalNjRzN2eEJNN2FIWmFRK1JScGFmbQp6TUlqcS9w"
    "bThqVkFCd0pzc1FPVlBDNDlyWFZ3U1ROZHd3SWs4ckNJVjhRCi0tLSBVQmFNR25OLys5dzhIbHMrcHg2REpYY1F1aVh0dUxEd3VX"
    "c085OGgrNjJrCubocCiH075heCnQV130RLJMmyAZ4IUyBe/4/AIkbgoWu3FMOBPjSICr+Ha/OCtsmvRB8qzU+sZbL0N3OXxAKK/2"
    "/Ru4aeLOe2fw0OhJRLSYR6rWwfvkMm2CSPfCRl/Dp1a3StqP7/14Ydy4BqU7uTy8Zn48673XUbJGyDOQ7lke7cqZSW4+2+c0h7wg"
    "LIfkzwfPAJuuX4VhBgPOTKb+I4NL2z63uv/QddQTCU+fpyje0fcLFmc="
)


def sealed(payload: bytes) -> bytes:
    """An age file for Alice with any payload."""
    wrapped: bytes = pyrage.encrypt(payload, [pyrage.x25519.Recipient.from_str(ALICE.recipient)])
    return wrapped


def payload_of(key: EpochKey) -> bytes:
    """What `wrap` puts into the age file."""
    opened: bytes = pyrage.decrypt(wrap(key, ALICE.recipient), [ALICE.opener()])
    return opened


def ssh_identity(path: Path, kind: str) -> Identity:
    """An SSH key made by ssh-keygen, as an identity."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a b", "-f", path], check=True)
    return parse_identities(path.read_text(), str(path), None)[0][0]


def test_a_new_epoch_is_named_by_its_key() -> None:
    """The name is the sequence and the commitment's first digits, as the core spells epochs."""
    key = new_epoch("team", 12)
    assert EPOCH.fullmatch(key.epoch)
    assert key.epoch == f"12-{key.commitment[:8]}"
    assert len(key.key) == len(key.id_key) == 32
    assert key.key != key.id_key
    assert new_epoch("team", 12).key != key.key


def test_the_id_key_outlives_rotation() -> None:
    """Ids are derived from it, so the next epoch carries the same one."""
    assert new_epoch("team", 2, KEY.id_key).id_key == KEY.id_key


@pytest.mark.parametrize("scope", ["", "a b", "a\nkey: x", "a\u2028b"])
def test_a_scope_that_breaks_the_lines_is_refused(scope: str) -> None:
    """A scope is one word, since the wrapped key is made of lines."""
    with pytest.raises(UsageError):
        new_epoch(scope, 1)


def test_epochs_count_from_one() -> None:
    """A sequence of zero has no token spelling, so no key is ever made under it."""
    with pytest.raises(ValueError, match="count from 1"):
        new_epoch("team", 0)


def test_wrap_and_unwrap() -> None:
    """The recipient gets the whole key back, in one small file."""
    data = wrap(KEY, ALICE.recipient)
    assert unwrap(data, [BOB, ALICE], "team", KEY.epoch) == KEY
    assert len(data) < 1000


def test_the_payload_is_readable_text() -> None:
    """Whoever opens the file with age alone sees what it is."""
    assert payload_of(KEY).decode().splitlines() == [
        "gitmem-epoch: 1",
        "scope: team",
        f"epoch: {KEY.epoch}",
        f"key: {base64.b64encode(KEY.key).decode()}",
        f"id-key: {base64.b64encode(KEY.id_key).decode()}",
    ]


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_are_recipients(tmp_path: Path, kind: str) -> None:
    """A key is wrapped to the line of an SSH public key file, comment and all, and to nobody else."""
    identity = ssh_identity(tmp_path / "key", kind)
    line = (tmp_path / "key.pub").read_text()
    assert check_recipient(line) == identity.recipient
    assert unwrap(wrap(KEY, line), [ALICE, identity], "team", KEY.epoch) == KEY
    with pytest.raises(NoKey):
        unwrap(wrap(KEY, ALICE.recipient), [identity], "team", KEY.epoch)


def test_nobody_else_opens_it() -> None:
    """Without a fitting identity, or without any, the error names scope and epoch."""
    for identities in ([BOB], []):
        with pytest.raises(NoKey, match=f"scope team, epoch {KEY.epoch}") as caught:
            unwrap(wrap(KEY, ALICE.recipient), identities, "team", KEY.epoch)
        assert "--identity" in caught.value.hint


def test_open_first_says_who_opened_what() -> None:
    """Among several files and identities the fitting pair is found; a damaged file of somebody else does not block it."""
    files = {"broken": b"age-encryption.org/v1\nrubbish", "carol": wrap(KEY, new_recovery().recipient)}
    files["bob"] = wrap(KEY, BOB.recipient)
    opened = open_first(files, iter([ALICE, BOB]), "team", KEY.epoch)
    assert (opened.key, opened.identity, opened.name) == (KEY, BOB, "bob")


@pytest.mark.parametrize("data", [b"", b"rubbish", b"age-encryption.org/v1\n", b"\0" * 100])
def test_a_damaged_file_is_named(data: bytes) -> None:
    """A file that is no age file is tampering, and says which one it is."""
    with pytest.raises(Tampered, match="is damaged: alice"):
        open_first({"alice": data}, [ALICE], "team", KEY.epoch)


def test_a_flipped_bit_in_the_file_fails() -> None:
    """No changed age file ever yields a key: every bit of one is tried."""
    identities, _ = parse_identities(FROZEN_IDENTITY, "test", None)
    good = base64.b64decode(FROZEN_FILE)
    for position in range(len(good) * 8):
        data = bytearray(good)
        data[position // 8] ^= 1 << position % 8
        with pytest.raises((Tampered, NoKey)):
            unwrap(bytes(data), identities, "team", FROZEN_EPOCH)


def test_a_key_of_another_place_is_refused() -> None:
    """Files swapped between scopes or epochs are noticed."""
    data = wrap(KEY, ALICE.recipient)
    for scope, epoch in (("ops", KEY.epoch), ("team", "2-00000000")):
        with pytest.raises(Tampered, match=f"is that of scope team, epoch {KEY.epoch}"):
            unwrap(data, [ALICE], scope, epoch)


def test_a_key_that_its_name_does_not_commit_to_is_refused() -> None:
    """A host that wraps a key of its own under an old name is noticed."""
    forged = dataclasses.replace(KEY, key=bytes(32))
    with pytest.raises(Tampered, match="another key than its name"):
        unwrap(wrap(forged, ALICE.recipient), [ALICE], "team", KEY.epoch)


def test_one_spelling_of_a_payload_only() -> None:
    """A payload that would not be written like this is not read, whatever it says."""
    good = payload_of(KEY)
    assert unwrap(sealed(good), [ALICE], "team", KEY.epoch) == KEY
    short = good.replace(base64.b64encode(KEY.key), base64.b64encode(KEY.key[:31]))
    newer = good.replace(b"gitmem-epoch: 1", b"gitmem-epoch: 2")
    no_link = newer + b"link: AGE-SECRET-KEY-1\n"
    for payload in (b"", b"\xff", good[:-1], good + b"\n", good.replace(b"\n", b"\r\n"), short, newer, good + good, no_link):
        with pytest.raises(Tampered, match="nothing that this gitmem can read"):
            unwrap(sealed(payload), [ALICE], "team", KEY.epoch)


def test_recipients_are_spelled_one_way() -> None:
    """Blanks and upper case do not make another recipient."""
    assert check_recipient(f" {ALICE.recipient.upper()}\n") == ALICE.recipient


@pytest.mark.parametrize("text", ["", "alice", "age1qqq", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAA", "a b c"])
def test_what_is_no_recipient_is_named(text: str) -> None:
    """The error repeats what was given and says what would do."""
    with pytest.raises(UsageError, match="not a recipient") as caught:
        check_recipient(text)
    assert "age1" in caught.value.hint


@needs_ssh
def test_unfit_ssh_keys_are_refused(tmp_path: Path) -> None:
    """age takes no ECDSA keys, and RSA from 2048 bits."""
    for kind, bits in (("ecdsa", "256"), ("rsa", "1024")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", tmp_path / kind], check=True)
        with pytest.raises(UsageError):
            wrap(KEY, (tmp_path / f"{kind}.pub").read_text())


def test_a_secret_key_given_as_recipient_is_not_repeated() -> None:
    """Somebody who pastes the wrong half is told so, without an echo."""
    for secret in (ALICE.reveal(), ALICE.reveal().lower(), "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"):
        with pytest.raises(UsageError, match="secret key") as caught:
            check_recipient(secret)
        assert secret[20:] not in "".join(traceback.format_exception(caught.value))


def test_representations_hide_the_keys() -> None:
    """Neither a key nor an identity shows its secret."""
    shown = f"{KEY!r} {ALICE!r} {open_first({'a': wrap(KEY, ALICE.recipient)}, [ALICE], 'team', KEY.epoch)!r}"
    assert repr(KEY.key)[2:-1] not in shown
    assert ALICE.reveal() not in shown
    assert "key=" not in shown.replace("Opened(key=", "")


def test_a_frozen_file_opens() -> None:
    """A key wrapped in format 1 opens for ever."""
    identities, _ = parse_identities(FROZEN_IDENTITY, "test", None)
    key = unwrap(base64.b64decode(FROZEN_FILE), identities, "team", FROZEN_EPOCH)
    assert (key.key, key.id_key) == (bytes(range(32)), bytes(32))


@needs_age
def test_age_alone_opens_a_wrapped_key(tmp_path: Path) -> None:
    """No lock-in: the age program opens it, and what the age program wraps opens here."""
    (tmp_path / "id").write_text(ALICE.reveal())
    data = wrap(KEY, ALICE.recipient)
    opened = subprocess.run(["age", "-d", "-i", tmp_path / "id"], input=data, capture_output=True, check=True).stdout
    assert opened == payload_of(KEY)
    theirs = subprocess.run(["age", "-r", ALICE.recipient], input=opened, capture_output=True, check=True).stdout
    assert unwrap(theirs, [ALICE], "team", KEY.epoch) == KEY
