"""Nothing in the clear gets past `gitmem verify --keyless`, whatever somebody commits who has git and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from gitmem.memory.auditing.keyless import KeylessReport, check_stores
from tests.support.disk import MEMORY_DISK
from tests.support.stores import EFFORT
from tests.tamper.conftest import Make
from tests.tamper.ground import text
from tests.tamper.hands import BRANCH, Host
from tests.tamper.injected import BY_FORM, BY_SIGNATURE, Injection
from tests.tamper.table import Store


@pytest.fixture(scope="module")
def host(make: Make) -> Iterator[Host]:
    """A host with a sealed store in hand; what it commits is undone by `brought`."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        yield Host(make(0, Store.SEALED).copy(Path(folder, "ground")), Random(0))


def brought(host: Host, injections: list[Injection], secret: str) -> KeylessReport:
    """What the check says of commits that bring a secret in, one after the other."""
    before = host.tip()
    for injection in injections:
        host.put(injection(host, secret))
    [report] = check_stores(host.ground.remote, BRANCH, before)
    host.point(before)
    return report


@pytest.mark.parametrize("injection", BY_FORM, ids=lambda injection: injection.__name__)
def test_it_shows_in_the_form(host: Host, injection: Injection) -> None:
    """Also where a member has signed for it."""
    for _ in range(EFFORT):
        report = brought(host, [injection], text(host.rng))
        assert report.problems
        assert not report.ok


@pytest.mark.parametrize("injection", BY_SIGNATURE, ids=lambda injection: injection.__name__)
def test_nobody_signed_for_it(host: Host, injection: Injection) -> None:
    """What stands in the clear by its nature must be signed for by a member."""
    assert not brought(host, [injection], text(host.rng)).audit.ok


def test_it_was_taken_out_again(host: Host) -> None:
    """A commit that is undone by the next has still told everybody."""
    before = host.tip()
    path, _ = host.pick()
    held = host.read(path)
    host.put({path: b"secret"})
    host.put({path: held})
    [report] = check_stores(host.ground.remote, BRANCH, before)
    host.point(before)
    assert [problem.where.partition(" ")[0] for problem in report.problems] == [path]


def test_random_commits(host: Host) -> None:
    """Several secrets at once, in random places, in any order."""
    for _ in range(6 * EFFORT):
        several = host.rng.choices([*BY_FORM, *BY_SIGNATURE], k=host.rng.randint(1, 5))
        assert not brought(host, several, text(host.rng)).ok, several


@pytest.mark.parametrize("store", [Store.SEALED, Store.PLAIN], ids=lambda store: store.value)
def test_honest_work_passes(make: Make, store: Store) -> None:
    """What three members have done together is well, whole and in part."""
    ground = make(0, store)
    [report] = check_stores(ground.remote, BRANCH)
    assert (report.problems, report.audit.problems) == ([], [])
    assert report.commits > 10
    [report] = check_stores(ground.remote, BRANCH, "main~3")
    assert report.ok
