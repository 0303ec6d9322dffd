"""`gitmem sync --watch`: fresh in both directions, patient with dead remotes, and ended cleanly."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gitmem.memory.syncing import watch as watching
from tests.net.team import Team, note
from tests.support.cli import GITMEM, Cli
from tests.support.terminal import PtyCli

_PATIENCE = 60  # seconds, on a machine that does much else


@dataclass
class Watcher:
    """A running `gitmem sync --watch` with pipes on both outputs."""

    child: subprocess.Popen[str]
    lines: queue.Queue[str] = field(default_factory=queue.Queue)
    said: queue.Queue[str] = field(default_factory=queue.Queue)

    def line(self) -> str:
        """Its next line on stdout."""
        return self.lines.get(timeout=_PATIENCE)

    def word(self) -> str:
        """Its next line on stderr."""
        return self.said.get(timeout=_PATIENCE)

    def stop(self, how: signal.Signals) -> int:
        """End it; its exit code."""
        self.child.send_signal(how)
        return self.child.wait(_PATIENCE)


@contextmanager
def _watching(clone: Path, *words: str) -> Iterator[Watcher]:
    everything = [GITMEM, "sync", "--watch", *words]
    with subprocess.Popen(
        everything, cwd=clone, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        watcher = Watcher(child)
        readers = [
            threading.Thread(target=_read, args=pair) for pair in ((child.stdout, watcher.lines), (child.stderr, watcher.said))
        ]
        for reader in readers:
            reader.start()
        try:
            yield watcher
        finally:
            child.kill()
            for reader in readers:
                reader.join()


def _read(stream: Iterator[str], into: queue.Queue[str]) -> None:
    for line in stream:
        into.put(line)


def test_both_ways(team: Callable[..., Team]) -> None:
    """What is recorded here goes out soon, long before the next turn; SIGTERM ends it with 0 and nothing is left behind."""
    both = team()
    with _watching(both.folder / "bob", "--every", "3600") as watcher:
        assert watcher.word() == "watching; Ctrl-C ends it\n"
        note(both.bob, "from bob")
        assert watcher.line().endswith(" pushed 1, pulled 0, merged 0, conflicts 0\n")
        assert both.ada.sync().pulled == 1
        watcher.child.send_signal(signal.SIGTERM)
        assert watcher.word() == "stopped\n"
        assert watcher.stop(signal.SIGTERM) == 0, "timeout(1) sends it twice"
    both.settle()
    both.agree("from bob")


def test_json_lines(team: Callable[..., Team]) -> None:
    """One document a line for each sync that moved something, whole as `gitmem sync --json` writes it; nothing else."""
    both = team()
    with _watching(both.folder / "bob", "--every", "1", "--json", "--quiet") as watcher:
        for number in range(2):
            note(both.ada, f"from ada {number}")
            both.ada.sync()
            report = json.loads(watcher.line())
            assert (report["pulled"], report["pushed"], report["remote"]) == (1, 0, "origin")
            assert list(report)[:6] == ["pushed", "pulled", "merged", "conflicts", "attempts", "head"]
        assert watcher.stop(signal.SIGINT) == 0
        assert watcher.lines.empty()
        assert watcher.said.empty()


def test_a_dead_remote_is_survived(team: Callable[..., Team]) -> None:
    """It is said once that the remote is gone, and a line says when it is back."""
    both = team()
    srv = both.folder / "srv"
    srv.rename(both.folder / "away")
    with _watching(both.folder / "bob", "--every", "1", "--json") as watcher:
        watcher.word()
        told = json.loads(watcher.word())
        assert told["exit_code"] == 14
        assert "cannot read from origin" in told["error"]
        time.sleep(2)
        assert watcher.said.empty()
        (both.folder / "away").rename(srv)
        assert json.loads(watcher.line())["remote"] == "origin"
        assert watcher.stop(signal.SIGTERM) == 0


def test_in_a_terminal(team: Callable[..., Team], pty_cli: PtyCli) -> None:
    """A person sees one line for a sync that moved something, no progress in between, and ends it with Ctrl-C."""
    both = team()
    note(both.ada, "from ada")
    both.ada.sync()
    drawn = pty_cli("sync", "--watch", cwd=both.folder / "bob", answers=[("pulled 1", "\x03")])
    assert drawn.code == 0
    lines = drawn.text.replace("^C", "").split("\n")
    assert next(line for line in lines if line) == "watching; Ctrl-C ends it"
    assert len([line for line in lines if "pushed" in line]) == 1
    assert [line for line in lines if line][-1] == "stopped"


def test_refusals(team: Callable[..., Team], cli: Cli) -> None:
    """--every without --watch, an odd number, and a place without a store."""
    both = team()
    assert "--every goes with --watch" in cli("sync", "--every", "5", cwd=both.folder / "bob").expect(2).err
    cli("sync", "--watch", "--every", "0", cwd=both.folder / "bob").expect(2)
    cli("sync", "--watch").expect(10)


def test_a_clone_that_is_not_ready(team: Callable[..., Team]) -> None:
    """A detached HEAD is said once; the watch goes on as soon as that is mended."""
    both = team()
    both.git("bob")("switch", "--quiet", "--detach")
    with _watching(both.folder / "bob", "--every", "1") as watcher:
        assert [watcher.word() for _ in range(2)][1].startswith("error: HEAD is detached")
        both.git("bob")("switch", "--quiet", "main")
        assert "pushed 0" in watcher.line()
        assert watcher.stop(signal.SIGTERM) == 0


def test_pauses_grow() -> None:
    """While a remote is dead the pauses double, with jitter, up to a quarter of an hour; a longer --every is kept."""
    most = [max(watching._pause(60, failures) for _ in range(200)) for failures in range(8)]
    assert 60 < most[0] <= 75
    assert 200 < most[2] <= 300
    assert 900 < most[7] <= 1125
    assert min(watching._pause(3600, 5) for _ in range(100)) >= 2700


def test_a_write_in_the_middle_of_a_sync_is_not_forgotten(team: Callable[..., Team]) -> None:
    """What is recorded after the commit of a sync goes out with the next one, at once."""
    both = team()
    done = threading.Event()

    def meanwhile(what: str, _done: int, _of: int) -> None:
        if what == "sync" and not done.is_set():
            done.set()
            note(both.bob, "in the middle")

    both.bob.context.progress = meanwhile  # called after the commit, before the fetch
    note(both.bob, "first")
    reports = both.bob.watch(every=3600)
    assert next(reports).pushed == 1  # type: ignore[union-attr]
    assert next(reports).pushed == 1  # type: ignore[union-attr]
    both.settle()
    both.agree("first", "in the middle")
