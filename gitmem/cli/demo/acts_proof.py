"""The end: the log vouches for every change, and the remote has learned nothing."""

from __future__ import annotations

import base64

from gitmem.cli.demo.play import Play
from gitmem.cli.demo.search import everything


def log(play: Play) -> None:
    """Who did what, and that nothing else was done."""
    tell, (ada, grace) = play.tell, play.stage.members
    tell.act("The log")
    play.gitmem(grace, "audit", "log", "--limit", "8", most=8)
    for who in (ada, grace):
        report = play.data(who, "audit", "verify")
        told = f"{who.name}'s clone: {report['entries']} signed entries vouch for every change in the history"
        tell.claim(told, report["ok"] and report["entries"] > 0, report["problems"])


def secrecy(play: Play) -> None:
    """Every object of the remote and every file of the clones is searched for every text that was recorded."""
    tell, ada = play.tell, play.stage.ada
    tell.act("What the git host knows")
    tell.typed("ada", "git -C ../../memory.git cat-file --batch-all-objects --batch | grep …")
    remote = everything(play.stage.remote, ada.env)
    texts = sorted(play.secrets | play.keys)
    tell.say(f"{len(texts)} texts that were recorded, and both keys, looked for in clear and in base64:")
    found = remote.found([*texts, *map(_encoded, texts)])
    told = f"none of them in {remote.objects} objects and {remote.files} files of the remote ({remote.size // 1024} KiB)"
    tell.claim(told, not found, found)
    ids = sorted(play.ids.values())
    tell.claim("the same search does find the ids of the records: it works", remote.found(ids) == ids, remote.found(ids))
    for who in play.stage.members:
        mine = everything(who.clone, who.env)
        found = mine.found(texts)
        told = f"nor in {mine.objects} objects and {mine.files} files of {who.name}'s clone, index and journal included"
        tell.claim(told, not found, found)


def _encoded(text: str) -> str:
    """The part of a text's base64 that does not depend on what stands after it."""
    whole = base64.b64encode(text.encode()).decode().rstrip("=")
    return whole[: len(whole) - 2]
