"""Records as a gitmem without the second version of their kind wrote them."""

from __future__ import annotations

from functools import partial
from typing import Any

from gitmem.core.edit import Pen
from gitmem.core.record import Json, State
from gitmem.memory.memory import Memory
from gitmem.store.layout import record_path
from gitmem.store.store import Write


def older(memory: Memory, versions: str, record: str = "q-5zaaaaaaaaaa", **more: str) -> str:
    """Write a quirk, or what it says of versions, as a gitmem without the second version does."""
    store, path = memory.context.store, record_path("team", "quirk", record)
    with store.lock:
        store.refresh()
        known = store.read(path)
        pen = Pen(known or State("quirk", 1, "team", record), store.writer_for(path, known))
        seal = store.sealing(pen.state)
        said = {"versions": versions} if known else {"service": "db", "quirk": "sleeps", "versions": versions}
        for name, value in (said | more).items():
            pen.set(name, partial(_sealed, seal, value))
        pen.live()
        store.write([Write(path, pen.state)])
    return record


def _sealed(seal: Any, value: Json, path: str, dot: str) -> Json:
    stored: Json = seal(path, dot, value)
    return stored
