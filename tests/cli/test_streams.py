"""Closed pipes, full devices, a pager, Ctrl-C: a program among programs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import LESSON, Seat
from tests.support.cli import GITMEM, Cli


def _env(seat: Seat) -> dict[str, str]:
    return os.environ | {"GITMEM_IDENTITY_FILE": str(seat.key)}


def _many(seat: Seat, count: int) -> None:
    lines = "".join(json.dumps({"pattern": f"error {n} " + "x" * 400, "fix": str(n)}) + "\n" for n in range(count))
    seat("learn", "--batch", "-", "--quiet", input=lines).ok()


@pytest.mark.parametrize(
    "words", [["list", "--limit", "500"], ["list", "--json", "--limit", "500"], ["--help"], ["diff"], ["audit", "log"]]
)
def test_a_closed_pipe_is_no_error(ada: Seat, words: list[str]) -> None:
    """A reader that leaves early ends it quietly with 0, however much is left to say."""
    if words[0] == "list":
        _many(ada, 300)
    with subprocess.Popen(
        [GITMEM, *words], cwd=ada.path, env=_env(ada), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        said = child.stderr.read().decode()
        assert child.wait(30) == 0, said
    assert "Error" not in said
    assert "Traceback" not in said


def test_head(ada: Seat) -> None:
    """`gitmem list | head -1` prints one line, and the shell sees success on both sides."""
    _many(ada, 300)
    line = f"set -o pipefail; '{GITMEM}' list --limit 500 | head -1"
    done = subprocess.run(["bash", "-c", line], cwd=ada.path, env=_env(ada), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_a_full_device(ada: Seat) -> None:
    """Output that cannot be written is an error, told once."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [GITMEM, "status"], cwd=ada.path, env=_env(ada), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the output could not be written: no space left on device\nhint: ")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(ada: Seat, closed: str) -> None:
    """Started without one of its streams, it works on, and writes nothing into a file that took its number."""
    before = {path: path.read_bytes() for path in (ada.path / ".gitmem").rglob("*") if path.is_file()}
    done = subprocess.run(
        ["sh", "-c", f"exec '{GITMEM}' learn --pattern x --fix y {closed}"], cwd=ada.path, env=_env(ada), check=False
    )
    assert done.returncode == 0
    assert ada("list").ok().out.count("\n") == 1
    assert {path: path.read_bytes() for path in (ada.path / ".gitmem").rglob("*") if path.is_file()} == before


def test_an_encoding_that_lacks_characters(ada: Seat) -> None:
    """What a terminal cannot show is shown by its escape."""
    found = ada.learn("--pattern", "漢字", "--fix", "ü")
    env = {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    assert b"\\u6f22" in ada("show", found, env=env).ok().out_bytes
    ada("edit", found, "--fix", "ü 🙂").ok()
    assert ada("show", found, "--json", env=env | {"PYTHONIOENCODING": "ascii"}).ok().json["fields"]["fix"] == "ü 🙂"


def test_pager(ada: Seat, make_editor: Callable[[str], str], tmp_path: Path) -> None:
    """Long output on a terminal goes through $PAGER, colours and all; leaving it early is no error; a pipe needs none."""
    found = ada.learn()
    pager = make_editor(f"cat > {tmp_path}/paged")
    drawn = ada.terminal("show", found, env={"PAGER": pager})
    assert (drawn.code, drawn.text) == (0, "")
    assert f"\x1b[1m{found}" in (tmp_path / "paged").read_text()
    assert ada.terminal("list", env={"PAGER": make_editor("exit 0")}).code == 0
    assert found in ada.terminal("list", env={"PAGER": "/nonexistent"}).text
    assert found in ada.terminal("list", env={"PAGER": ""}).text
    (tmp_path / "paged").unlink()
    ada("show", found, env={"PAGER": pager}).ok()
    assert not (tmp_path / "paged").exists()


def test_ctrl_c_while_it_waits_for_input(ada: Seat) -> None:
    """130 and one line, for people and for programs."""
    as_json = b'{"error": "interrupted", "hint": "", "exit_code": 130}\n'
    for words, said in ((["match"], b"error: interrupted\n"), (["match", "--json"], as_json)):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([GITMEM, *words], cwd=ada.path, env=_env(ada), **pipes) as child:
            time.sleep(1.0)
            child.send_signal(signal.SIGINT)
            assert child.wait(20) == 130
            assert child.stderr
            assert child.stderr.read() == said


@pytest.mark.parametrize(
    "words", [["learn", *LESSON], ["used", "p-", "--fixed"], ["commit"], ["sync"], ["match", "fatal: no upstream"]]
)
def test_ctrl_c_at_any_moment(ada: Seat, tmp_path: Path, words: list[str]) -> None:
    """Interrupted at several moments it ends with 130 (or was done already), prints no traceback, and the store is sound."""
    found = ada.learn()
    words = [found if word == "p-" else word for word in words]
    draw = random.Random(words[0])
    marker = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    for _ in range(6):
        ada("learn", "--pattern", f"error {draw.random()}", "--fix", "x").ok()
        marker.unlink(missing_ok=True)
        env = _env(ada) | {"PYTHONPATH": str(tmp_path)}
        with subprocess.Popen([GITMEM, *words], cwd=ada.path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            while not marker.exists():  # before that it is Python that is interrupted, not gitmem
                time.sleep(0.005)
            time.sleep(draw.uniform(0.06, 0.4))
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=30)
        assert child.returncode in (0, 130), said.decode()
        assert b"Traceback" not in said
        assert child.returncode == 0 or said.endswith(b"error: interrupted\n")  # after what it had done by then, if it said so
    ada("sync").ok()
    ada("doctor").ok()
    ada("audit", "verify").ok()
    assert ada("status", "--json").ok().json["records"] == 7
    assert not list((ada.path / "memory").rglob("*.tmp"))


def test_progress(ada: Seat, place: Path) -> None:
    """Work of more than a second says what it does, on a terminal only, and takes its line away."""
    hook = place / "remote.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsleep 1.5\n")
    hook.chmod(0o755)
    ada.learn()
    drawn = ada.terminal("sync")
    assert drawn.code == 0
    assert "sync" in drawn.raw.split("\r")[1]
    assert drawn.raw.rstrip().endswith("conflicts 0")
    ada.learn("--pattern", "y", "--fix", "z")
    assert ada("sync").ok().err == ""
    ada.learn("--pattern", "q", "--fix", "z")
    assert "\r\x1b[K" not in ada.terminal("sync", "--quiet").raw


def test_a_bug_shows_no_values(cli: Cli, ada: Seat, tmp_path: Path) -> None:
    """Anything unexpected is a bug: exit code 70, where it happened, how to report it, no values of variables."""
    (tmp_path / "sitecustomize.py").write_text(
        "import gitmem.memory.status as m\n"
        "def broken(context):\n    secret = 's3cret' * 2\n    raise ZeroDivisionError\n"
        "m.status = broken\n"
    )
    done = ada("status", env={"PYTHONPATH": str(tmp_path)}).expect(70)
    assert "ZeroDivisionError" in done.err
    assert "s3crets3cret" not in done.err
    assert done.err.splitlines()[-1].startswith("hint: please report it")
    assert ada("status", "--json", env={"PYTHONPATH": str(tmp_path)}).expect(70).error["exit_code"] == 70
