"""Attacks of a host on who may read and write: members, recipients, keys."""

from __future__ import annotations

from gitmem.core.codec import emit, parse
from gitmem.core.dots import checked
from gitmem.core.edit import Pen
from gitmem.core.record import Json
from gitmem.crypto.keys import new_epoch, wrap
from gitmem.store.layout import KEYS, MEMBERS, key_path, member_path
from tests.tamper.hands import Host
from tests.tamper.table import Expected, Store, host, named

UNSIGNED = "unsigned change"
WRONG = "wrong member file"
EVE = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
"""The recipient of the example in age's own manual."""


def _add(hand: Host, name: str, field: str, value: Json) -> str:
    """Put a value into a set of a member's file."""
    path = member_path(name)
    pen = Pen(parse(hand.read(path), path), "zzzzzzzz-1")
    pen.add(field, "e" + "a" * 25, lambda _path, _dot: value)
    hand.put({path: emit(pen.state)})
    return path


def _wrapped(hand: Host) -> dict[str, str]:
    """Key files of the team's epoch by member."""
    return {path.rpartition("/")[2].removesuffix(".age"): path for path in hand.files(KEYS)}


@host()
def recipient_put_in(hand: Host) -> Expected:
    """An outsider's recipient beside a member's: the next key would be wrapped to it as well."""
    path = _add(hand, "bob", "recipients", EVE)
    return named((WRONG, path), (UNSIGNED, path))


@host()
def signing_key_put_in(hand: Host) -> Expected:
    """An outsider's signing key beside a member's."""
    path = _add(hand, "bob", "keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
    return named((WRONG, path), (UNSIGNED, path))


@host()
def role_raised(hand: Host) -> Expected:
    """A member made an admin."""
    path = member_path("cyd")
    state = parse(hand.read(path), path)
    [(dot, _)] = state.fields["role"].items()
    state.fields["role"] = {checked("fields/role", dot.partition("~")[0], "admin"): "admin"}
    hand.put({path: emit(state)})
    return named((WRONG, path), (UNSIGNED, path))


@host()
def member_taken_out(hand: Host) -> Expected:
    """The file of a member removed."""
    path = member_path("bob")
    hand.put({path: None})
    return named((WRONG, path))


@host()
def member_said_to_be_dead(hand: Host) -> Expected:
    """A member said to have left."""
    path = member_path("cyd")
    state = parse(hand.read(path), path)
    state.life = dict.fromkeys(state.life, "dead")
    hand.put({path: emit(state)})
    return named((UNSIGNED, path))


@host()
def members_swapped(hand: Host) -> Expected:
    """Two members' files under each other's names."""
    bob, cyd = member_path("bob"), member_path("cyd")
    hand.put({bob: hand.read(cyd), cyd: hand.read(bob)})
    return named((WRONG, bob), (WRONG, cyd))


@host()
def member_file_that_is_none(hand: Host) -> Expected:
    """Something else where members belong."""
    path = f"{MEMBERS}/notes.txt"
    hand.put({path: b"x"})
    return named((UNSIGNED, path))


@host(Store.SEALED)
def key_file_replaced(hand: Host) -> Expected:
    """A member's key file made unreadable: they could open nothing any more."""
    path = _wrapped(hand)["ada"]
    hand.put({path: b"age-encryption.org/v1\n" + hand.rng.randbytes(200)})
    return named((UNSIGNED, path))


@host(Store.SEALED)
def key_file_replaced_in_all_history(hand: Host) -> Expected:
    """The same, in a history where it never was another."""
    path = _wrapped(hand)["ada"]
    hand.rewrite({path: b"evil"})
    return named((UNSIGNED, path))


@host(Store.SEALED)
def key_files_swapped(hand: Host) -> Expected:
    """Two members' key files in each other's place."""
    paths = _wrapped(hand)
    hand.put({paths["ada"]: hand.read(paths["bob"]), paths["bob"]: hand.read(paths["ada"])})
    return named((UNSIGNED, paths["ada"]), (UNSIGNED, paths["bob"]))


@host(Store.SEALED)
def key_file_taken_out(hand: Host) -> Expected:
    """A member's key file removed."""
    path = _wrapped(hand)["ada"]
    hand.put({path: None})
    return named(("missing file", path))


@host(Store.SEALED)
def key_file_copied_to_another_name(hand: Host) -> Expected:
    """A key file under a name that is no member's."""
    path = _wrapped(hand)["bob"].replace("bob.age", "eve.age")
    hand.put({path: hand.read(_wrapped(hand)["bob"])})
    return named((UNSIGNED, path))


@host(Store.SEALED)
def key_file_of_another_key(hand: Host) -> Expected:
    """A key of the host's making, wrapped to the victim under the name of the true epoch."""
    path = _wrapped(hand)["ada"]
    epoch = path.split("/")[3]
    key = new_epoch("team", 1)
    object.__setattr__(key, "epoch", epoch)
    hand.put({path: wrap(key, hand.ground.who("ada").identity()[0].recipient)})
    return named((UNSIGNED, path))


@host(Store.SEALED)
def epoch_of_the_hosts_making(hand: Host) -> Expected:
    """A newer key, known to the host and wrapped to everybody: what is written next would be sealed with it."""
    key = new_epoch("team", 2)
    files = {
        key_path("team", key.epoch, name): wrap(key, hand.ground.who(name).identity()[0].recipient) for name in ("ada", "bob")
    }
    hand.put(files)
    return named(*((UNSIGNED, path) for path in files))


@host(Store.SEALED)
def epoch_that_nobody_can_open(hand: Host) -> Expected:
    """A newer key of which there are only damaged files: nobody could write any more."""
    path = key_path("team", "9-00000000", "ada")
    hand.put({path: b"nothing"})
    return named((UNSIGNED, path))
