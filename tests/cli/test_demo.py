"""`gitmem demo`: every claim holds, whatever the user's own setup is, and a claim that does not hold ends it with 1."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from gitmem.cli.demo.mishaps import MISHAPS
from gitmem.cli.demo.narrator import Narrator
from gitmem.cli.demo.scene import prepared
from gitmem.cli.demo.search import everything
from gitmem.cli.demo.stage import build
from tests.support.cli import Cli
from tests.support.git import Git

# A setup that would break git and gitmem if the demo let it through.
HOSTILE = {
    "GIT_DIR": "/nonexistent",
    "GIT_AUTHOR_DATE": "nonsense",
    "GIT_CONFIG_GLOBAL": "/nonexistent/config",
    "GITMEM_IDENTITY": "no key at all",
    "GITMEM_IDENTITY_CMD": "false",
    "EDITOR": "false",
    "LC_ALL": "C",
    "LANGUAGE": "de",
}


def test_the_whole_demo(cli: Cli, tmp_path: Path, home: Path) -> None:
    """All claims hold without a terminal or a usable environment; what it leaves is what was asked for."""
    before = sorted(path.name for path in home.iterdir())
    done = cli("demo", "--keep", env=HOSTILE | {"TMPDIR": str(tmp_path)}, timeout=120).ok()
    held, total = re.search(r"(\d+) of (\d+) claims hold", done.out).groups()
    assert held == total
    assert int(held) >= 30
    assert "\x1b" not in done.out
    assert "Traceback" not in done.out + done.err
    assert max(len(line) for line in done.out.replace(str(tmp_path), "/tmp").splitlines()) <= 130
    assert sorted(path.name for path in home.iterdir()) == before
    [kept] = tmp_path.glob("gitmem-demo-*")
    assert f"kept: {kept}" in done.out
    assert "no problem" not in Git(kept / "memory.git")("fsck", "--strict")


def test_a_claim_that_fails_is_an_exit_code(cli: Cli, tmp_path: Path) -> None:
    """Where git does not work the demo says which claim does not hold, ends with 1 and leaves nothing behind."""
    tools, scratch = tmp_path / "tools", tmp_path / "scratch"
    tools.mkdir()
    scratch.mkdir()
    (tools / "git").write_text("#!/bin/sh\necho 'git: out of order' >&2\nexit 1\n")
    (tools / "git").chmod(0o755)
    import os

    done = cli("demo", env={"PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(scratch)}).expect(1)
    assert "✗" in done.out or "NO" in done.out
    assert "Traceback" not in done.out + done.err
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.name)
def test_each_mishap_is_real(mishap: object, tmp_path: Path) -> None:
    """The command fails in its own words for both members, and its fix works."""
    stage = build(tmp_path)
    for number, member in enumerate(stage.members):
        scene = prepared(mishap, member, number)
        ran = scene.happen()
        assert mishap.failed(ran), ran
        cured = scene.mend()
        assert cured.code == 0, cured


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """A text in a compressed object, in an unreachable one or in a plain file is found; one that is nowhere is not."""
    git = Git(tmp_path)
    git("init", "--quiet")
    git.commit("one", {"a.txt": "a needle in a blob\n"})
    git("hash-object", "-w", "--stdin", stdin="a needle nobody refers to")
    (tmp_path / "b.txt").write_text("a needle beside git")
    hay = everything(tmp_path, {})
    texts = ["a needle in a blob", "a needle nobody refers to", "a needle beside git", "a needle elsewhere"]
    assert hay.found(texts) == texts[:3]
    assert hay.objects == 4


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_narrator_colours_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour on a terminal, none with NO_COLOR or in a pipe; what records say never steers the terminal."""
    for stream, coloured in ((_Terminal(), True), (io.StringIO(), False)):
        Narrator(stream).claim("holds", True)
        assert ("\x1b[" in stream.getvalue()) is coloured
    monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    tell = Narrator(stream)
    tell.printed("\x1b]0;pwned\x07\n" * 20, most=2)
    tell.claim("does not hold", False, "\x1b[2J")
    tell.summary(0, None)
    assert "\x1b" not in stream.getvalue()
    assert "18 more lines" in stream.getvalue()
    assert tell.broken == ["does not hold"]
