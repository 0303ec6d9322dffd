"""The second half: a colleague joins, finds the fixes, and both change things at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from gitmem.cli.demo.mishaps import MISHAPS
from gitmem.cli.demo.play import Play
from gitmem.cli.demo.scene import Mishap, prepared
from gitmem.cli.demo.stage import Member

UNKNOWN: Final = "python3 -c 'int(\"seven\")'"


def joins(play: Play) -> None:
    """Grace clones, asks to be let in, and is."""
    tell, ada, grace = play.tell, play.stage.ada, play.stage.grace
    tell.act("Grace joins")
    tell.typed("grace", "gitmem clone ../memory.git memory --name grace")
    cloned = grace.gitmem("clone", "../memory.git", "memory", "--name", "grace", cwd=grace.home)
    tell.printed(cloned.text)
    play.insist(cloned, 0)
    shut = grace.gitmem("show", play.ids["push"])
    tell.claim("a clone alone shows her nothing: no key, exit code 12", shut.code == 12, shut.text)
    tell.say("Ada accepts the request that Grace sent her:")
    play.gitmem(ada, "member", "add", "-", given=cloned.out, show="gitmem member add - < request")
    play.gitmem(ada, "sync")
    play.gitmem(grace, "sync")
    play.keys.add((grace.home / ".config" / "gitmem" / "identity.txt").read_text().split()[-1])
    shown = play.data(grace, "show", play.ids["push"])
    tell.claim("now she reads what Ada wrote", shown["fields"]["fix"] == MISHAPS[0].lesson["fix"], shown)


def finds(play: Play) -> None:
    """The same errors happen to Grace, in other places and under other names; the fixes are there, and work."""
    tell, grace = play.tell, play.stage.grace
    tell.act("Grace hits the same errors, on her branches, files and ports")
    for number, mishap in enumerate(MISHAPS):
        _finds(play, mishap, whole=number == 0)
    tell.typed("grace", f"{UNKNOWN} 2>&1 | gitmem match")
    ran = grace.shell(UNKNOWN, grace.home)
    play.failures += 1
    answer = grace.gitmem("match", given=ran.text)
    tell.printed(answer.text)
    tell.claim(
        "what nobody has met gets silence, not a guess", ran.code != 0 and answer.code == 0 and not answer.out, answer.text
    )


def work_at_once(play: Play) -> None:
    """Neither knows of the other: counts on both sides, and three edits of one record."""
    tell, (ada, grace) = play.tell, play.stage.members
    tell.act("Both work at once, without a word to each other")
    jobs = ((ada, ["push"] * 3 + ["port"], "port"), (grace, ["push"] * 2 + ["port"] * 2, "push"))
    for who, fixed, _ in jobs:
        tell.typed(who.name, f"gitmem used … --fixed   ({len(fixed)} times; and once --failed)")
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda job: _counts(play, *job), jobs))
    tell.claim("ten reports, two writers at the same time, all taken", outcomes == [True, True], outcomes)
    tell.say("Then they change the same record: the fix both of them, the meaning and the source one each.")
    _edits(play, ada, {"fix": _ADAS_FIX, "meaning": _MEANING})
    _edits(play, grace, {"fix": _GRACES_FIX, "source": _SOURCE})


def meet(play: Play) -> None:
    """Both sync: every count is exact, both edits stand, and the one real disagreement waits for a person."""
    tell, (ada, grace) = play.tell, play.stage.members
    tell.act("They sync")
    play.gitmem(ada, "sync")
    play.gitmem(grace, "sync", expect=3)
    play.gitmem(ada, "sync", expect=3)
    _exact(play)
    views = [play.data(who, "show", play.ids["archive"]) for who in (ada, grace)]
    both = all((view["fields"]["meaning"], view["fields"]["source"]) == (_MEANING, _SOURCE) for view in views)
    tell.claim("edits of different fields both stand, on both sides", both, views)
    values = [{sibling["value"] for sibling in view["conflicts"].get("fix", ())} for view in views]
    tell.claim("of the field both edited, both values are kept", values == [{_ADAS_FIX, _GRACES_FIX}] * 2, values)
    play.gitmem(grace, "conflicts")
    dot = next(sibling["dot"] for sibling in views[1]["conflicts"]["fix"] if sibling["value"] == _ADAS_FIX)
    play.gitmem(grace, "resolve", play.ids["archive"], "fix", "--pick", dot)
    for who in (grace, ada):
        play.gitmem(who, "sync")
    fixes = [play.data(who, "show", play.ids["archive"]) for who in (ada, grace)]
    settled = all(view["fields"]["fix"] == _ADAS_FIX and not view["conflicts"] for view in fixes)
    tell.claim("Grace picked Ada's, and both have it", settled, fixes)
    trees = [who.run("git", "rev-parse", "HEAD^{tree}", cwd=who.clone).out for who in (ada, grace)]
    tell.claim("both clones are the same, byte for byte", trees[0] == trees[1] != "", trees)


_ADAS_FIX: Final = "Download it from mirror-3.internal.example, the old mirror is switched off"
_GRACES_FIX: Final = "Ask the release team for depot-9.internal.example and unpack that"
_MEANING: Final = "The old mirror answers every request with its farewell page"
_SOURCE: Final = "incident review 2207, internal"


def _finds(play: Play, mishap: Mishap, *, whole: bool) -> None:
    scene = prepared(mishap, play.stage.grace, 1)
    ran = play.fail(scene)
    answer = play.match(scene, ran, whole=whole)
    cured = scene.mend()
    used = play.used(scene.member, mishap.name, cured.ms)
    right = answer == play.ids[mishap.name]
    told = f"the right fix first, and it works: {scene.cure}"
    play.tell.claim(told, right and cured.code == 0 and used.code == 0, answer if not right else cured.text + used.text)


def _counts(play: Play, who: Member, fixed: list[str], failed: str) -> bool:
    """Report many tries of one member; whether each was taken."""
    ends = [play.used(who, name, 100 * number).code for number, name in enumerate(fixed, 1)]
    ends.append(play.used(who, failed, 50, fixed=False).code)
    return not any(ends)


def _edits(play: Play, who: Member, fields: dict[str, str]) -> None:
    """Edit a record as a person does: in `$EDITOR`, on the decrypted text."""
    play.secrets.update(fields.values())
    play.tell.typed(who.name, f"gitmem edit {play.ids['archive']}   (in $EDITOR: {' and '.join(fields)})")
    edited = who.edit(play.ids["archive"], fields)
    play.tell.printed(edited.text)
    play.insist(edited, 0)


def _exact(play: Play) -> None:
    """Show the merged counters, and hold them against everything that was reported and matched."""
    sides = [{record["id"]: record["usage"] for record in play.data(who, "list")["records"]} for who in play.stage.members]
    rows = [("record", "matched", "fixed", "failed", "on average", "reported by both")]
    exact = True
    for name, tries in play.tries.items():
        record, times = play.ids[name], tries["fixed"] + tries["failed"]
        wanted = (play.matched[record], len(tries["fixed"]), len(tries["failed"]), sum(times) / len(times))
        found = [_figures(side.get(record, {})) for side in sides]
        exact = exact and found == [wanted, wanted]
        matched, fixed, failed, average = found[0]
        rows.append(
            (name, str(matched), str(fixed), str(failed), f"{average:.1f} ms", f"{wanted[1]} fixed, {wanted[2]} failed")
        )
    play.tell.table(rows)
    play.tell.claim("every counter is exact on both sides: none lost, none counted twice", exact, sides)


def _figures(usage: dict[str, Any]) -> tuple[int, int, int, float]:
    return usage.get("matched", 0), usage.get("fixed", 0), usage.get("failed", 0), usage.get("avg_fix_ms") or 0.0
