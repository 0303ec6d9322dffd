"""Members with clones who commit as gitmem does, on top of plain git: each commit with its signed segment."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path

from gitmem.core.auditing.audit import Change, Head, Segment, closing
from gitmem.core.codec import emit, parse
from gitmem.core.edit import Pen
from gitmem.core.membership.members import enrol_detail, genesis_detail
from gitmem.core.record import Json, State
from gitmem.git.repo import Repo
from gitmem.memory.auditing.audit import AuditReport, file_detail, heads, verify
from gitmem.store.layout import member_path, record_path
from tests.support.auditing import STORE, Scribe, counted, edited, hexdigest, key_of, new_record
from tests.support.git import Git

ATTRIBUTES = b"memory/** -text merge=gitmem\nlog/** -text\n.gitmem/*.yaml -text merge=gitmem\n"
_DRIVER = Path(__file__).with_name("record_merge.py")


def path_of(record: str) -> str:
    """Where the team's pattern with this id lies."""
    return record_path("team", "pattern", record)


class Member:
    """A member at work in a clone. `learn`, `edit`, `use` and `forget` each make a commit."""

    def __init__(self, git: Git, name: str, writer: str | None = None) -> None:
        self.git = git
        self.root = git.path
        self.name = name
        self.scribe = Scribe(name, writer or f"{name}-1")
        self.told: dict[str, Head] = {}
        self.opening: list[Change] = []
        git("config", "merge.gitmem.driver", f"'{sys.executable}' '{_DRIVER}' %A %B")

    def copied(self, path: Path) -> Member:
        """The same member in a copy of the clone: to make one anew for each test costs more than most of them."""
        shutil.copytree(self.root, path, symlinks=True)
        other = copy(self)
        other.git, other.root = Git(path), path
        other.scribe, other.told, other.opening = copy(self.scribe), dict(self.told), list(self.opening)
        return other

    def found(self) -> None:
        """Begin the store."""
        pen = Pen(State("config", 1, "store", STORE), self.scribe.writer)
        pen.set("encryption", lambda _path, _dot: "plain")
        facts = genesis_detail(self.name, f"age1{self.name}", self.scribe.key.public, STORE)
        self.commit(
            {
                ".gitmem/config.yaml": (emit(pen.state), "init", facts),
                member_path(self.name): self._member_file(self.name, "admin"),
                ".gitattributes": (ATTRIBUTES, "config", {}),
            }
        )

    def enrol(self, name: str) -> None:
        """Make `name` an admin, who lets others in as well."""
        self.commit({member_path(name): self._member_file(name, "admin")})

    def learn(self, record: str, **fields: str) -> None:
        """Make a record."""
        state = new_record(self.scribe.writer, record, **(fields or {"fix": record}))
        self.commit({path_of(record): (emit(state), "learn", {})})

    def edit(self, record: str, **fields: str) -> None:
        """Change fields of a record."""
        self._change(record, "edit", lambda state: edited(state, self.scribe.writer, **fields))

    def use(self, record: str, counter: str = "fixed") -> None:
        """Raise a counter of a record."""
        self._change(record, "use", lambda state: counted(state, self.scribe.writer, counter))

    def take_in(self, record: str, state: State) -> None:
        """Sign for a record that was changed by hand, as `state`."""
        self.commit({path_of(record): (emit(state), "hand", {})})

    def put(self, path: str, data: bytes | None, op: str = "config") -> None:
        """Write or remove a file that is no record."""
        self.commit({path: (data, op, {})})

    def commit(self, files: dict[str, tuple[bytes | None, str, dict[str, Json]]]) -> Segment:
        """Write files, sign them, and commit all of it."""
        changes = [self._signed(path, *what) for path, what in files.items()]
        others = {writer: head for writer, head in heads(self.root).items() if writer != self.scribe.writer}
        fresh = [head for writer, head in others.items() if self.told.get(writer) != head]
        self.told = dict(others)
        segment = self.scribe.sign([*self.opening, *changes], fresh)
        self.opening = []
        contents = {path: data for path, (data, _, _) in files.items()} | {segment.path: segment.data}
        for path in [path for path, data in contents.items() if data is None]:
            self.git("rm", "--quiet", path)
        self.git.commit(f"{self.name}: {changes[0].op}", {p: data for p, data in contents.items() if data is not None})
        return segment

    def rotate(self) -> None:
        """Go on under the next writer, after history went back."""
        old = self.scribe.writer
        replica, _, number = old.rpartition("-")
        self.scribe = Scribe(self.name, f"{replica}-{int(number) + 1}")
        self.told = {}
        self.opening = [closing(old, heads(self.root).get(old))]

    def read(self, record: str) -> State:
        """A record in the work tree."""
        return parse((self.root / path_of(record)).read_bytes(), record)

    def verify(self) -> AuditReport:
        """Verify this clone."""
        return verify(Repo.find(self.root))

    def problems(self) -> list[tuple[str, str]]:
        """(what, where) of all problems in this clone."""
        return [(problem.what, problem.where) for problem in self.verify().problems]

    def _change(self, record: str, op: str, how: Callable[[State], State]) -> None:
        self.commit({path_of(record): (emit(how(self.read(record))), op, {})})

    def _signed(self, path: str, data: bytes | None, op: str, detail: dict[str, Json]) -> Change:
        done = self.git.run("show", f"HEAD:./{path}")
        before = done.stdout if done.returncode == 0 else None
        return Change(op, path, hexdigest(before), hexdigest(data), detail | file_detail(path, before, data))

    def _member_file(self, name: str, role: str) -> tuple[bytes, str, dict[str, Json]]:
        pen = Pen(State("member", 1, "store", f"m-{name}"), self.scribe.writer)
        pen.set("role", lambda _path, _dot: role)
        pen.add("recipients", "ea", lambda _path, _dot: f"age1{name}")
        pen.add("keys", "eb", lambda _path, _dot: key_of(name).public)
        pen.live()
        return emit(pen.state), "enrol", enrol_detail(name, [f"age1{name}"], [key_of(name).public], role)


def team(git: Git, *names: str) -> list[Member]:
    """A store founded by the first name in `git`, and clones of it in which the others are members."""
    git("init", "--quiet")
    founder = Member(git, names[0])
    founder.found()
    for name in names[1:]:
        founder.enrol(name)
    others = [Member(git.clone(git.path.with_name(name)), name) for name in names[1:]]
    return [founder, *others]
