"""A command that fails, as it happens to one member: prepared, run for real, and put right by really running the fix."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitmem.cli.demo.stage import Member, Ran

_PATIENCE: Final = 10.0  # seconds for a server to come up


@dataclass(frozen=True, slots=True)
class Mishap:
    """A command line that fails, with `{word}` for what differs between the members; `cure` is the line that puts it right."""

    name: str
    command: str
    printed: str
    lesson: dict[str, Any]
    cure: str
    words: dict[str, tuple[str, str]]
    prepare: Callable[[Member, Path, dict[str, str]], None] = lambda _member, _where, _words: None

    def record(self) -> str:
        """What is learned, as one JSON line for `gitmem learn --batch`."""
        return json.dumps({"kind": "pattern", **self.lesson})

    def secrets(self) -> list[str]:
        """Every text of the record that nobody without a key may ever see."""
        texts = [self.lesson["pattern"], self.lesson["meaning"], self.lesson["fix"], *self.lesson["commands"]]
        return [text for text in texts if len(text) > 8]

    def failed(self, ran: Ran) -> bool:
        """Whether the command failed in the way it is here for."""
        return ran.code != 0 and re.search(self.printed, ran.text) is not None


@dataclass(frozen=True, slots=True)
class Scene:
    """A mishap that happens to one member, in a directory of its own."""

    mishap: Mishap
    member: Member
    where: Path
    words: dict[str, str]

    @property
    def command(self) -> str:
        """The line that fails."""
        return self.mishap.command.format(**self.words)

    @property
    def cure(self) -> str:
        """The line that puts it right."""
        return self.mishap.cure.format(**self.words)

    def happen(self) -> Ran:
        """Run the command that fails."""
        with _occupied(self.words.get("port")):
            return self.member.shell(self.command, self.where)

    def mend(self) -> Ran:
        """Run the fix."""
        if port := self.words.get("port"):
            return _serve_once(self.member, self.cure, self.where, int(port))
        return self.member.shell(self.cure, self.where)


def prepared(mishap: Mishap, member: Member, number: int) -> Scene:
    """Prepare a mishap for a member; `number` (0 or 1) picks their words."""
    where = member.home / "work" / mishap.name
    where.mkdir(parents=True)
    words = {name: values[number] for name, values in mishap.words.items()}
    if "port" in words:
        words["port"] = str(_free_port())
    mishap.prepare(member, where, words)
    return Scene(mishap, member, where, words)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _occupied(port: str | None) -> Iterator[None]:
    """Hold a port while the block runs, as a forgotten server would."""
    if port is None:
        yield
        return
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(port)))
        holder.listen()
        yield


def _serve_once(member: Member, line: str, where: Path, port: int) -> Ran:
    """Start a server, wait until it answers, and stop it: exit code 0 if it did."""
    began = time.monotonic()
    with subprocess.Popen(
        ["sh", "-c", f"exec {line}"], cwd=where, env=member.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        answered = False
        while not answered and server.poll() is None and time.monotonic() < began + _PATIENCE:
            time.sleep(0.02)
            answered = _answers(port)
        server.terminate()
    return Ran(0 if answered else 1, "", "", round((time.monotonic() - began) * 1000))


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
