"""What users install is complete, and setting up a checkout says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.home import ROOT

PACKAGE_DATA = [path for part in ("schemas", "hooks") for path in sorted((ROOT / part).rglob("*")) if path.is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the checkout without a network."""
    out = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """The wheel's METADATA."""
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_wheel_carries_schemas_and_hooks(wheel: zipfile.ZipFile) -> None:
    """Package data lies inside the package, byte for byte."""
    assert {path.relative_to(ROOT).parts[0] for path in PACKAGE_DATA} == {"hooks", "schemas"}
    for path in PACKAGE_DATA:
        assert wheel.read(f"gitmem/{path.relative_to(ROOT).as_posix()}") == path.read_bytes()


def test_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """One top-level package, typed, with every module; no tests, no bench, no compiled files."""
    names = set(wheel.namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"gitmem"}
    assert "gitmem/py.typed" in names
    assert not [name for name in names if name.endswith(".pyc")]
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "gitmem").rglob("*.py")} <= names


def test_metadata_names_the_distribution(metadata: Message) -> None:
    """Distribution gitmem-store, MIT, Python 3.11 or newer, the README as its page."""
    assert metadata["Name"] == "gitmem-store"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()


def test_commands_exist() -> None:
    """Each console script names a function that can be called."""
    scripts = {entry.name: entry for entry in distribution("gitmem-store").entry_points}
    assert set(scripts) == {"gitmem", "git-merge-gitmem", "gitmem-merge-driver", "gitmem-textconv"}
    for entry in scripts.values():
        assert callable(entry.load())


TOOLS = ("awk", "chmod", "dirname", "find", "grep", "make", "mkdir", "rm", "sed", "sh", "touch")

# A python3 that makes an environment whose pip notes how it is called, in the way of the real ones.
STUB_PYTHON = """\
#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\\n# %s/%s/bin/\\necho pip "$@" >> pip.log\\n' "$PWD" "$3" > "$3/bin/pip"
printf '#!/bin/sh\\necho ran gitmem "$@"\\n' > "$3/bin/gitmem"
chmod +x "$3/bin/pip" "$3/bin/gitmem"
"""
OLD_PYTHON = "#!/bin/sh\nexit 1\n"
PYTHON_WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'


class Machine:
    """A checkout's Makefile on a machine with few tools."""

    def __init__(self, tmp_path: Path) -> None:
        self.checkout = tmp_path / "a checkout"
        self.bin = tmp_path / "bin"
        for name in (".ci", "gitmem", "hooks", "schemas", "tests"):
            (self.checkout / name).mkdir(parents=True)
        self.bin.mkdir()
        for name in ("Makefile", "pyproject.toml", ".ci/venv"):
            shutil.copy(ROOT / name, self.checkout / name)
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name) or "")
        self.program("git", "#!/bin/sh\n")

    def program(self, name: str, text: str) -> None:
        """Put a program on the machine's PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def make(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run make in the checkout."""
        env = {"PATH": str(self.bin), "HOME": os.environ["HOME"]}
        return subprocess.run(
            ["make", *args], cwd=self.checkout, env=env, capture_output=True, text=True, check=False, timeout=60
        )

    @property
    def installs(self) -> list[str]:
        """The times pip was asked to install something."""
        log = self.checkout / "pip.log"
        return [line for line in log.read_text().splitlines() if "install" in line] if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with make, git and a few tools, and no Python."""
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("programs", "error", "hint"),
    [
        ({}, "no Python 3.11 or newer as python3", "apt install python3 python3-venv git"),
        ({"python3": OLD_PYTHON}, "no Python 3.11 or newer as python3", "brew install python git"),
        ({"python3": PYTHON_WITHOUT_VENV}, "python3 has no venv and ensurepip modules", "apt install python3-venv"),
        ({"python3": OLD_PYTHON, "python3.12": PYTHON_WITHOUT_VENV}, "python3.12 has no venv", "python3-venv"),
    ],
)
def test_setup_names_what_is_missing(machine: Machine, programs: dict[str, str], error: str, hint: str) -> None:
    """Without a usable Python each target says so in one line, with what to install, and leaves nothing behind."""
    for name, text in programs.items():
        machine.program(name, text)
    done = machine.make("demo")
    assert done.returncode == 2
    said = done.stderr.splitlines()
    assert said[0].startswith(f"error: {error}")
    assert said[1].startswith("hint: ")
    assert hint in said[1]
    assert not (machine.checkout / ".venv").exists()


def test_setup_needs_git(machine: Machine) -> None:
    """Without git the same: one line, one hint."""
    machine.program("python3", STUB_PYTHON)
    (machine.bin / "git").unlink()
    assert machine.make("demo").stderr.startswith("error: git is not on PATH\nhint: ")


def test_setup_happens_once(machine: Machine) -> None:
    """`demo` installs what running needs, once; a changed pyproject.toml installs again."""
    machine.program("python3", STUB_PYTHON)
    assert machine.make("demo").stdout.endswith("ran gitmem demo\n")
    assert machine.make("demo", "ARGS=--keep").stdout == "ran gitmem demo --keep\n"
    assert [line.split()[-2:] for line in machine.installs] == [["--editable", "."]]
    os.utime(machine.checkout / "pyproject.toml", (2**32, 2**32))
    machine.make("demo")
    assert len(machine.installs) == 2


def test_tests_get_the_development_tools(machine: Machine) -> None:
    """`test` adds the tools to the environment that `demo` made, and `demo` is content with that one."""
    machine.program("python3.12", STUB_PYTHON)
    machine.make("demo")
    machine.make("test", "-k")
    machine.make("demo")
    assert [line.split()[-1] for line in machine.installs] == [".", ".[dev]"]


@pytest.mark.parametrize("left", ["pyvenv.cfg", "bin/pip", "bin/gitmem"])
def test_half_made_environment_is_made_again(machine: Machine, left: str) -> None:
    """What an interrupted run, or a checkout since moved, left behind does not count as done."""
    machine.program("python3", STUB_PYTHON)
    broken = machine.checkout / ".venv" / left
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/somewhere/else/.venv/bin/python\n")
    done = machine.make("demo")
    assert done.returncode == 0, done.stderr
    assert "making .venv with python3" in done.stdout
    assert done.stdout.endswith("ran gitmem demo\n")
