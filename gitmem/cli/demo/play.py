"""What the acts share: who plays, where, what was learned so far, and running a command in front of the audience."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from gitmem.cli.demo.mishaps import MISHAPS
from gitmem.cli.demo.narrator import Narrator
from gitmem.cli.demo.scene import Scene
from gitmem.cli.demo.stage import Member, Ran, Stage

_USED: Final = re.compile(r"gitmem used (\S+) --fixed")
_ID: Final = re.compile(r"\bp-[a-z2-7]{26}\b")


class Interrupted(Exception):
    """The play cannot go on: what everything later stands on has failed."""


@dataclass(slots=True)
class Play:
    """The state of one performance."""

    tell: Narrator
    stage: Stage
    ids: dict[str, str] = field(default_factory=dict)
    """Mishap -> id of its record."""
    tries: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Mishap -> fixed or failed -> milliseconds of each try, of both members: what the counters must come to."""
    matched: Counter[str] = field(default_factory=Counter)
    """Id -> how often it was an answer: what the counters must come to."""
    secrets: set[str] = field(default_factory=lambda: {text for mishap in MISHAPS for text in mishap.secrets()})
    """Every text that was recorded."""
    keys: set[str] = field(default_factory=set)
    """The members' secret keys."""
    failures: int = 0
    """Commands that failed, as they were meant to."""

    def gitmem(self, who: Member, *words: str, given: str = "", show: str = "", expect: int = 0, most: int = 12) -> Ran:
        """Run `gitmem` in a member's clone, show it (as `show`, if it is typed differently), and insist on its exit code."""
        self.tell.typed(who.name, show or " ".join(["gitmem", *words]))
        ran = who.gitmem(*words, given=given)
        self.tell.printed(ran.text, most)
        self.insist(ran, expect)
        return ran

    def data(self, who: Member, *words: str, expect: int = 0, given: str = "") -> Any:
        """What a `gitmem … --json` call prints, without showing it: for the claims."""
        ran = who.gitmem(*words, "--json", given=given)
        self.insist(ran, expect)
        return json.loads(ran.out)

    def insist(self, ran: Ran, expect: int) -> None:
        """Raise Interrupted unless a command ended as it has to."""
        if ran.code != expect:
            self.tell.printed(ran.text, 40)
            raise Interrupted(f"a command ended with exit code {ran.code}, not {expect}")

    def fail(self, scene: Scene, most: int = 1) -> Ran:
        """Let a mishap happen: the command as typed, and what it printed."""
        self.tell.typed(scene.member.name, scene.command)
        ran = scene.happen()
        self.failures += 1
        shown = ran.text if most > 1 else _telling(scene, ran.text)
        self.tell.printed(shown, most)
        if not scene.mishap.failed(ran):
            self.tell.claim(f"{scene.command} fails as it has to", False, ran.text)
        return ran

    def match(self, scene: Scene, ran: Ran, *, whole: bool = True) -> str:
        """Pipe what a command printed into `gitmem match`; the best answer's id, or nothing. If not `whole`, show the fix."""
        self.tell.typed(scene.member.name, f"{scene.command} 2>&1 | gitmem match")
        answer = scene.member.gitmem("match", given=ran.text)
        self.insist(answer, 0)
        self.matched.update(set(_ID.findall(answer.out)))
        fix = [line.strip() for line in answer.out.splitlines() if line.strip().startswith("fix ")]
        self.tell.printed(answer.text if whole else "\n".join(fix))
        best = _USED.search(answer.out)
        return best[1] if best else ""

    def used(self, who: Member, mishap: str, ms: int, *, fixed: bool = True) -> Ran:
        """Report a try, and note what the counters must come to."""
        self.tries.setdefault(mishap, {"fixed": [], "failed": []})["fixed" if fixed else "failed"].append(ms)
        return who.gitmem("used", self.ids[mishap], "--fixed" if fixed else "--failed", "--ms", str(ms))

    def show_used(self, who: Member, mishap: str, ms: int) -> None:
        """Report a fix in front of the audience."""
        self.tell.typed(who.name, f"gitmem used {self.ids[mishap]} --fixed --ms {ms}")
        ran = self.used(who, mishap, ms)
        self.tell.printed(ran.text)
        self.insist(ran, 0)


def _telling(scene: Scene, text: str) -> str:
    """The line of an output that says what is wrong."""
    lines = [line for line in text.splitlines() if re.search(scene.mishap.printed, line)]
    return lines[-1] if lines else text
