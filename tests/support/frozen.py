"""Whole stores that are frozen for ever: how one is made, and what must be seen in it.

    python -m tests.support.frozen FOLDER

makes `sealed` and `plain` in FOLDER, which is moved to `tests/vectors/format-<n>/stores` once in the life of a format: what
lies there is never made again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from gitmem.core.edit import Pen
from gitmem.core.merge import merge
from gitmem.core.record import Json
from gitmem.memory.founding.cloning import clone
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.resources import resource_dir
from gitmem.store.store import Write
from tests.support.environment import make_home
from tests.support.git import Git
from tests.support.stores import found, join, open_memory, person, share

ERROR = "fatal: the branch left has no upstream branch"


def picture(memory: Memory) -> dict[str, Any]:
    """All that a reader sees of a store: records with their conflicts, the best answer to an error, who wrote how much."""
    shown = (memory.get(record.id).as_json() for record in memory.records(limit=1000))
    report = memory.verify()
    seen: dict[str, Any] = {
        "records": {record["id"]: record for record in shown},
        "match": [match.id for match in memory.match(ERROR)[:1]],
        "members": sorted(member.name for member in memory.members()),
        "conflicts": sorted(record.id for record in memory.conflicts()),
        "audit": {"entries": report.entries, "writers": report.writers, "problems": report.problems},
    }
    copied: dict[str, Any] = json.loads(json.dumps(seen))
    return copied


def make(folder: Path, *, plain: bool) -> None:
    """A store as a bundle, the identity that opens it, and what is seen in it."""
    work = Path(tempfile.mkdtemp())
    for name in ("ada", "bob"):
        make_home(work / name)
    os.environ.update(HOME=str(work / "ada"), XDG_CONFIG_HOME=str(work / "ada/.config"))
    Git(work)("init", "--quiet", "--bare", "--initial-branch=main", "remote")
    found(work / "store", plain=plain)
    share(work / "store", work / "remote")
    with open_memory(work / "store") as ada:
        join(ada, work / "clone", work / "remote", "bob", person(work / "bob"))
        with open_memory(work / "clone", person(work / "bob")) as bob:
            _live(ada, bob)
            for memory in (ada, bob, ada, bob):
                memory.sync()
            ada.gc()
            ada.forget(ada.learn("note", {"text": "deleted, and not collected yet"}).id)
            ada.sync()
    folder.mkdir(parents=True)
    Git(work / "store")("bundle", "create", "--quiet", folder / "store.bundle", "HEAD", "main")
    shutil.copy(work / "ada/.config/gitmem/identity.txt", folder / "identity.txt")
    clone(str(folder / "store.bundle"), str(work / "seen"))
    with open_memory(work / "seen") as seen:
        (folder / "seen.json").write_text(json.dumps(picture(seen), indent=1, sort_keys=True) + "\n")
    shutil.rmtree(work)


def _live(ada: Memory, bob: Memory) -> None:
    """What happens to a store: every kind, uses, edits that cross, deletions, a copy of a clone, an edit by hand."""
    records = {kind: ada.learn(kind, _example(kind), tags=["frozen"]).id for kind in ada.context.kinds.names()}
    error = ada.learn("pattern", {"pattern": "fatal: the branch <*> has no upstream branch", "fix": "git push -u"}).id
    gone = ada.learn("note", {"text": "nobody needs this"}).id
    ada.sync()
    bob.sync()
    bob.used(error, fixed=True, ms=1200)
    bob.used(error, fixed=False)
    ada.used(error, fixed=True)
    for memory, fix, tag in ((ada, "git config push.autoSetupRemote true", "git"), (bob, "git push origin HEAD", "push")):
        memory.edit(error, {"fix": fix, "meaning": "both say this", "tags": [tag]})
    ada.forget(records["task"])
    bob.edit(records["task"], {"title": "edited while somebody deleted it"})
    bob.forget(records["quirk"])
    bob.forget(gone)
    bob.sync()
    _twice(ada, records["note"])
    ada.sync()
    if ada.context.store.config.plain:
        file = ada.context.store.root / locate(ada.context, records["decision"])
        file.write_text(file.read_text().replace('"frozen"', '"by hand"'))
    for memory in (ada, bob, ada, bob, ada):
        memory.used(error, fixed=True)  # a commit that has heard of the deletions
        memory.sync()


def _example(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((resource_dir("schemas") / kind / "1.json").read_text())
    values: dict[str, Any] = schema["examples"][0]
    return {name: value for name, value in values.items() if name != "tags"}


def _twice(memory: Memory, record: str) -> None:
    """One dot with two values: what a clone that was copied with its name leaves."""
    store = memory.context.store
    path = locate(memory.context, record)
    with store.lock:
        state = store.read(path)
        assert state is not None
        seal, states = store.sealing(state), []
        for value in ("one", "two"):
            pen = Pen(state, "aaaaaaaa-1")
            pen.set("text", partial(_sealed, seal, value))
            pen.live()
            states.append(pen.state)
        store.write([Write(path, merge(*states))])


def _sealed(seal: Any, value: Json, path: str, dot: str) -> Json:
    stored: Json = seal(path, dot, value)
    return stored


if __name__ == "__main__":
    for name in ("sealed", "plain"):
        make(Path(sys.argv[1]).absolute() / name, plain=name == "plain")
