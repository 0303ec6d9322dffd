"""The one door to git.

Finding the repository and reading HEAD are done in Python on git's documented files (gitrepository-layout(5)), because a
cold `gitmem match` does nothing else with git and starting it would cost more than the match. The rest are git commands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.errors import GitmemError, NoStore
from gitmem.git import process
from gitmem.git.listing import ABSENT_MODE, Change, Entry, Unusual, Wanted, compare, list_files
from gitmem.git.own_files import no_file, pipes, read_file, read_text
from gitmem.git.reader import Found, Reader

__all__ = ["ABSENT_MODE", "BareRepository", "BlobRef", "Change", "Entry", "Repo"]

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PER_WORKTREE: Final = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")
_PATHS_AT_ONCE: Final = 500
_MAX_SYMREFS: Final = 5  # as git has it; refs may name each other in a circle
_RAW: Final = ("-z", "--raw", "--no-renames", "--no-abbrev")
_EMPTY_TREES: Final = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_IN_REFTABLE: Final = "ref: refs/heads/.invalid"  # what HEAD holds where the refs are in tables that git alone reads


class BlobRef(NamedTuple):
    """Content that git has already: a blob's id, and the mode of the file that holds it."""

    id: str
    mode: str = "100644"


class BareRepository(NoStore):
    """A repository without a work tree: gitmem works in a clone of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is a bare repository: gitmem works in a clone with a work tree", f"git clone '{folder}'")
        self.folder = folder


class Repo:
    """A repository with a work tree. `root` is its top, `git_dir` belongs to this worktree, `common_dir` to all of them."""

    def __init__(self, root: Path, git_dir: Path, common_dir: Path, index_file: Path | None = None) -> None:
        self.root = root
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.index_file = index_file or git_dir / "index"
        self._env: dict[str, str] = {}
        self._reader = Reader(root, self._env)
        self._looked = False

    @classmethod
    def find(cls, path: Path | str = ".") -> Repo:
        """The repository that `path` lies in. Raises NoStore where there is none, or a bare one."""
        start = Path(path).resolve()
        for folder in (start, *start.parents):
            repo = cls.at(folder)
            if repo is not None:
                return repo
            if _is_git_dir(folder):
                raise BareRepository(folder)
        raise NoStore(f"{start} is not in a git repository", "`git init` makes one, `gitmem init` a store")

    @classmethod
    def at(cls, top: Path) -> Repo | None:
        """The repository whose work tree has this very (resolved) top, None if there is none."""
        git_dir = _git_dir_at(top)
        return None if git_dir is None else cls(top, git_dir, _common_dir(git_dir))

    @classmethod
    def objects(cls, path: Path | str = ".") -> Repo:
        """The repository that `path` lies in, a bare one as well: for what reads commits and never a work tree.

        In a hook of a push that git has not accepted yet, its objects are read where git keeps them apart. Raises NoStore.
        """
        try:
            repo = cls.find(path)
        except BareRepository as bare:
            repo = cls(bare.folder, bare.folder, bare.folder)
            repo._env["GIT_DIR"] = str(bare.folder)
        if "GIT_QUARANTINE_PATH" in os.environ:
            names = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
            repo._env.update((name, os.environ[name]) for name in names if name in os.environ)
        return repo

    @classmethod
    def of_environment(cls) -> Repo:
        """The repository that git is at work in when it starts us as a hook, a merge strategy or a driver.

        Other than `find` it follows GIT_DIR, GIT_WORK_TREE and GIT_INDEX_FILE: `git commit FILE` has its hooks look at a
        temporary index, which holds what is about to be committed.
        """
        given = {name: os.environ[name] for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE") if os.environ.get(name)}
        index = Path(given["GIT_INDEX_FILE"]).resolve() if "GIT_INDEX_FILE" in given else None
        if "GIT_DIR" in given:
            args = ("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir")
            done = process.call(args, Path.cwd(), env=given)
            if done.code:
                raise process.failure(args, Path.cwd(), done)
            root, git_dir, common_dir = (Path(line) for line in os.fsdecode(done.out).splitlines())
            repo = cls(root, git_dir, common_dir, index)
            repo._env.update({"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(root)})
        else:
            repo = cls.find()
            repo.index_file = index or repo.index_file
        if index:
            repo._env["GIT_INDEX_FILE"] = str(index)
        return repo

    def call(
        self,
        *args: str,
        input: bytes | None = None,  # noqa: A002 (the name subprocess uses)
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        remote: bool = False,
    ) -> process.Done:
        """Run a git command at the root, whatever its exit code; see `process.call`."""
        self._refuse_pipes()
        return process.call(args, self.root, input=input, env=self._env | dict(env or {}), timeout=timeout, remote=remote)

    def run(
        self,
        *args: str,
        input: bytes | None = None,  # noqa: A002
        env: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
        timeout: float | None = None,
    ) -> bytes:
        """The output of a git command. Raises GitmemError with git's own last lines for an exit code that is not in `ok`."""
        done = self.call(*args, input=input, env=env, timeout=timeout)
        if done.code not in ok:
            raise process.failure(args, self.root, done)
        return done.out

    @property
    def bare(self) -> bool:
        """Whether it has no work tree."""
        return self.root == self.git_dir

    def branch(self) -> str | None:
        """The short name of the branch HEAD is on, born or not; None when HEAD is detached."""
        ref = self._symbolic("HEAD")
        return ref.removeprefix("refs/heads/") if ref and ref.startswith("refs/heads/") else None

    def current_ref(self) -> str:
        """What a commit made now moves: the branch's full name, or `HEAD` when it is detached."""
        branch = self.branch()
        return f"refs/heads/{branch}" if branch is not None else "HEAD"

    def head(self) -> str | None:
        """The id of the commit HEAD stands at; None on an unborn branch. Starts no process."""
        return self.ref("HEAD")

    def ref(self, name: str) -> str | None:
        """The id that the ref with this full name holds, None if there is no such ref. Starts no process."""
        content = self._loose(name)
        if content == _IN_REFTABLE:
            return self.resolve(name)
        for _ in range(_MAX_SYMREFS):
            if not content or not content.startswith("ref: "):
                break
            name = content[5:]
            content = self._loose(name)
        if content is None:
            content = "" if name == "HEAD" else self._packed(name)
        if content is not None and not _OBJECT_ID.fullmatch(content):
            raise GitmemError(
                f"the ref {name} does not hold a commit id", "`gitmem doctor --fix` sets it to where it last stood"
            )
        return content

    def close(self) -> None:
        """End the git that waits to be asked for objects; another one is started when it is needed again."""
        self._reader.close()

    def resolve(self, revision: str) -> str | None:
        """The id of the commit that `revision` names, None if it names none."""
        if "\n" in revision:
            return None
        self._refuse_pipes()
        [found] = self._reader.read([f"{revision}^{{commit}}"], limit=0)
        return found.id if found else None

    def trees(self, revisions: Sequence[str]) -> list[str]:
        """The ids of the trees of commits (or trees), in order. Raises GitmemError for what is neither."""
        return [found.id for found in self._objects((f"{revision}^{{tree}}" for revision in revisions), limit=0)]

    def read_blobs(self, ids: Iterable[str], limit: int | None = None) -> Iterator[tuple[str, bytes]]:
        """The contents of objects, in order; at most `limit` + 1 bytes of each. Raises GitmemError when one is missing."""
        ids = list(ids)
        for one, found in zip(ids, self._objects(ids, limit), strict=True):
            yield one, found.data

    def read_paths(self, revision: str, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of `paths` that are files in `revision`; what lies below one is none of them."""
        wanted = {*paths}
        found = self.ls_tree(revision, [*wanted]).items()
        entries = {path: entry.id for path, entry in found if path in wanted and entry.mode.startswith("100")}
        return dict(zip(entries, (data for _, data in self.read_blobs(entries.values())), strict=True))

    def ls_tree(self, revision: str, paths: Sequence[str] = ()) -> dict[str, Entry]:
        """All files of `revision` that are, or lie below, one of `paths` (everything without `paths`), sorted by path."""
        try:
            found = list_files(self._objects, f"{revision}^{{tree}}", Wanted(paths))
        except Unusual:
            return self._ls_tree_of_git(revision, paths)
        names = os.fsdecode(b"\0".join(path for path, _ in found)).split("\0")
        return dict(zip(names, (entry for _, entry in found), strict=False))

    def entries(self, revision: str, paths: Sequence[str]) -> dict[str, Entry]:
        """What stands at each of a few paths of `revision`, trees as such; absent ones are left out."""
        return _entries(self._fields("ls-tree", "-z", "--full-tree", revision, "--", *paths))

    def diff(self, a: str | None, b: str | None, prefixes: Sequence[str] = ()) -> list[Change]:
        """What changed from tree-ish `a` to `b` (None is the empty tree), below `prefixes` if given, sorted by path."""
        old, new = (None if one is None else f"{one}^{{tree}}" for one in (a, b))
        try:
            return [unlike.change() for unlike in compare(self._objects, old, new, Wanted(prefixes))]
        except Unusual:
            sides = (a or self.empty_tree(), b or self.empty_tree())
            return list(_changes(self._fields("diff-tree", "-r", *_RAW, "--no-commit-id", *sides, "--", *prefixes)))

    def staged(self, against: str | None) -> list[Change]:
        """What the index holds otherwise than tree-ish `against` (None is the empty tree)."""
        return list(_changes(self._fields("diff-index", "--cached", *_RAW, against or self.empty_tree(), "--")))

    def edited(self, against: str, prefixes: Sequence[str]) -> list[Change]:
        """What tracked files hold otherwise than tree-ish `against`; one that was only touched may be among them."""
        return list(_changes(self._fields("diff-index", *_RAW, against, "--", *prefixes)))

    def empty_tree(self) -> str:
        """The id of the empty tree, which git knows without having it."""
        return _EMPTY_TREES[len(self.zero_id())]

    def zero_id(self) -> str:
        """The id that stands for no object: as many zeros as this repository's ids have digits."""
        config = (read_text(self.common_dir / "config") or "").lower()
        return "0" * (64 if re.search(r"^\s*objectformat\s*=\s*sha256", config, re.MULTILINE) else 40)

    def merge_bases(self, a: str, b: str) -> list[str]:
        """The best common ancestors of two commits; several after a criss-cross merge, none for unrelated histories."""
        return self.run("merge-base", "--all", a, b, ok=(0, 1)).decode().split()

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether commit `ancestor` is `descendant` or among its ancestors."""
        args = ("merge-base", "--is-ancestor", ancestor, descendant)
        done = self.call(*args)
        if done.code not in (0, 1):
            raise process.failure(args, self.root, done)
        return done.code == 0

    def config_get(self, key: str) -> str | None:
        """The value of a configuration key as git would use it here (its last one), None when unset."""
        out = self.run("config", "--null", "--get", key, ok=(0, 1))
        return os.fsdecode(out).removesuffix("\0") if out else None

    def config(self) -> dict[str, str]:
        """The whole configuration that holds here: key (section and name in lower case) -> last value."""
        pairs = (item.partition("\n") for item in self._fields("config", "--null", "--list"))
        return {key: value for key, _, value in pairs}

    def config_set(self, key: str, value: str | None, file: Path | None = None) -> None:
        """Set a key in this repository's own configuration, or in `file`; None removes all its values."""
        where = ("--local",) if file is None else ("--file", str(file))
        if value is None:
            self.run("config", *where, "--unset-all", key, ok=(0, 5))
        else:
            self.run("config", *where, "--replace-all", key, value)

    def _refuse_pipes(self) -> None:
        """Look once, before the first git: it would wait for ever for what a pipe in the place of one of its files says."""
        if not self._looked:
            path = next(pipes((self.git_dir, self.common_dir)), None)
            if path is not None:
                raise no_file(path)
            self._looked = True

    def _objects(self, names: Iterable[str], limit: int | None = None) -> Iterator[Found]:
        names = list(names)
        self._refuse_pipes()
        for name, found in zip(names, self._reader.read(names, limit), strict=True):
            if found is None:
                raise GitmemError(
                    f"the repository lacks the object {name}", "`gitmem doctor --fix` gets it from a backup or the remote"
                )
            yield found

    def _ls_tree_of_git(self, revision: str, paths: Sequence[str]) -> dict[str, Entry]:
        """The same as `ls_tree` where trees are hostile or broken; the last of several entries with one path counts."""
        found: dict[str, Entry] = {}
        for start in range(0, len(paths) or 1, _PATHS_AT_ONCE):
            some = paths[start : start + _PATHS_AT_ONCE]
            found |= _entries(self._fields("ls-tree", "-r", "-z", "--full-tree", revision, "--", *some))
        return found

    def _fields(self, *args: str) -> list[str]:
        """The NUL-terminated fields a command prints; file names that are not UTF-8 come as surrogates (os.fsdecode)."""
        return os.fsdecode(self.run(*args)).split("\0")[:-1]

    def _symbolic(self, name: str) -> str | None:
        content = self._loose(name)
        if content == _IN_REFTABLE:
            return self.run("symbolic-ref", "--quiet", name, ok=(0, 1)).decode().strip() or None
        return content[5:] if content and content.startswith("ref: ") else None

    def _loose(self, name: str) -> str | None:
        own = not name.startswith("refs/") or name.startswith(_PER_WORKTREE)
        return read_text((self.git_dir if own else self.common_dir) / name)

    def _packed(self, name: str) -> str | None:
        packed = read_file(self.common_dir / "packed-refs") or b""
        line_end = b" " + os.fsencode(name) + b"\n"
        at = (packed if packed.endswith(b"\n") else packed + b"\n").find(line_end)
        return packed[packed.rfind(b"\n", 0, at) + 1 : at].decode() if at >= 0 else None


def _git_dir_at(folder: Path) -> Path | None:
    """The git directory that `folder`, as the top of a work tree, has; None if it is no such thing."""
    dot = folder / ".git"
    if dot.is_dir():
        return dot if _was_git_dir(dot) else None
    if not dot.is_file():
        return None
    text = read_text(dot) or ""
    git_dir = folder / text.removeprefix("gitdir: ")
    if not text.startswith("gitdir: ") or not (git_dir / "HEAD").exists():
        raise NoStore(f"{dot} points to no git directory", "`git worktree repair` in the main work tree may mend it")
    return git_dir.resolve()


def _is_git_dir(path: Path) -> bool:
    return os.path.lexists(path / "HEAD") and (path / "objects").is_dir() and _holds_refs(path)


def _was_git_dir(path: Path) -> bool:
    """Whether it holds two of HEAD, objects and refs: what is gone of a repository `gitmem doctor` brings back."""
    return sum((os.path.lexists(path / "HEAD"), (path / "objects").is_dir(), _holds_refs(path))) > 1


def _holds_refs(path: Path) -> bool:
    return (path / "refs").is_dir() or (path / "packed-refs").is_file()


def _common_dir(git_dir: Path) -> Path:
    common = read_text(git_dir / "commondir")
    return git_dir if common is None else (git_dir / common).resolve()


def _entries(lines: Iterable[str]) -> dict[str, Entry]:
    """Read what `ls-tree -z` prints: `mode type id TAB path`, see git-ls-tree(1)."""
    pairs = (line.partition("\t") for line in lines)
    return {path: Entry(*head.split(" ")[::2]) for head, _, path in pairs}


def _changes(fields: list[str]) -> Iterator[Change]:
    """Read `--raw -z` output: `:old-mode new-mode old-id new-id status NUL path NUL`, see git-diff-tree(1)."""
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, _ = meta[1:].split(" ")
        yield Change(
            path, old_mode, new_mode, old if old_mode != ABSENT_MODE else None, new if new_mode != ABSENT_MODE else None
        )
