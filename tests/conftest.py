"""Every test runs in an environment of its own; fixtures run the real git and the real gitmem in it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import coverage
import hypothesis
import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support import environment
from tests.support.cli import Cli
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.home import ROOT, HomeGuard, real_home
from tests.support.terminal import PtyCli

_SCRATCH = Path(tempfile.gettempdir(), f"gitmem-hypothesis-{os.getuid()}")

# Found examples are kept outside the checkout; CI draws the same ones each time, so that a red run is the change's.
hypothesis.configuration.set_hypothesis_home_dir(_SCRATCH)
hypothesis.settings.register_profile(
    "default", deadline=None, max_examples=30, database=DirectoryBasedExampleDatabase(_SCRATCH / "examples")
)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True, database=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "default"))

_GUARD = HomeGuard(real_home())
_INHERITED = environment.inherited(dict(os.environ))
_COUNTER = itertools.count()
_UNMEASURED = ("faults", "mutation", "net", "sim", "store")
_WITHOUT_TRACE = ("faults", "mutation", "net", "sim", "tamper")
_STORES = ("plain", "sealed")
_ONE_IN: Final = 4
"""A process that is measured costs three times as much: those of one test in so many are, drawn by its name."""


def pytest_configure(config: pytest.Config) -> None:
    """Cut the process off from the machine's user before any test module is imported or any fixture made."""
    if MEMORY_DISK:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY_DISK)  # where `tmp_path` is, unless --basetemp says otherwise
    session = Path(tempfile.mkdtemp(prefix="gitmem-tests-", dir=MEMORY_DISK))
    config.add_cleanup(lambda: shutil.rmtree(session, ignore_errors=True))
    environment.make_home(session / "home")
    _replace_environment(environment.hermetic(_INHERITED, session / "home") | _pytests_own())
    _GUARD.install()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test that is written for plain and for sealed stores one of both runs, drawn by its name; thorough runs do both.

    A test that is named, or picked by a word, runs as it was asked for.
    """
    from tests.support.stores import EFFORT  # it imports gitmem, which must find the environment of tests

    if EFFORT > 1 or config.option.keyword or any("::" in str(arg) for arg in config.args):
        return
    left = {item for item in items if (store := _store_of(item)) and store != _drawn(item)}
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=[*left])


def _store_of(item: pytest.Item) -> str | None:
    """What a test's name in brackets says of its store."""
    name = item.name.partition("[")[2].removesuffix("]")
    return next((word for word in name.split("-") if word in _STORES), None)


def _drawn(item: pytest.Item) -> str:
    return _STORES[zlib.crc32(item.nodeid.partition("[")[0].encode()) % len(_STORES)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a program it started wrote into the real home."""
    if touched := _GUARD.changed():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("error: a test changed the real home:", *touched, sep="\n  ")  # noqa: T201


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the homes of this process's tests are made."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def home(homes: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The test's own empty home; with it comes the whole hermetic environment."""
    path = homes / str(next(_COUNTER))
    environment.make_home(path)
    before = dict(os.environ)
    inherited = {name: value for name, value in _INHERITED.items() if not name.startswith("COV") or _is_measured(request)}
    _replace_environment(environment.hermetic(inherited, path) | _pytests_own())
    with _untraced() if _repeats(request) else nullcontext():
        yield path
    _replace_environment(before)
    shutil.rmtree(path, ignore_errors=True)


def _is_measured(request: pytest.FixtureRequest) -> bool:
    """Whether the coverage of child processes counts: of a part of the tests, and not of those that start thousands."""
    place = request.path.relative_to(ROOT / "tests")
    if place.parts[0] in _UNMEASURED or place.name.startswith(("test_matrix", "test_docs")):
        return False
    return zlib.crc32(request.node.nodeid.encode()) % _ONE_IN == 0


def _repeats(request: pytest.FixtureRequest) -> bool:
    """Whether a test goes, many times over, through what others go through once: its coverage would cost and tell nothing."""
    place = request.path.relative_to(ROOT / "tests")
    return place.parts[0] in _WITHOUT_TRACE or place.name.startswith("test_matrix") or "laws" in place.name


@contextmanager
def _untraced() -> Iterator[None]:
    """What runs here is not measured."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()


def _pytests_own() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("PYTEST_")}


def _replace_environment(wanted: dict[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Git in `tmp_path`; `Git(other_directory)` from tests.support.git runs it elsewhere."""
    return Git(tmp_path)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], Git]:
    """`make_repo("a")` makes an empty repository at `tmp_path/a`."""

    def make(name: str = "repo") -> Git:
        path = tmp_path / name
        path.mkdir(parents=True)
        repo = Git(path)
        repo("init", "--quiet")
        return repo

    return make


@pytest.fixture
def bare_remote(tmp_path: Path) -> Path:
    """An empty bare repository to push to."""
    path = tmp_path / "remote.git"
    Git(tmp_path)("init", "--quiet", "--bare", path)
    return path


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The real `gitmem` in its own process, from `tmp_path` unless a call names another directory."""
    return Cli(tmp_path)


@pytest.fixture
def pty_cli(tmp_path: Path) -> PtyCli:
    """The real `gitmem` under a terminal: `pty_cli("forget", "p-1", answers=[("[y/N]", "y\\n")])`."""
    return PtyCli(tmp_path)


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pip reaches its package index; tests marked `network` ask for this and skip without."""
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0", "--timeout", "10"]
    target = tmp_path_factory.mktemp("index")
    done = subprocess.run([*words, "--dest", target, "hatchling"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("the package index cannot be reached")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data that may lie beside the checkout."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no ../shared/data beside the checkout: nothing to measure on")
    return path
