"""Whose hands the repository is in: a host's, who has what lies there and no key, or a member's, who can sign and seal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from gitmem.core.auditing.audit import Change, Head, Segment, build_segment, line_hash
from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import parse
from gitmem.core.dots import json_line
from gitmem.core.edit import Seal
from gitmem.core.record import Json, State
from gitmem.crypto.signing import SigningKey
from gitmem.git.objects import Content, Draft, write_commits
from gitmem.git.repo import Entry, Repo
from gitmem.memory.auditing.states import file_detail
from gitmem.memory.committing.batch import digest
from gitmem.memory.committing.held import parse_or_none
from gitmem.store.layout import AUDIT, CONFIG, is_record_path
from tests.support.auditing import TIME
from tests.tamper.ground import Ground

WHO = "somebody <somebody@example.org> 1795168800 +0000"
BRANCH = "refs/heads/main"


@dataclass
class Host:
    """Somebody who can write to the remote, and nothing else."""

    ground: Ground
    rng: Random

    @cached_property
    def repo(self) -> Repo:
        """The remote."""
        return Repo.objects(self.ground.remote)

    def tip(self) -> str:
        """The commit the branch is at."""
        return self.repo.ref(BRANCH) or ""

    def files(self, below: str = "", tip: str | None = None) -> dict[str, bytes]:
        """What the branch (or another commit) holds below a path."""
        tree = {path: entry for path, entry in self.repo.ls_tree(tip or self.tip()).items() if path.startswith(below)}
        contents = self.repo.read_blobs(entry.id for entry in tree.values())
        return dict(zip(tree, (data for _, data in contents), strict=True))

    def read(self, path: str) -> bytes:
        """One file."""
        return self.files(path)[path]

    def records(self, *, alive: bool = True) -> dict[str, State]:
        """The records that are sound still, in random order."""
        found = [(path, parse_or_none(data, path)) for path, data in self.files("memory/").items() if is_record_path(path)]
        self.rng.shuffle(found)
        return {path: state for path, state in found if state is not None and state.alive == alive}

    def pick(self, **where: bool) -> tuple[str, State]:
        """One of them."""
        return next(iter(self.records(**where).items()))

    def versions(self, path: str) -> list[bytes]:
        """All contents a file ever had, oldest first, each once."""
        commits = self.repo.run("rev-list", "--reverse", "--topo-order", self.tip()).decode().split()
        held = (self.repo.read_paths(commit, [path]).get(path) for commit in commits)
        return list(dict.fromkeys(data for data in held if data is not None))

    def put(self, changes: Mapping[str, Content], *parents: str, message: str = "gitmem: 1 edited") -> str:
        """Commit changes on top of the branch (or of `parents`), and move the branch there."""
        [written] = write_commits(self.repo, [Draft(message, WHO, WHO, parents or [self.tip()], changes=changes)])
        self.point(written.commit)
        return written.commit

    def rewrite(self, changes: Mapping[str, Content]) -> str:
        """Change files and leave no trace of what was before: one commit in place of the history."""
        [root] = self.repo.trees([self.tip()])
        [written] = write_commits(self.repo, [Draft("gitmem: a new store", WHO, WHO, [], root=root, changes=changes)])
        self.point(written.commit)
        return written.commit

    def plant(self, entries: Mapping[str, Entry], message: str = "gitmem: 1 edited") -> str:
        """Commit tree entries that fast-import would refuse to make: any mode, any name."""
        index = {"GIT_INDEX_FILE": str(self.ground.folder / "index")}
        lines = "".join(f"{entry.mode} {entry.id}\t{path}\0" for path, entry in entries.items())
        self.repo.run("read-tree", self.tip(), env=index)
        self.repo.run("update-index", "-z", "--index-info", input=lines.encode("utf-8", "surrogateescape"), env=index)
        tree = self.repo.run("write-tree", env=index).decode().strip()
        made = self.repo.run("commit-tree", tree, "-p", self.tip(), "-m", message).decode().strip()
        self.point(made)
        return made

    def blob(self, data: bytes) -> str:
        """Store some bytes; their id."""
        return self.repo.run("hash-object", "-w", "--stdin", input=data).decode().strip()

    def point(self, commit: str, ref: str = BRANCH) -> None:
        """Move a branch, by force."""
        self.repo.run("update-ref", ref, commit)

    def chains(self) -> dict[str, list[Segment]]:
        """The segments by writer, in order."""
        found: dict[str, list[Segment]] = {}
        for path, data in sorted(self.files(AUDIT).items()):
            segment = parse_segment(data, path)
            found.setdefault(segment.writer, []).append(segment)
        return found

    def chain(self, *, at_least: int = 1) -> list[Segment]:
        """The segments of one writer who has that many."""
        return self.rng.choice([chain for chain in self.chains().values() if len(chain) >= at_least])

    def writer_of(self, name: str) -> str:
        """The writer of a member who has written last."""
        return max(w for w, chain in self.chains().items() if chain[0].entries[0].subject == name)

    @property
    def store(self) -> str:
        """The id of the store."""
        return parse(self.read(CONFIG), CONFIG).id

    @property
    def plain(self) -> bool:
        """Whether values stand in the clear."""
        return not self.files(".gitmem/keys")


@dataclass
class Insider(Host):
    """A member, who has keys and signs what they like."""

    name: str = "bob"

    @cached_property
    def key(self) -> SigningKey:
        """What they sign with."""
        identity, _ = self.ground.who(self.name).identity()
        return SigningKey.derive(identity.secret_bytes(), self.store)

    @property
    def writer(self) -> str:
        """The writer of the chain they go on with."""
        return self.writer_of(self.name)

    def head(self, writer: str | None = None) -> Head:
        """The end of a chain."""
        return self.chains()[writer or self.writer][-1].head

    def change(self, path: str, data: bytes | None, op: str = "edit", **detail: Json) -> Change:
        """An honest entry for what a file is to become."""
        before = self.files(path).get(path)
        return Change(op, path, digest(before), digest(data), file_detail(path, before, data) | detail)

    def sign(
        self,
        changes: Iterable[Change],
        head: Head | None = None,
        *,
        writer: str = "",
        subject: str = "",
        seen: Iterable[Head] = (),
    ) -> Segment:
        """A segment of theirs after `head` (by default what the branch holds of their chain)."""
        writer = writer or self.writer
        end = head or (self.head(writer) if writer in self.chains() else None)
        quoted = {other.writer: other for other in seen}
        return build_segment(
            self.store, writer, end, subject or self.name, quoted, TIME, changes, self.key.sign, self.key.public
        )

    def commit(self, files: Mapping[str, bytes | None], op: str = "edit", **detail: Json) -> Segment:
        """Commit files with entries for them, as a member does who is up to no good."""
        segment = self.sign([self.change(path, data, op, **detail) for path, data in files.items()])
        self.put({**files, segment.path: segment.data})
        return segment

    def seal(self, scope: str, kind: str, record_id: str) -> Seal:
        """What seals a value for a record."""
        with self.ground.at(self.name) as memory:
            sealing = memory.context.store.vault.sealing(scope, kind, record_id)
            return lambda path, dot: sealing(path, dot, f"by {self.name}")


def signed_again(segment: Segment, key: SigningKey) -> bytes:
    """The same entries, signed by another key."""
    return segment.body + _last_line(segment.body, key)


def told_again(segment: Segment, key: SigningKey, **changed: Json) -> bytes:
    """The entries of a segment with parts of them changed, chained and signed anew."""
    lines, prev = [], segment.entries[0].prev
    for line in segment.body.splitlines():
        text = json_line(json.loads(line) | changed | {"prev": prev}).encode()
        lines.append(text + b"\n")
        prev = line_hash(text)
    body = b"".join(lines)
    return body + _last_line(body, key)


def _last_line(body: bytes, key: SigningKey) -> bytes:
    return json_line({"key": key.public, "sig": key.sign(body)}).encode() + b"\n"
