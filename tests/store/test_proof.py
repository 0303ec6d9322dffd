"""The exported proof, checked by a program that knows nothing of gitmem."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.errors import UsageError
from gitmem.memory.auditing.proof import write_proof
from tests.support.stores import found, join, learn_many, open_memory, person, share

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")
SECRET = "a value that stays sealed"


@pytest.fixture
def proof(tmp_path: Path, bare_remote: Path) -> Path:
    """The proof of a store in which two members wrote, one of them enough for a checkpoint."""
    found(tmp_path / "ada")
    share(tmp_path / "ada", bare_remote)
    with open_memory(tmp_path / "ada") as ada:
        who = person(tmp_path / "bobs-home")
        join(ada, tmp_path / "bob", bare_remote, "bob", who)
        with open_memory(tmp_path / "bob", who) as bob:
            for batch in range(2):
                learn_many(bob, (f"{SECRET} {batch} {number}" for number in range(150)))
                bob.commit()
            bob.learn("pattern", {"pattern": "the last", "fix": "none"})
            bob.sync()
        ada.sync()
        write_proof(ada.context, tmp_path / "proof")
        with pytest.raises(UsageError, match="there already"):
            write_proof(ada.context, tmp_path / "proof")
        write_proof(ada.context, tmp_path / "proof.tar.gz")
    return tmp_path / "proof"


def check(proof: Path) -> tuple[int, str]:
    """Exit code and output of the program in the proof, run by a Python that finds no package at all."""
    done = subprocess.run([sys.executable, "-I", "-S", "check.py"], cwd=proof, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_third_party_checks_it(proof: Path, tmp_path: Path) -> None:
    """Sound, as a directory and unpacked, also by the sums alone; and nothing of any record is in it."""
    code, said = check(proof)
    assert code == 0, said
    assert said.endswith("sound\n")
    assert "writers: 2; the founder's key is SHA256:" in said
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=proof, check=True)
    with tarfile.open(tmp_path / "proof.tar.gz") as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert check(tmp_path / "unpacked")[0] == 0
    text = b"".join(file.read_bytes() for file in proof.rglob("*") if file.is_file())
    assert SECRET.encode() not in text
    assert b'"op":"checkpoint"' in text


def _segment(proof: Path, holding: bytes) -> Path:
    """The last segment that holds something."""
    return [file for file in sorted((proof / "log").rglob("*.jsonl")) if holding in file.read_bytes()][-1]


def _edit(file: Path, how: Callable[[bytes], bytes]) -> None:
    file.write_bytes(how(file.read_bytes()))


ATTACKS: list[tuple[str, Callable[[Path], None]]] = [
    (
        "signature does not hold",
        lambda p: _edit(_segment(p, b'"learn"'), lambda d: d.replace(b'"op":"learn"', b'"op":"edits"', 1)),
    ),
    ("does not follow", lambda p: _edit(_segment(p, b'"init"'), lambda d: d.split(b"\n", 1)[1])),
    ("do not end where it says", lambda p: _segment(p, b'"checkpoint"').unlink()),
    ("do not end where it says", lambda p: shutil.rmtree(sorted((p / "log/audit").iterdir())[-1])),
    ("not as it was exported", lambda p: (p / "pin").write_text("x")),
]


def test_what_was_altered_is_named(proof: Path, tmp_path: Path) -> None:
    """A changed line, a line or a file taken out, a chain taken out, another file changed."""
    for number, (why, act) in enumerate(ATTACKS):
        altered = tmp_path / str(number)
        shutil.copytree(proof, altered)
        act(altered)
        if why != "not as it was exported":  # who alters a proof writes the sums anew
            (altered / "SHA256SUMS").write_text("")
        code, said = check(altered)
        assert code == 1, said
        assert why in said
