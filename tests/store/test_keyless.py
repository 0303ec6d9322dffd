"""A member who holds no key merges what they cannot read, to the same bytes as one who can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from gitmem.core.codec import emit, parse
from gitmem.core.edit import Seal
from gitmem.core.merge import merge
from gitmem.core.record import Json
from gitmem.core.token import is_token
from gitmem.errors import NoKey
from gitmem.git.objects import Draft, write_commits
from gitmem.git.repo import Repo
from gitmem.git.setup import configure
from tests.support.environment import hermetic, make_home
from tests.support.git import Git
from tests.support.stores import EFFORT, found, open_memory
from tests.unit.pairs import Pair, pair
from tests.unit.strategies import SECRETS, Replica, World

PAIRS = 250 if EFFORT == 1 else 10_000
WHO = "host <host@example.org> 0 +0000"
WITHOUT_CRYPTO = """
import hashlib, json, sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("gitmem.crypto", "gitmem.store", "cryptography", "pyrage", "apsw", "keyring")):
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
from gitmem.core.codec import emit, parse
from gitmem.core.merge import merge

for line in sys.stdin:
    mine, theirs = (parse(text.encode(), "a record") for text in json.loads(line))
    print(hashlib.sha256(emit(merge(mine, theirs))).hexdigest(), hashlib.sha256(emit(merge(theirs, mine))).hexdigest())
"""


class Sealed(World):
    """A history whose values are really sealed, for one record."""

    def __init__(self, seal: Callable[[str, str, Json], Json]) -> None:
        self._sealing = seal
        super().__init__(secret=SECRETS[2])

    def _seal(self, replica: Replica, value: Json) -> Seal:
        return lambda path, dot: self._sealing(path, dot, value)


@pytest.fixture
def pairs(tmp_path: Path) -> dict[str, Pair]:
    """A sealed store at `store` whose branches `main` and `side` changed the same records, by their paths."""
    found(tmp_path / "store")
    random, made = Random(1), {}
    with open_memory(tmp_path / "store") as memory:
        for number in range(PAIRS):
            record = f"p-{number % 997:03d}{number:023d}"
            world = Sealed(memory.context.store.vault.sealing("team", "pattern", record))
            made[f"memory/team/pattern/{record[2:4]}/{record}.yaml"] = pair(random, world, record)
    _two_branches(Repo.find(tmp_path / "store"), made)
    return made


def _two_branches(repo: Repo, pairs: dict[str, Pair]) -> None:
    root = repo.head() or ""
    sides = [{path: emit(one.states[side]) for path, one in pairs.items()} for side in range(3)]
    drafts = [Draft("", WHO, WHO, [":1" if number else root], changes=files) for number, files in enumerate(sides)]
    _, mine, theirs = write_commits(repo, drafts)
    repo.run("update-ref", "refs/heads/side", theirs.commit)
    repo.run("reset", "--quiet", "--hard", mine.commit)


def _merged(git: Git) -> dict[str, bytes]:
    """Merge `side` by plain git (without hooks, which sign where they can) and give all records."""
    git("-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--no-edit", "--message", "both", "side")
    assert git("status", "--porcelain") == ""
    repo = Repo.find(git.path)
    files = repo.ls_tree("HEAD", ["memory"])
    return dict(zip(files, (data for _, data in repo.read_blobs(entry.id for entry in files.values())), strict=True))


def test_without_a_key_the_strategy_makes_the_same_tree(
    tmp_path: Path, pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One big merge in two clones, of which one has neither identity nor key: byte for byte the same, and it can be opened."""
    keyed = Git(tmp_path / "store")
    keyless = keyed.clone(tmp_path / "clone")
    keyless("branch", "side", "origin/side")
    with_key = _merged(keyed)
    with monkeypatch.context() as stranger:
        make_home(tmp_path / "stranger")
        for name, value in hermetic({}, tmp_path / "stranger").items():
            stranger.setenv(name, value)
        configure(Repo.find(keyless.path))
        without_key = _merged(keyless)
        with open_memory(keyless.path) as memory, pytest.raises(NoKey):
            _ = memory.context.store.vault.identity
    assert with_key == without_key
    assert keyed("rev-parse", "HEAD^{tree}") == keyless("rev-parse", "HEAD^{tree}")
    assert {path: emit(merge(one.mine, one.theirs)) for path, one in pairs.items()} == with_key
    _check_opens(tmp_path / "store", with_key)


def _check_opens(store: Path, merged: dict[str, bytes]) -> None:
    """With the key, values that waited side by side can be read after somebody else merged them."""
    opened = 0
    with open_memory(store) as memory:
        vault = memory.context.store.vault
        epoch = vault.current("team").epoch
        for path, data in merged.items():
            state = parse(data, path)
            for place, register in state.registers():
                for key, value in register.items():
                    if is_token(value) and str(value).startswith(f"ENC[{epoch},"):
                        vault.open(state, place, key, value)
                        opened += 1
    assert opened > len(merged)


def test_the_merge_cannot_even_import_a_cipher(pairs: dict[str, Pair]) -> None:
    """The algebra alone, in a process where everything that could open a value is missing, gives the same bytes."""
    import hashlib

    lines = [json.dumps([emit(one.mine).decode(), emit(one.theirs).decode()]) for one in pairs.values()]
    command = [sys.executable, "-c", WITHOUT_CRYPTO]
    done = subprocess.run(command, input="\n".join(lines), text=True, capture_output=True, check=True)
    ours = [hashlib.sha256(emit(merge(one.mine, one.theirs))).hexdigest() for one in pairs.values()]
    assert done.stdout.split() == [digest for digest in ours for _ in range(2)]
