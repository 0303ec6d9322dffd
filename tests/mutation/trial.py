"""Trying a mutant: in a copy of the package and its tests, so that the work tree is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT, Target

_COPIED = ("gitmem", "schemas", "hooks", "tests", "docs", "pyproject.toml")
_TIMEOUT = 300.0  # seconds; a mutant that does not end is noticed


def copied(place: Path) -> Path:
    """A copy of what the tests need, at `place`."""
    place.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=ignored)
        else:
            shutil.copy(source, place / name)
    return place


def noticed(place: Path, target: Target, mutant: Mutant) -> bool:
    """Whether a test of the target fails with the mutant in the copy at `place`."""
    file = place / target.file
    original = file.read_bytes()
    file.write_text(mutant.source, "utf-8")
    try:
        return not passes(place, target.tests)
    finally:
        file.write_bytes(original)


def passes(place: Path, tests: tuple[str, ...]) -> bool:
    """Whether these tests pass in the copy; those that cannot run at all raise RuntimeError."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV", "COVERAGE_"))}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(place)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", *tests]
    try:
        done = subprocess.run(command, cwd=place, env=env, check=False, capture_output=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1, 2):  # 2: the tests cannot even be imported
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 0
