"""The first half: a store is founded, its founder meets errors, and what she learned reaches the remote."""

from __future__ import annotations

import json

from gitmem.cli.demo.mishaps import MISHAPS
from gitmem.cli.demo.play import Play
from gitmem.cli.demo.scene import Mishap, prepared
from gitmem.cli.demo.search import everything

FIRST = MISHAPS[0]


def founds(play: Play) -> None:
    """Ada makes a store, and with it her key."""
    tell, ada = play.tell, play.stage.ada
    tell.act("Ada founds the team's memory")
    tell.typed("ada", "gitmem init memory --name ada")
    made = ada.gitmem("init", "memory", "--name", "ada", cwd=ada.home)
    tell.printed(made.out)
    play.insist(made, 0)
    identity = ada.home / ".config" / "gitmem" / "identity.txt"
    mode = identity.stat().st_mode & 0o777
    tell.claim("her key lies in her home, readable by nobody else", mode == 0o600, oct(mode))
    play.keys.add(identity.read_text().split()[-1])
    tell.typed("ada", "git remote add origin ../../memory.git")
    play.insist(ada.run("git", "remote", "add", "origin", "../../memory.git", cwd=ada.clone), 0)


def learns_the_first(play: Play) -> None:
    """An error nobody knows: silence, then a fix that is tried, written down and counted."""
    tell, ada = play.tell, play.stage.ada
    tell.act("Ada hits an error, and writes down what helped")
    scene = prepared(FIRST, ada, 0)
    ran = play.fail(scene, most=4)
    answer = play.match(scene, ran)
    tell.claim("nobody knows it yet, and nothing is made up", answer == "", answer)
    tell.say("She finds out what helps:")
    tell.typed("ada", scene.cure)
    cured = scene.mend()
    tell.claim(f"the push works now ({cured.ms} ms)", cured.code == 0, cured.text)
    tell.say("The record goes in on standard input, so that it stands in no argument list:")
    learned = play.gitmem(ada, "learn", "--file", "-", given=json.dumps(FIRST.lesson), show="gitmem learn --file - < push.yaml")
    play.ids[FIRST.name] = learned.out.strip()
    again = play.match(scene, ran)
    tell.claim("the same output now finds it", again == play.ids[FIRST.name], again)
    play.show_used(ada, FIRST.name, cured.ms)


def learns_the_rest(play: Play) -> None:
    """More commands that fail, none of them known; all lessons go in at once."""
    tell, ada = play.tell, play.stage.ada
    rest = MISHAPS[1:]
    tell.act("Seven more errors of a normal week, each of them real")
    for mishap in rest:
        _fails_unknown(play, mishap)
    lines = "".join(f"{mishap.record()}\n" for mishap in rest)
    tell.say("What helped each time, as JSON lines:")
    shown = "gitmem learn --batch - --json < week.jsonl"
    learned = play.gitmem(ada, "learn", "--batch", "-", "--json", given=lines, show=shown, most=2)
    answers = [json.loads(line) for line in learned.out.splitlines()]
    play.ids |= {mishap.name: answer["id"] for mishap, answer in zip(rest, answers, strict=True)}
    new = sum(answer["created"] for answer in answers)
    tell.claim("seven new records in one go", new == len(rest), new)
    play.gitmem(ada, "sync")
    there = everything(play.stage.remote, ada.env).found(play.ids.values())
    tell.claim(f"the remote has all {len(play.ids)} records", len(there) == len(MISHAPS), there)


def _fails_unknown(play: Play, mishap: Mishap) -> None:
    scene = prepared(mishap, play.stage.ada, 0)
    ran = play.fail(scene)
    answer = play.data(scene.member, "match", given=ran.text)["matches"]
    cured = scene.mend()
    told = f"not known: an empty answer. What helps: {scene.cure}"
    play.tell.claim(told, answer == [] and cured.code == 0, answer or cured.text)
