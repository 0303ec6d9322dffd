"""What a store says about one person: in records as they stand, in their earlier versions, and who they are to the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gitmem.core.nearest import counted
from gitmem.core.record import MAX_BYTES, Json, State
from gitmem.core.subject import Subject
from gitmem.errors import GitmemError, NoKey
from gitmem.memory.auditing.history import read_history
from gitmem.memory.context import Context
from gitmem.memory.members.folded import segments_here
from gitmem.memory.members.roster import members
from gitmem.memory.privacy.erasures import rules
from gitmem.memory.soundness import sound_state
from gitmem.store.layout import MEMORY, id_at, is_record_path

_PROGRESS_STEP: Final = 1000


class Said(NamedTuple):
    """A value that mentions the person: the register it stands in, its key there, and itself."""

    register: str
    key: str
    value: Json


@dataclass(slots=True)
class Mention:
    """A record that mentions the person: its path and state (None: only its past is left), what it says, and what it said."""

    path: str
    state: State | None = None
    now: list[Said] = field(default_factory=list)
    past: list[Said] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The record's id."""
        return id_at(self.path)

    @property
    def registers(self) -> list[str]:
        """Every register that mentions the person, or has."""
        return sorted({said.register for said in (*self.now, *self.past)})


@dataclass(slots=True)
class Findings:
    """All that was found: mentions by path, how many records nobody here can read, the members, writers and commits."""

    mentions: dict[str, Mention] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    members: list[str] = field(default_factory=list)
    writers: set[str] = field(default_factory=set)
    commits: list[list[str]] = field(default_factory=list)


def find(context: Context, subject: Subject) -> Findings:
    """Look through all records, forgotten ones too, and through the history of HEAD for what a person is mentioned in."""
    found = Findings()
    for path in _paths(context):
        _look_at(context, subject, found, path)
    _look_back(context, subject, found)
    found.members = [member.name for member in members(context) if subject.is_named_in(member.name)]
    segments = segments_here(context) if found.members else ()
    found.writers = {segment.writer for segment in segments if segment.entries[0].subject in found.members}
    found.commits = list(_commits(context, subject))
    return found


def notes(found: Findings) -> list[str]:
    """What an erasure cannot reach, in words."""
    said = [f"not searched: {counted(len(found.unread), 'record')} that none of your keys opens"] if found.unread else []
    said += [
        f"{name} is a member: the name stands in .gitmem/members, in the log and in what they signed, for good"
        for name in found.members
    ]
    if found.commits:
        commits = counted(len(found.commits), "commit")
        said.append(f"they are author or committer of {commits}; `gitmem privacy pseudonyms on` hides names from now on")
    return said


def _paths(context: Context) -> list[str]:
    store = context.store
    files = (file.relative_to(store.root).as_posix() for file in (store.root / MEMORY).rglob("*.yaml"))
    return sorted({path for path in files if is_record_path(path)} | set(store.pending.paths()))


def _look_at(context: Context, subject: Subject, found: Findings, path: str) -> None:
    try:
        state = context.store.read(path)
        said = [] if state is None else _said(context, subject, state)
    except NoKey:
        found.unread.add(path)
        return
    except GitmemError as error:
        context.warn(error.message)
        return
    if said:
        found.mentions[path] = Mention(path, state, said)


def _said(context: Context, subject: Subject, state: State, known: set[Said] | None = None) -> list[Said]:
    """The values of a state that mention the person. `known` holds the sealed values looked at before, and takes in these."""
    said = []
    for path, register in state.registers():
        for key, stored in register.items():
            token = Said(path, key, str(stored))
            if known is not None and token in known:
                continue
            if known is not None:
                known.add(token)
            value = context.store.vault.open(state, path, key, stored)
            if subject.is_named_in(value):
                said.append(Said(path, key, value))
    return said


def _look_back(context: Context, subject: Subject, found: Findings) -> None:
    """What earlier versions said that no version standing now says, and that was not erased before."""
    repo, erased = context.store.repo, rules(context)
    history = read_history(repo, context.store.prefix).states
    versions = [(path, blob) for path, blobs in history.items() if is_record_path(path) for blob in blobs]
    known: set[Said] = set()
    last = ""
    contents = repo.read_blobs((blob for _, blob in versions), MAX_BYTES)
    for number, ((path, _), (_, data)) in enumerate(zip(versions, contents, strict=True)):
        if number % _PROGRESS_STEP == 0:
            context.progress("history", number, len(versions))
        if path != last:
            known, last = set(), path
        try:
            state: State | None = sound_state(path, data)
            state = erased[path].cleaned(state) if path in erased and state else state
            said = [] if state is None else _said(context, subject, state, known)
        except NoKey:
            found.unread.add(path)
            continue
        except GitmemError:
            continue  # no record: `audit verify` and `doctor` tell of it
        _add_past(context, found, path, said)


def _add_past(context: Context, found: Findings, path: str, said: list[Said]) -> None:
    mention = found.mentions.get(path) or Mention(path)
    standing = {(one.register, one.key) for one in mention.now}
    mention.past += [one for one in said if (one.register, one.key) not in standing]
    if mention.past:
        mention.state = mention.state or context.store.read(path)
        found.mentions[path] = mention


def _commits(context: Context, subject: Subject) -> Iterator[list[str]]:
    """(id, time, author, committer) of the commits that name the person."""
    if context.store.repo.head() is None:
        return
    out = context.store.repo.run("log", "-z", "--format=%H%x01%aI%x01%an <%ae>%x01%cn <%ce>", "HEAD")
    for line in _lines(out):
        commit = line.split("\1")
        if any(map(subject.is_named_in, commit[2:])):
            yield commit


def _lines(out: bytes) -> Iterable[str]:
    return filter(None, out.decode("utf-8", "replace").split("\0"))
