"""`gitmem edit`: in an editor that leaves nothing behind, and by options."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Seat
from tests.support.cli import GITMEM

MakeEditor = Callable[[str], str]
SECRET = "correct-horse-battery"
PLACES = [Path("/dev/shm"), Path(os.environ.get("TMPDIR", "/tmp"))]


def _traces() -> set[Path]:
    """Directories of the editor's, in the places it may use."""
    return {path for place in PLACES if place.is_dir() for path in place.glob("gitmem-*/record.yaml")}


@pytest.fixture
def record(ada: Seat) -> str:
    """A record with a secret in it."""
    return ada.learn("--pattern", "login fails", "--fix", f"use {SECRET}", "--tag", "auth")


def _fields(seat: Seat, record: str) -> dict[str, object]:
    found: dict[str, object] = seat("show", record, "--json").ok().json["fields"]
    return found


def test_editor(ada: Seat, record: str, make_editor: MakeEditor, tmp_path: Path) -> None:
    """The editor gets the decrypted text in a private file; what it changes is taken; the file is gone."""
    noted = tmp_path / "noted"
    note = f'stat -c "%a" "$1" "$(dirname "$1")" > {noted}; echo "$1" >> {noted}; cat "$1" >> {noted}'
    editor = make_editor(f'{note}; sed -i "s/^fix:.*/fix: reset it/" "$1"')
    done = ada("edit", record, "--json", env={"EDITOR": editor}).ok().json
    assert done["changed"] is True
    assert _fields(ada, record) == {"pattern": "login fails", "fix": "reset it"}
    mode, folder_mode, path, *text = noted.read_text().splitlines()
    assert (mode, folder_mode) == ("600", "700")
    assert not Path(path).exists()
    assert not Path(path).parent.exists()
    assert f"fix: use {SECRET}" in text
    assert text[0].startswith(f"# {record}: pattern, team.")


def test_editor_sees_only_the_path(ada: Seat, record: str, make_editor: MakeEditor, tmp_path: Path) -> None:
    """Neither its arguments nor its environment hold what is secret; VISUAL goes before EDITOR, and may have options."""
    noted = tmp_path / "noted"
    editor = make_editor(f'printf "%s\\n" "$@" > {noted}; env >> {noted}')
    ada("edit", record, env={"VISUAL": f"{editor} --wait", "EDITOR": "false", "GITMEM_IDENTITY": "AGE-SECRET"}).ok()
    said = noted.read_text()
    assert said.startswith("--wait\n/")
    assert SECRET not in said
    assert "AGE-SECRET" not in said


@pytest.mark.parametrize("script", ["true", 'touch "$1"', ': > "$1"', 'grep "^#" "$1" > "$1.x"; mv "$1.x" "$1"'])
def test_unchanged_or_emptied(ada: Seat, record: str, make_editor: MakeEditor, script: str) -> None:
    """A text that was left as it was, or emptied, changes nothing."""
    ada("commit").ok()
    done = ada("edit", record, env={"EDITOR": make_editor(script)}).ok()
    assert done.err == "nothing was changed\n"
    assert ada("status", "--json").ok().json["pending"] == 0


@pytest.mark.parametrize(
    ("line", "code", "why"),
    [
        ("fixx: y", 13, "unknown field 'fixx' of a pattern; did you mean 'fix'?"),
        ("fix: *alias", 13, "the text, line"),
        ("fix: [1", 13, "the text, line"),
        ("meaning: {a: b}", 13, "must be text"),
    ],
)
def test_refused_text_is_kept(ada: Seat, record: str, make_editor: MakeEditor, line: str, code: int, why: str) -> None:
    """A text that cannot be taken changes nothing, is kept sealed, and comes back with --continue."""
    before = ada("show", record, "--json").ok().json
    done = ada("edit", record, env={"EDITOR": make_editor(f'sed -i "/^fix/d" "$1"; echo "{line}" >> "$1"')}).expect(code)
    assert why in done.err
    assert f"hint: your text is kept, encrypted: gitmem edit {record} --continue" in done.err
    assert ada("show", record, "--json").ok().json == before
    kept = ada.path / ".git/gitmem/drafts" / record
    assert line.encode() not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "is kept" in ada("edit", record, env={"EDITOR": "true"}).expect(1).err
    ada(
        "edit", record, "--continue", env={"EDITOR": make_editor(f'sed -i "s/^{line.partition(":")[0]}:.*/fix: mended/" "$1"')}
    ).ok()
    assert _fields(ada, record)["fix"] == "mended"
    assert not kept.exists()
    ada("edit", record, "--continue", env={"EDITOR": "true"}).expect(1)
    assert not _traces()


def test_failing_editor(ada: Seat, record: str, make_editor: MakeEditor) -> None:
    """An editor that fails, or is not there, changes nothing and leaves nothing."""
    done = ada("edit", record, env={"EDITOR": make_editor('echo "fix: x" > "$1"; exit 3')}).expect(1)
    assert "the editor ended with exit code 3; nothing was changed" in done.err
    assert "cannot be started" in ada("edit", record, env={"EDITOR": "/nonexistent/editor"}).expect(1).err
    assert "left no file behind" in ada("edit", record, env={"EDITOR": "rm"}).expect(1).err
    assert "EDITOR is no command line" in ada("edit", record, env={"EDITOR": "vim '"}).expect(2).err
    assert "there is no terminal for an editor" in ada("edit", record).expect(2).err
    assert _fields(ada, record)["fix"] == f"use {SECRET}"
    assert not _traces()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_wipes_the_text(
    ada: Seat, record: str, make_editor: MakeEditor, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGTERM and SIGHUP while the editor is open: the text is gone, the record as it was."""
    noted = tmp_path / "noted"
    editor = make_editor(f'echo "$1" > {noted}.x; mv {noted}.x {noted}; exec sleep 30')
    env = os.environ | {"GITMEM_IDENTITY_FILE": str(ada.key), "EDITOR": editor}
    with subprocess.Popen(
        [GITMEM, "edit", record], cwd=ada.path, env=env, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        deadline = time.monotonic() + 20
        while not noted.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        path = Path(noted.read_text().strip())
        assert SECRET in path.read_text()
        child.send_signal(number)
        assert child.wait(20) == 128 + number
    assert not path.exists()
    assert not path.parent.exists()


def test_ctrl_c_in_the_editor(ada: Seat, record: str, make_editor: MakeEditor, tmp_path: Path) -> None:
    """Ctrl-C that ends the editor ends gitmem with 130, and nothing is left."""
    editor = make_editor(f'echo "$1" > {tmp_path}/noted; echo ready; exec sleep 30')
    drawn = ada.terminal("edit", record, env={"EDITOR": editor}, answers=[("ready", "\x03")])
    assert drawn.code == 130
    assert not Path((tmp_path / "noted").read_text().strip()).exists()
    assert _fields(ada, record)["fix"] == f"use {SECRET}"


def test_an_edit_beside_an_edit(ada: Seat, record: str, make_editor: MakeEditor) -> None:
    """What changes while the editor is open stands beside what the editor changes; the same field is not overwritten."""
    inside = f"{GITMEM} edit {record} --set meaning=inner --tag inner"
    ada("edit", record, env={"EDITOR": make_editor(f'{inside}; sed -i "s/^fix:.*/fix: outer/" "$1"')}).ok()
    shown = ada("show", record, "--json").ok().json
    assert shown["fields"] == {"pattern": "login fails", "meaning": "inner", "fix": "outer"}
    assert shown["sets"] == {"tags": ["auth", "inner"]}
    inside = f"{GITMEM} edit {record} --fix theirs"
    done = ada("edit", record, env={"EDITOR": make_editor(f'{inside}; sed -i "s/^fix:.*/fix: mine/" "$1"')}).expect(1)
    assert "'fix' was changed by somebody else meanwhile" in done.err
    assert _fields(ada, record)["fix"] == "theirs"
    ada("edit", record, "--continue", env={"EDITOR": make_editor('grep -q "^# fix: theirs" "$1"')}).ok()
    assert _fields(ada, record)["fix"] == "mine"


def test_options(ada: Seat, record: str) -> None:
    """Fields and tags are set, removed and added in a script."""
    ada("edit", record, "--fix", "new", "--set", "context.tool=ssh", "--tag", "a", "--tag", "b", "--untag", "auth").ok()
    shown = ada("show", record, "--json").ok().json
    assert shown["fields"] == {"pattern": "login fails", "fix": "new", "context": {"tool": "ssh"}}
    assert shown["sets"] == {"tags": ["a", "b"]}
    ada("edit", record, "--unset", "context", "--untag", "a").ok()
    done = ada("edit", record, "--fix", "new", "--json").ok().json
    assert done["changed"] is False
    assert done["fields"] == {"pattern": "login fails", "fix": "new"}
    assert ada("edit", record, "--fix", "", "--json").ok().json["fields"]["fix"] == ""


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--set", "fixx=1"], 13, "did you mean 'fix'?"),
        (["--set", "files=3"], 13, "must be a list, not a whole number"),
        (["--unset", "fixx"], 2, "has no field 'fixx'; did you mean 'fix'?"),
        (["--unset", "pattern"], 13, "needs 'pattern'"),
        (["--untag", "nope"], 2, "has no tag 'nope'"),
        (["--fix", "x", "--file", "-"], 2, "one at a time"),
        (["--file", "nosuch.yaml"], 1, "cannot read nosuch.yaml"),
    ],
)
def test_refused_options(ada: Seat, record: str, words: list[str], code: int, why: str) -> None:
    """What cannot be taken changes nothing."""
    before = ada("show", record, "--json").ok().json
    assert why in ada("edit", record, *words).expect(code).err
    assert ada("show", record, "--json").ok().json == before


def test_from_a_file(ada: Seat, record: str, tmp_path: Path) -> None:
    """--file replaces all fields; another kind is refused."""
    (tmp_path / "new.yaml").write_text("pattern: login fails\nmeaning: it says so\ntags: [x]\n")
    ada("edit", record, "--file", tmp_path / "new.yaml").ok()
    shown = ada("show", record, "--json").ok().json
    assert shown["fields"] == {"pattern": "login fails", "meaning": "it says so"}
    assert shown["sets"] == {"tags": ["x"]}
    done = ada("edit", record, "--file", "-", input="kind: note\ntext: x\n").expect(2)
    assert "is a pattern, and stays one" in done.err


def test_forgotten_records_are_not_edited(ada: Seat, record: str) -> None:
    """An edit would bring a forgotten record back by accident."""
    ada("forget", record, "--yes").ok()
    for words, env in ((["--fix", "x"], {}), ([], {"EDITOR": "true"})):
        assert f"{record} is forgotten" in ada("edit", record, *words, env=env).expect(1).err


def test_a_plain_store(cli: Callable[..., object], ada: Seat, make_editor: MakeEditor) -> None:
    """Drafts work without encryption, too."""
    ada("init", "../plain", "--plain", "--name", "ada").ok()
    plain = Seat(ada.path.parent / "plain", ada.key)
    found = plain.learn()
    plain("edit", found, env={"EDITOR": make_editor('echo "nope: 1" >> "$1"')}).expect(13)
    plain("edit", found, "--continue", env={"EDITOR": make_editor('sed -i "/^nope/d; s/^fix:.*/fix: taken/" "$1"')}).ok()
    assert _fields(plain, found)["fix"] == "taken"
