"""Rewriting a branch's history with git-filter-repo, beside the repository, and tidying away what was before.

The rewriting happens in a bare repository that shares this one's objects. What comes of it is fetched; no ref, index or work
tree here is touched by it, so that it may be killed at any time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NamedTuple

from gitmem.errors import GitmemError
from gitmem.git import process, snapshots
from gitmem.git.remote import INCOMING, WITNESSED
from gitmem.git.repo import Repo

TEMPORARY: Final = "rewriting-"
_RESULT: Final = "refs/gitmem/tmp/rewritten"
_LEFTOVERS: Final = ("ORIG_HEAD", "FETCH_HEAD", "AUTO_MERGE")


class Rewritten(NamedTuple):
    """A rewritten history: its last commit, what became of each commit that changed, and the first of these (old ids)."""

    commit: str
    renamed: dict[str, str]
    first: list[str]


def rewrite(repo: Repo, folder: Path, ref: str, changes: Mapping[str, Mapping[str, bytes | None]]) -> Rewritten:
    """Rewrite the history of `ref`: at each path, each blob (by its id) becomes another content, or nothing.

    `folder` is where the work is done, on the same disk. The objects are in `repo` afterwards, and hang from nothing.
    """
    place = Path(mkdtemp(prefix=TEMPORARY, dir=folder))
    try:
        there = _sharing(repo, place / "repo.git", ref)
        told = {path: {blob: _stored(there, data) for blob, data in blobs.items()} for path, blobs in changes.items()}
        plan = place / "plan.json"
        plan.write_text(json.dumps({"refs": [ref], "changes": told}))
        _filter(there, plan)
        renamed = _renamed(there)
        new = there.ref(ref)
        if new is None:
            raise GitmemError(f"git-filter-repo left nothing of {ref}", "report this; nothing was changed")
        repo.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(there.git_dir), f"+{ref}:{_RESULT}")
        repo.run("update-ref", "-d", _RESULT)
        return Rewritten(new, renamed, _first(repo, renamed))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the repositories that killed rewritings left in their folder."""
    for place in folder.glob(f"{TEMPORARY}*"):
        shutil.rmtree(place, ignore_errors=True)


def backup(repo: Repo, file: Path, ref: str) -> None:
    """Put all that a ref reaches into a bundle, which only its owner may read."""
    repo.run("bundle", "create", "--quiet", str(file), ref)
    file.chmod(0o600)


def tidy(repo: Repo, refs: Iterable[str], olds: Iterable[str]) -> None:
    """Have this repository forget what nothing but its own memory refers to: reflogs of these refs, snapshots, old objects.

    Of what remote witnesses were seen to hold it forgets what descends from one of `olds`.
    """
    snapshots.drop_all(repo)
    stale = repo.run("for-each-ref", "--format=%(refname)", INCOMING, "refs/gitmem/tmp/").decode().split()
    stale += [ref for ref in holders(repo, olds) if ref.startswith(WITNESSED)]
    repo.run("update-ref", "--stdin", input="".join(f"delete {ref}\n" for ref in stale).encode())
    for name in _LEFTOVERS:
        (repo.git_dir / name).unlink(missing_ok=True)
    tracked = repo.run("for-each-ref", "--format=%(refname)", "refs/remotes/").decode().split()
    for ref in ("HEAD", *refs, *tracked):
        repo.call("reflog", "expire", "--expire=now", "--expire-unreachable=now", ref)
    repo.run("-c", "gc.reflogExpire=never", "-c", "gc.reflogExpireUnreachable=never", "gc", "--quiet", "--prune=now")
    repo.close()  # it would go on reading the packs that were removed


def holders(repo: Repo, commits: Iterable[str]) -> list[str]:
    """The refs and work trees that still reach one of these commits."""
    found: set[str] = set()
    for commit in commits:
        if repo.call("cat-file", "-e", f"{commit}^{{commit}}").code == 0:
            found |= set(repo.run("for-each-ref", "--format=%(refname)", f"--contains={commit}").decode().split())
    return sorted(found)


def reaches(repo: Repo, commit: str, olds: Iterable[str]) -> bool:
    """Whether a commit is, or descends from, one of `olds`, of which this repository may have none."""
    return any(repo.call("merge-base", "--is-ancestor", old, commit).code == 0 for old in olds)


def _sharing(repo: Repo, place: Path, ref: str) -> Repo:
    """A bare repository at `place` with the objects of `repo`, and nothing but `ref`."""
    kind = "sha256" if len(repo.zero_id()) == 64 else "sha1"
    repo.run("init", "--quiet", "--bare", f"--object-format={kind}", str(place))
    (place / "objects" / "info").mkdir(exist_ok=True)
    (place / "objects" / "info" / "alternates").write_text(f"{repo.common_dir / 'objects'}\n")
    there = Repo(place, place, place)
    there.run("update-ref", ref, repo.ref(ref) or "")
    there.run("symbolic-ref", "HEAD", ref)
    return there


def _stored(there: Repo, data: bytes | None) -> str | None:
    return None if data is None else there.run("hash-object", "-w", "--stdin", input=data).decode().strip()


def _filter(there: Repo, plan: Path) -> None:
    command = [sys.executable, "-m", "gitmem.git.filtering", str(plan)]
    env = process.environment() | {"PYTHONPATH": str(Path(__file__).parents[2]), "GIT_LITERAL_PATHSPECS": "0"}
    done = subprocess.run(command, cwd=there.git_dir, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        why = process.reason(process.readable(done.stderr + done.stdout))
        raise GitmemError(f"git-filter-repo could not rewrite the history: {why}", "nothing was changed")


def _renamed(there: Repo) -> dict[str, str]:
    lines = (there.git_dir / "filter-repo" / "commit-map").read_text().splitlines()[1:]
    pairs = (line.split() for line in lines)
    return {old: new for old, new in pairs if old != new}


def _first(repo: Repo, renamed: Mapping[str, str]) -> list[str]:
    """Those of the renamed commits whose parents kept their names: whoever descends from one has the old history."""
    if not renamed:
        return []
    out = repo.run("rev-list", "--no-walk=unsorted", "--parents", "--stdin", input="\n".join(renamed).encode()).decode()
    lines = (line.split() for line in out.splitlines())
    return sorted(commit for commit, *parents in lines if not any(parent in renamed for parent in parents))
