"""The one door to git.

Finding the repository and reading HEAD are done in Python on git's documented files (gitrepository-layout(5)), because a
cold `gitmem match` does nothing else with git and starting it would cost more than the match. The rest are git commands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from gitmem.errors import GitmemError, NoStore
from gitmem.git import process

if TYPE_CHECKING:
    import subprocess

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PER_WORKTREE: Final = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")
_FEED: Final = 200  # object ids sent ahead: 13 kB at most, so that a write to the pipe never blocks while git writes to us
_PATHS_AT_ONCE: Final = 500
ABSENT_MODE: Final = "000000"
_IN_REFTABLE: Final = "ref: refs/heads/.invalid"  # what HEAD holds where the refs are in tables that git alone reads


class BlobRef(NamedTuple):
    """Content that git has already: a blob's id, and the mode of the file that holds it."""

    id: str
    mode: str = "100644"


class Change(NamedTuple):
    """What became of one path between two trees; `old`/`new` are None where it is absent (its mode is then 000000)."""

    path: str
    old_mode: str
    new_mode: str
    old: str | None
    new: str | None


class Entry(NamedTuple):
    """One entry of a tree: `mode` as git prints it (100644, 040000, …) and the object's id."""

    mode: str
    id: str


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
            repo._env = {"GIT_DIR": str(bare.folder)}
        if "GIT_QUARANTINE_PATH" in os.environ:
            names = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
            repo._env |= {name: os.environ[name] for name in names if name in os.environ}
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
            repo._env = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(root)}
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
        while content and content.startswith("ref: "):
            name = content[5:]
            content = self._loose(name)
        content = content or self._packed(name)
        if content and not _OBJECT_ID.fullmatch(content):
            raise GitmemError(f"the ref {name} does not hold a commit id", "`git fsck` tells more; `gitmem doctor` repairs it")
        return content

    def resolve(self, revision: str) -> str | None:
        """The id of the commit that `revision` names, None if it names none."""
        done = self.call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return done.out.decode().strip() if done.code == 0 else None

    def trees(self, revisions: Sequence[str]) -> list[str]:
        """The ids of the trees of commits (or trees), in order. Raises GitmemError for what is neither."""
        if not revisions:
            return []
        return self.run("rev-parse", *(f"{revision}^{{tree}}" for revision in revisions)).decode().split()

    def read_blobs(self, ids: Iterable[str], limit: int | None = None) -> Iterator[tuple[str, bytes]]:
        """The contents of objects, in order, from one process; at most `limit` + 1 bytes of each.

        Raises GitmemError when one is missing.
        """
        rest = iter(ids)
        first = list(islice(rest, _FEED))
        if not first:
            return
        process.require_git()
        child = process.start(("cat-file", "--batch"), self.root, env=self._env)
        with child:
            try:
                while first:
                    yield from _read_batch(child, first, limit)
                    first = list(islice(rest, _FEED))
            finally:
                if child.stdin:
                    child.stdin.close()

    def read_paths(self, revision: str, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of those of `paths` that are files in `revision`."""
        entries = {
            path: entry.id for path, entry in self.ls_tree(revision, list(paths)).items() if entry.mode.startswith("100")
        }
        return dict(zip(entries, (data for _, data in self.read_blobs(entries.values())), strict=True))

    def ls_tree(self, revision: str, paths: Sequence[str] = ()) -> dict[str, Entry]:
        """All files of `revision` that are, or lie below, one of `paths` (everything without `paths`)."""
        found: dict[str, Entry] = {}
        for start in range(0, len(paths) or 1, _PATHS_AT_ONCE):
            some = paths[start : start + _PATHS_AT_ONCE]
            for line in self._fields("ls-tree", "-r", "-z", "--full-tree", revision, "--", *some):
                head, _, path = line.partition("\t")
                mode, _, object_id = head.split(" ")
                found[path] = Entry(mode, object_id)
        return found

    def entries(self, revision: str, paths: Sequence[str]) -> dict[str, Entry]:
        """What stands at each of a few paths of `revision`, trees as such; absent ones are left out."""
        fields = self._fields("ls-tree", "-z", "--full-tree", revision, "--", *paths)
        lines = (line.partition("\t") for line in fields)
        return {path: Entry(*head.split(" ")[::2]) for head, _, path in lines}

    def diff(self, a: str | None, b: str | None, prefixes: Sequence[str] = ()) -> list[Change]:
        """What changed from tree-ish `a` to `b` (None is the empty tree), below `prefixes` if given, sorted by path."""
        left, right = a or self.empty_tree(), b or self.empty_tree()
        args = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-commit-id", left, right, "--", *prefixes)
        return list(_changes(self._fields(*args)))

    def staged(self, against: str | None) -> list[Change]:
        """What the index holds otherwise than tree-ish `against` (None is the empty tree)."""
        args = ("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", against or self.empty_tree(), "--")
        return list(_changes(self._fields(*args)))

    def edited(self, against: str, prefixes: Sequence[str]) -> list[Change]:
        """What tracked files hold otherwise than tree-ish `against`; one that was only touched may be among them."""
        args = ("diff-index", "-z", "--raw", "--no-renames", "--no-abbrev", against, "--", *prefixes)
        return list(_changes(self._fields(*args)))

    def empty_tree(self) -> str:
        """The id of the empty tree, which git knows without having it."""
        return self.run("hash-object", "-t", "tree", "--stdin", input=b"").decode().strip()

    def zero_id(self) -> str:
        """The id that stands for no object: as many zeros as this repository's ids have digits."""
        config = (self.common_dir / "config").read_text("utf-8", "surrogateescape").lower()
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
        try:
            return (self.git_dir if own else self.common_dir).joinpath(name).read_text("utf-8", "surrogateescape").strip()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _packed(self, name: str) -> str | None:
        try:
            packed = (self.common_dir / "packed-refs").read_bytes()
        except FileNotFoundError:
            return None
        line_end = b" " + os.fsencode(name) + b"\n"
        at = (packed if packed.endswith(b"\n") else packed + b"\n").find(line_end)
        return packed[packed.rfind(b"\n", 0, at) + 1 : at].decode() if at >= 0 else None


def _git_dir_at(folder: Path) -> Path | None:
    """The git directory that `folder`, as the top of a work tree, has; None if it is no such thing."""
    dot = folder / ".git"
    if dot.is_dir():
        return dot if _is_git_dir(dot) else None
    if not dot.is_file():
        return None
    text = dot.read_text("utf-8", "surrogateescape").strip()
    git_dir = folder / text.removeprefix("gitdir: ")
    if not text.startswith("gitdir: ") or not (git_dir / "HEAD").exists():
        raise NoStore(f"{dot} points to no git directory", "`git worktree repair` in the main work tree may mend it")
    return git_dir.resolve()


def _is_git_dir(path: Path) -> bool:
    return os.path.lexists(path / "HEAD") and (path / "objects").is_dir() and (path / "refs").is_dir()


def _common_dir(git_dir: Path) -> Path:
    try:
        return (git_dir / (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()).resolve()
    except FileNotFoundError:
        return git_dir


def _changes(fields: list[str]) -> Iterator[Change]:
    """Read `--raw -z` output: `:old-mode new-mode old-id new-id status NUL path NUL`, see git-diff-tree(1)."""
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, _ = meta[1:].split(" ")
        yield Change(
            path, old_mode, new_mode, old if old_mode != ABSENT_MODE else None, new if new_mode != ABSENT_MODE else None
        )


def _read_batch(child: subprocess.Popen[bytes], ids: list[str], limit: int | None) -> Iterator[tuple[str, bytes]]:
    assert child.stdin and child.stdout  # noqa: S101, PT018 (both are pipes: `start` made them)
    child.stdin.write("".join(f"{one}\n" for one in ids).encode())
    child.stdin.flush()
    for one in ids:
        header = child.stdout.readline().split()
        if len(header) != 3:
            raise GitmemError(f"the repository lacks the object {one}", "`git fsck` tells more; fetch, or restore a backup")
        yield one, _content(child.stdout, int(header[2]), limit)


def _content(stream: IO[bytes], size: int, limit: int | None) -> bytes:
    """Read one object and the newline behind it, dropping what exceeds the limit without holding it in memory."""
    wanted = size if limit is None else min(size, limit + 1)
    data = stream.read(wanted)
    left = size - wanted + 1
    while left > 0 and (skipped := stream.read(min(left, 1 << 20))):
        left -= len(skipped)
    return data
