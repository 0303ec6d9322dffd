"""The main job from a shell: learn, match, used, search, list, show, forget; every document field by field."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import ERROR, LESSON, UPSTREAM, Seat
from tests.support.cli import Cli

USAGE = ["matched", "fixed", "failed", "success_rate", "avg_fix_ms", "last_matched", "last_used"]
RECORD = ["id", "kind", "scope", "schema", "fields", "sets", "usage", "alive", "conflicts", "contested", "sealed"]


def test_init(cli: Cli, tmp_path: Path, home: Path) -> None:
    """A new identity is made, its place and the recovery identity's are shown, and the first commit stands."""
    done = cli("init", "mem", "--name", "ada", "--json").ok().json
    told = ["root", "store", "member", "identity", "new_identity", "recovery", "commit", "notes"]
    assert list(done) == [*told, "branch", "taken_up", "shared"]
    assert (done["root"], done["member"], done["new_identity"]) == (str(tmp_path / "mem"), "ada", True)
    assert Path(done["identity"]).stat().st_mode & 0o777 == 0o600
    assert Path(done["recovery"]).stat().st_mode & 0o777 == 0o600
    assert Path(done["identity"]).is_relative_to(home)
    again = cli("init", "second").ok()
    assert "(new)" not in again.out
    assert "recovery" in again.out
    assert cli("init", "mem").expect(1).err.startswith(f"error: {tmp_path / 'mem'} holds a gitmem store already")


def test_init_plain(cli: Cli, tmp_path: Path) -> None:
    """A plain store leaves values in the clear, and has no recovery identity."""
    assert cli("init", "mem", "--plain", "--json").ok().json["recovery"] is None
    found = cli("-C", "mem", "learn", "--pattern", "kaboom", "--fix", "restart").ok().out.strip()
    assert "kaboom" in next((tmp_path / "mem").rglob(f"{found}.yaml")).read_text()
    assert cli("-C", "mem", "status", "--json").ok().json["plain"] is True


def test_learn_tells_new_from_known(ada: Seat) -> None:
    """The first time it is created, the second time it is the same record, updated; exactly three fields."""
    first = ada("learn", *LESSON, "--json").ok().json
    assert list(first) == ["id", "kind", "created", "redacted"]
    assert first["kind"] == "pattern"
    assert first["created"] is True
    again = ada("learn", "--pattern", UPSTREAM, "--fix", "Another way", "--json").ok().json
    assert again == first | {"created": False}
    assert ada.learn() == first["id"]


def test_match(ada: Seat) -> None:
    """The right record with all the fields of the contract; a match counts."""
    found = ada.learn()
    answer = ada("match", ERROR, "--json").ok().json
    assert list(answer) == ["matches"]
    best = answer["matches"][0]
    assert list(best) == ["id", "kind", "score", "confidence", "fields", "usage", "why", "conflicts"]
    assert list(best["usage"]) == USAGE
    assert best["id"] == found
    assert best["fields"]["commands"] == ["git push --set-upstream origin HEAD"]
    assert best["why"]
    assert ada("show", found, "--json").ok().json["usage"]["matched"] == 1


def test_match_reads_standard_input(ada: Seat) -> None:
    """A pipe, - and plain words are the same to it; the answer ends with the next command."""
    found = ada.learn()
    log = "".join(f"step {number} ok\n" for number in range(5000)) + ERROR + "\n"
    assert ada("match", "--json", input=log).ok().json["matches"][0]["id"] == found
    assert ada("match", "-", "--json", input=ERROR).ok().json["matches"][0]["id"] == found
    assert ada("match", *ERROR.split(), "--json").ok().json["matches"][0]["id"] == found
    shown = ada("match", input=ERROR).ok().out
    assert shown.startswith(UPSTREAM)
    assert "fix        Push once with --set-upstream.\n" in shown
    assert f"gitmem used {found} --fixed" in shown


def test_match_without_an_answer(ada: Seat) -> None:
    """The right fix or silence: nothing on stdout, a word on stderr, exit code 0."""
    ada.learn()
    done = ada("match", "segmentation violation in module frobnicator").ok()
    assert not done.out
    assert done.err.startswith("nothing is known")
    assert ada("match", "segmentation violation in module frobnicator", "--json").ok().json == {"matches": []}
    assert ada("match", "--json", input="").ok().json == {"matches": []}


def test_match_takes_anything(ada: Seat) -> None:
    """Binary junk, one endless line, words that are no Unicode, and more input than is looked at."""
    found = ada.learn()
    junk = bytes(range(256)) * 4000
    assert ada("match", "--json", input=junk).ok().json == {"matches": []}
    assert ada("match", "--json", input=junk + b"\n" + ERROR.encode()).ok().json["matches"][0]["id"] == found
    ada("match", "--json", input=b"x" * 3_000_000).ok()
    ada("match", "--json", "a\udcffb").ok()
    done = ada("match", "--json", input=(b"ok " * 99 + b"\n") * 60_000 + ERROR.encode()).ok()
    assert "in its middle were not looked at" in done.err
    assert done.json["matches"][0]["id"] == found


def test_match_without_words_on_a_terminal(ada: Seat) -> None:
    """Nothing to read: a usage error that shows how."""
    drawn = ada.terminal("match")
    assert drawn.code == 2
    assert "hint: pipe it in:" in drawn.text


def test_used(ada: Seat) -> None:
    """Tries are counted exactly, with their times; any unique beginning of the id will do."""
    found = ada.learn()
    assert ada("used", found[:6], "--fixed", "--ms", "1500", "--json").ok().json == {"id": found, "fixed": True, "ms": 1500}
    done = ada("used", found, "--failed").ok()
    assert not done.out
    assert found in done.err
    usage = ada("show", found, "--json").ok().json["usage"]
    assert (usage["fixed"], usage["failed"], usage["success_rate"], usage["avg_fix_ms"]) == (1, 1, 0.5, 1500.0)
    assert "did it fix the problem?" in ada("used", found).expect(2).err
    ada("used", found, "--fixed", "--ms", "-1").expect(2)
    ada("used", "p-nosuchrecord", "--fixed").expect(1)


def test_counting_asks_for_no_key(ada: Seat, tmp_path: Path) -> None:
    """A use says nothing that a key would have to seal: no password manager is run for it."""
    found, asked = ada.learn(), tmp_path / "asked"
    ada("used", found, "--fixed", env={"GITMEM_IDENTITY_FILE": "", "GITMEM_IDENTITY_CMD": f"touch {asked}"}).ok()
    assert not asked.exists()


def test_search_and_list(ada: Seat) -> None:
    """Both name what they find, filter by kind and tag, and print columns without a header in a pipe."""
    pattern = ada.learn()
    decision = ada.learn("--kind", "decision", "--set", "question=Which queue?", "--set", "chosen_option=Redis", "--tag", "ops")
    results = ada("search", "queue", "--json").ok().json
    assert list(results) == ["results"]
    assert list(results["results"][0]) == ["id", "kind", "score", "fields"]
    assert [hit["id"] for hit in results["results"]] == [decision]
    assert ada("search", "branch", "--kind", "decision", "--json").ok().json == {"results": []}
    assert ada("search", "queue").ok().out == f"{decision}\tdecision\tWhich queue?\n"
    listed = ada("list", "--json").ok().json
    assert list(listed) == ["records"]
    assert list(listed["records"][0]) == RECORD
    assert {record["id"] for record in listed["records"]} == {pattern, decision}
    assert ada("list", "--tag", "").ok().out == ""
    assert ada("list", "--tag", "ops").ok().out == f"{decision}\tdecision\tteam\t-\tWhich queue?\n"
    assert ada("list", "--kind", "pattern", "--limit", "1").ok().out.split("\t")[0] == pattern
    assert "did you mean 'decision'" in ada("list", "--kind", "decisions").expect(13).err


def test_show(ada: Seat) -> None:
    """Everything that is known of a record, field by field and for a person."""
    found = ada.learn()
    record = ada("show", found[:5], "--json").ok().json
    assert list(record) == RECORD
    assert list(record["usage"]) == USAGE
    assert record["sets"] == {"tags": ["git", "push"]}
    assert record["conflicts"] == {}
    shown = ada("show", found).ok().out
    assert shown.startswith(f"{found}  pattern, team\n")
    assert "  tags       git, push\n" in shown
    ada("show", "p-nosuchrecord").expect(1)
    ada("show", "../../x").expect(2)


def test_a_table_on_a_terminal(ada: Seat) -> None:
    """A person gets a header and columns that fit the screen; ids are never cut."""
    found = ada.learn("--pattern", "an error that is told at length " * 10, "--fix", "x")
    drawn = ada.terminal("list", env={"PAGER": "cat"}).text
    assert drawn.splitlines()[0].split() == ["ID", "KIND", "SCOPE", "FIXED", "WHAT"]
    assert found in drawn
    assert "…" in drawn
    assert max(map(len, drawn.splitlines())) <= 100


def test_forget(ada: Seat) -> None:
    """It asks a person, needs --yes without one, shows what would go with --dry-run, and takes the record from all answers."""
    found = ada.learn()
    assert "--yes" in ada("forget", found).expect(2).err
    assert ada("forget", found, "--dry-run", "--json").ok().json == {"id": found, "kind": "pattern", "forgotten": False}
    assert ada.terminal("forget", found, answers=[("[y/N]", "n\n")]).code == 0
    assert ada("show", found, "--json").ok().json["alive"] is True
    drawn = ada.terminal("forget", found, answers=[("[y/N]", "y\n")])
    assert drawn.code == 0
    assert ada("match", ERROR, "--json").ok().json == {"matches": []}
    assert ada("list").ok().out == ""
    assert ada("show", found, "--json").ok().json["alive"] is False
    assert "forgotten already" in ada("forget", found, "--yes").expect(1).err
    assert ada("learn", *LESSON, "--json").ok().json == {"id": found, "kind": "pattern", "created": True, "redacted": []}
    assert ada("forget", found, "--yes", "--json").ok().json["forgotten"] is True


@pytest.mark.parametrize("form", ["flat.yaml", "envelope.json"])
def test_learn_from_a_file(ada: Seat, tmp_path: Path, form: str) -> None:
    """YAML or JSON, flat or with an envelope, from a file or standard input; options add to it."""
    flat = {"kind": "runbook", "title": "Restore", "steps": ["stop it", "copy it"], "tags": ["ops"]}
    envelope = {"kind": "runbook", "fields": {"title": "Restore", "steps": ["stop it", "copy it"]}, "tags": ["ops"]}
    text = (
        "kind: runbook\ntitle: Restore\nsteps:\n- stop it\n- copy it\ntags: [ops]\n"
        if form == "flat.yaml"
        else json.dumps(envelope)
    )
    (tmp_path / form).write_text(text)
    for words in (["--file", tmp_path / form], ["-"], ["--file", "-"]):
        found = ada("learn", *words, "--tag", "night", input=text).ok().out.strip()
        record = ada("show", found, "--json").ok().json
        assert record["kind"] == "runbook"
        assert record["fields"] == {name: flat[name] for name in ("title", "steps")}
        assert record["sets"] == {"tags": ["night", "ops"]}


def test_learn_reads_a_piped_pattern(ada: Seat) -> None:
    """`… | gitmem learn --pattern -` takes the error from the pipe."""
    found = ada("learn", "--pattern", "-", "--fix", "Wait", input="disk is busy\n").ok().out.strip()
    assert ada("show", found, "--json").ok().json["fields"]["pattern"] == "disk is busy"


def test_set(ada: Seat) -> None:
    """--set takes dotted names; JSON is read where the field takes it, and text that looks like a number stays text."""
    words = [
        "problem.message=it broke",
        "problem.error_type=12",
        "effectiveness=0.5",
        'files=[{"path": "a.py"}]',
        "root_cause=null",
    ]
    found = ada.learn("--kind", "solution", *(part for word in words for part in ("--set", word)))
    fields = ada("show", found, "--json").ok().json["fields"]
    assert fields["problem"] == {"message": "it broke", "error_type": "12"}
    assert fields["files"] == [{"path": "a.py"}]
    assert fields["root_cause"] == "null"
    assert ada("learn", "--set", "fix").expect(2).err.startswith("error: --set needs FIELD=VALUE")


def test_several_scopes_of_input(ada: Seat) -> None:
    """What cannot be meant is refused before anything is read or written."""
    ada("learn").expect(2)
    ada("learn", "-", "--pattern", "-", input="x: y").expect(2)
    ada("learn", "--batch", "-", "--fix", "x").expect(2)
    ada("learn", "--file", "nosuch.yaml").expect(1)
    ada("learn", "--pattern", "x", "--scope", "../up").expect(2)
    assert ada("list").ok().out == ""


def test_status_and_commit(ada: Seat) -> None:
    """What waits for a commit is told, and committed once; every field of both documents."""
    ada.learn()
    status = ada("status", "--json").ok().json
    assert list(status) == [
        "store", "root", "member", "replica", "plain", "records", "pending", "conflicts", "ahead", "behind", "branch", "remote",
        "scopes", "sealed", "sealed_scopes",
    ]  # fmt: skip
    assert (status["member"], status["records"], status["pending"], status["branch"]) == ("ada", 1, 1, "main")
    assert "1 to commit" in ada("status").ok().out
    made = ada("commit", "-m", "a message of our own", "--json").ok().json
    assert list(made) == ["commit", "records", "entries", "skipped", "redacted"]
    assert made["commit"] == ada.head()
    assert made["records"] == 1
    assert ada("commit", "--json").ok().json["commit"] is None
    assert ada("commit").ok().err == "nothing to commit\n"
    assert ada("status", "--json").ok().json["pending"] == 0


def test_doctor_and_hooks(ada: Seat) -> None:
    """A new clone is in order; a removed hook is found, named and mended."""
    report = ada("doctor", "--json").ok().json
    assert list(report) == ["ok", "checks"]
    assert report["ok"] is True
    assert all(list(check) == ["name", "ok", "why", "fix"] for check in report["checks"])
    (ada.path / ".git/hooks/pre-commit").unlink()
    broken = ada("doctor").expect(1)
    assert "FAIL  hooks" in broken.out
    assert "hint: `gitmem doctor --fix`" in broken.err
    assert ada("doctor", "--fix", "--json").ok().json["ok"] is True
    (ada.path / ".git/hooks/pre-commit").unlink()
    assert ada("hooks", "install", "--json").ok().json == {"notes": []}
    ada("doctor").ok()
    ada("hooks", "run", "pre-commit").ok()
    ada("hooks", "run", "no-such-hook").expect(1)


def test_the_hint_for_nothing_records_something(ada: Seat) -> None:
    """Who names a kind and no more is shown words that begin a record of that kind."""
    for kind in ("decision", "runbook", "solution"):
        hint = ada("learn", "--kind", kind).expect(2).err.splitlines()[1].removeprefix("hint: gitmem ").partition(";")[0]
        ada(*shlex.split(hint)).ok()
