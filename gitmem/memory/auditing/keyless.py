"""Checking a store without a key, as CI and a git host can: every content that commits bring, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.core.auditing.audit import MAX_SEGMENT, Problem
from gitmem.core.codec import parse
from gitmem.core.kinds.schema import Kind
from gitmem.core.nearest import counted
from gitmem.errors import InvalidRecord, NoStore
from gitmem.git.lineage import walk
from gitmem.git.repo import Entry, Repo
from gitmem.memory.auditing.audit import AuditReport, bounded, verify
from gitmem.memory.auditing.forms import Form, flaw
from gitmem.memory.syncing.quarantine import oddity, shown
from gitmem.store.config import PLAIN
from gitmem.store.kinds import Kinds, parse_schema
from gitmem.store.layout import ATTRIBUTES, CONFIG, KEYS, OWN_PREFIXES, SCHEMAS, is_own

INVALID = "invalid file"


@dataclass(frozen=True, slots=True)
class KeylessReport:
    """What was found in the commits of a range: `problems` of the form of files, and what `audit` found in the whole history.

    `commits` and `files` say how many commits changed the store, and how many contents were looked at.
    """

    ok: bool
    commits: int
    files: int
    problems: list[Problem]
    audit: AuditReport
    notes: list[str] = field(default_factory=list)


def check_stores(place: Path | str, commit: str, since: str | None = None) -> list[KeylessReport]:
    """Check every store that `commit` or `since` holds, in the repository at `place`; a bare one will do.

    `since` may be the id of no commit that hosts give for a new branch: then all counts. Raises NoStore where neither holds a
    store, or there is no such commit.
    """
    repo = Repo.objects(place)
    tip, known = _commit(repo, commit), None if since is None or not since.strip("0") else _commit(repo, since)
    prefixes = {prefix for one in (tip, known) if one for prefix in _stores_in(repo, one)}
    if not prefixes:
        raise NoStore(f"{commit} holds no gitmem store", "name a commit of the branch that has it")
    return [keyless(repo, prefix, tip, known) for prefix in sorted(prefixes)]


def _commit(repo: Repo, name: str) -> str:
    found = repo.resolve(name)
    if found is None:
        raise NoStore(f"{name[:80]!r} names no commit here", "fetch it; in CI, check out the whole history")
    return found


def _stores_in(repo: Repo, tip: str) -> list[str]:
    """Where the stores of a commit lie: empty for the top, else ending in a slash."""
    return [path.removesuffix(CONFIG) for path in repo.ls_tree(tip) if path == CONFIG or path.endswith(f"/{CONFIG}")]


def keyless(repo: Repo, prefix: str, tip: str, since: str | None = None) -> KeylessReport:
    """Check the store at `prefix`: what the commits bring that `tip` reaches and `since` does not (None: all of them).

    The audit log is verified whole in any case. Raises NoStore where the commit holds no store, GitmemError when git fails.
    """
    form = _form(repo, prefix, tip)
    paths = [prefix + name for name in (*OWN_PREFIXES, ATTRIBUTES)]
    steps = [step for step in walk(repo, tip, since, paths) if step.new]
    fresh = {(step.path, step.new): step.commit for step in reversed(steps) if step.new}
    problems = bounded(list(_flaws(repo, prefix, form, fresh)))
    audit = verify(repo, prefix, tip)
    commits = len({step.commit for step in steps})
    notes = [*_not_looked_at(repo, prefix, tip, since), *audit.notes]
    return KeylessReport(audit.ok and not problems, commits, len(fresh), problems, audit, notes)


def _form(repo: Repo, prefix: str, tip: str) -> Form:
    data = repo.read_paths(tip, [prefix + CONFIG]).get(prefix + CONFIG)
    if data is None:
        raise InvalidRecord(f"{prefix}{CONFIG} is gone, and the store with it", "do not merge this")
    config = parse(data, CONFIG)
    plain = set(map(str, config.fields.get("encryption", {}).values())) == {PLAIN}
    epochs: dict[str, set[str]] = {}
    for path in repo.ls_tree(tip, [prefix + KEYS]):
        scope, _, rest = path.removeprefix(f"{prefix}{KEYS}/").rpartition("/")[0].rpartition("/")
        epochs.setdefault(scope, set()).add(rest)
    return Form(config.id, plain, {scope: frozenset(names) for scope, names in epochs.items()}, _kinds(repo, prefix, tip))


def _kinds(repo: Repo, prefix: str, tip: str) -> dict[str, Kind]:
    """The newest version of each kind: the shipped ones and the team's own. What is no schema is found as a file is."""
    shipped = Kinds()
    known = {name: shipped.get(name) for name in shipped.names()}
    paths = repo.ls_tree(tip, [prefix + SCHEMAS])
    for path, data in sorted(repo.read_paths(tip, list(paths)).items()):
        name, _, version = path.removeprefix(f"{prefix}{SCHEMAS}/").removesuffix(".json").partition("/")
        with suppress(InvalidRecord, ValueError):
            kind = Kind(name, int(version or 1), parse_schema(data, path), path)
            if name not in shipped.names() and kind.version > (known[name].version if name in known else 0):
                known[name] = kind
    return known


def _flaws(repo: Repo, prefix: str, form: Form, fresh: dict[tuple[str, Entry], str]) -> Iterator[Problem]:
    """What is wrong with contents, each named with the first commit that brought it. One is held in memory at a time."""
    wanted = sorted((path, entry, commit) for (path, entry), commit in fresh.items())
    blobs = repo.read_blobs((entry.id for _, entry, _ in wanted if entry.mode.startswith("100")), MAX_SEGMENT)
    for path, entry, commit in wanted:
        name, data = path.removeprefix(prefix), next(blobs)[1] if entry.mode.startswith("100") else b""
        why = oddity(name, entry) or flaw(form, name, data)
        if why:
            yield Problem(INVALID, f"{shown(name)} (commit {commit[:12]})", why)


def _not_looked_at(repo: Repo, prefix: str, tip: str, since: str | None) -> Iterator[str]:
    paths = [change.path for change in repo.diff(since, tip)]
    others = sum(not (path.startswith(prefix) and is_own(path.removeprefix(prefix))) for path in paths)
    if others:
        yield f"not looked at: {counted(others, 'file')} outside the store"
    yield "not looked at: messages, authors and branch names, which are never encrypted"
