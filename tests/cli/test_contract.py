"""What every command promises: help with examples, JSON, global options on both sides, errors in one form."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import gitmem
from gitmem.cli.command import Command
from gitmem.cli.root import SECTIONS
from gitmem.cli.root import gitmem as program
from tests.cli.conftest import ERROR, LESSON, Seat
from tests.support.cli import Cli
from tests.support.terminal import PtyCli

DOCS = Path(__file__).parents[2] / "docs"
ISSUED = {
    "init", "clone", "join", "member", "scope", "key", "learn", "match", "used", "search", "list", "show", "edit", "forget",
    "diff", "log", "conflicts", "resolve", "commit", "sync", "status", "audit", "redact", "verify", "hooks", "doctor", "gc",
    "backup", "migrate", "prune", "maintenance", "config", "erase", "export", "privacy", "demo", "mcp", "completion",
}  # fmt: skip


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(program)
    for name in program.list_commands(context):
        found = program.get_command(context, name)
        assert found
        if isinstance(found, click.Group):
            yield from ((f"{name} {sub}", command) for sub, command in found.commands.items())
        else:
            yield name, found


COMMANDS = dict(_commands())


def test_every_command_is_there() -> None:
    """The commands that were promised, each in one section of the help."""
    assert {name for names in SECTIONS.values() for name in names} == ISSUED
    assert {
        "member add",
        "member list",
        "scope add",
        "scope list",
        "scope grant",
        "scope revoke",
        "key status",
        "key cache",
        "audit log",
        "audit verify",
        "hooks install",
        "hooks uninstall",
        "hooks run",
    } <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """A summary in the imperative, one to three examples (five for learn) that call it, help for every option."""
    command = COMMANDS[name]
    assert isinstance(command, Command)
    summary = (command.help or "").split("\n")[0]
    assert re.fullmatch(r"[A-Z][a-z]+ .*[.:,;].*|[A-Z][a-z]+ .*", summary)
    assert not summary.split()[0].endswith("s")
    assert 1 <= len(command.examples) <= 5
    assert all(f"gitmem {name}" in line or f" {name}" in line for line, _ in command.examples)
    assert all(option.help for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_exit_status(name: str) -> None:
    """`--help` ends with examples, exit codes and where the global options are described."""
    text = COMMANDS[name].get_help(click.Context(COMMANDS[name], info_name=f"gitmem {name}"))
    assert "\nExamples:\n" in text
    assert "\nExit status:\n  0 " in text
    assert "see `gitmem --help`" in text.replace("\n", " ")


def test_help_through_the_program(cli: Cli) -> None:
    """`gitmem`, `--help` and `-h` show the same, on stdout, from the real program."""
    shown = cli("--help").ok()
    assert shown.out == cli().ok().out == cli("-h").ok().out
    assert not shown.err
    assert "The main job:" in shown.out
    assert "chosen_option*" in cli("learn", "--help").ok().out
    for words in ((), ("member",), ("audit",), ("key",)):
        assert "..." not in cli(*words, "--help").ok().out.replace("[ID...]", "")
    assert "Usage: gitmem member add" in cli("member", "add", "-h").ok().out


def test_the_page_is_current() -> None:
    """docs/cli.md is what docs/generate_cli.py writes, and has a section for every command."""
    page = (DOCS / "cli.md").read_text()
    assert page == runpy.run_path(str(DOCS / "generate_cli.py"))["document"]()
    assert {f"gitmem {name}" for name in COMMANDS} == set(re.findall(r"^### (.*)$", page, re.MULTILINE))


def test_version(cli: Cli) -> None:
    """`--version` names the version, for people and for programs."""
    assert cli("--version").ok().out == f"gitmem {gitmem.__version__}\n"
    assert cli("--version", "--json").ok().json == {"version": gitmem.__version__}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["lern"], "there is no command 'lern'; did you mean 'learn'?"),
        (["match", "--limitt", "3"], "no such option '--limitt'. Did you mean '--limit'?"),
        (["resolve", "p-1", "--dot", "a-1.1"], "no such option '--dot'"),
        (["used", "p-1", "--ms", "soon"], "invalid value for '--ms': 'soon' is not a valid integer"),
        (["used"], "missing argument 'ID'"),
        (["show", "p-1", "s3cret word"], "got unexpected extra argument"),
        (["member"], "missing command"),
        (["learn", "stray"], "learn takes no words by themselves"),
        (["learn", "--keep-going"], "--keep-going goes with --batch"),
        (["match", "--context", "tool"], "--context needs KEY=VALUE"),
    ],
)
def test_usage_errors(cli: Cli, words: list[str], error: str) -> None:
    """A call that does not fit ends with 2, one `error:` and one `hint:` line, and with --json as JSON on stderr."""
    done = cli(*words).expect(2)
    assert done.err.splitlines()[0] == f"error: {error}"
    assert done.err.splitlines()[1].startswith("hint: ")
    assert len(done.err.splitlines()) == 2
    assert not done.out
    assert "s3cret" not in done.err
    assert cli("--json", *words).expect(2).error == {"error": error, "hint": done.err.splitlines()[1][6:], "exit_code": 2}


def test_json_errors_on_either_side(cli: Cli) -> None:
    """--json before and after the command; the error is the last line on stderr with exactly three fields."""
    for words in (["--json", "status"], ["status", "--json"]):
        done = cli(*words).expect(10)
        assert not done.out
        assert done.error.keys() == {"error", "hint", "exit_code"}
        assert done.error["exit_code"] == 10
    assert "gitmem has no hook" in cli("hooks", "run", "post-commit", "--json").expect(1).error["error"]


def test_directory_option(ada: Seat, cli: Cli) -> None:
    """-C works on either side, as git's does, several times, and names a directory that is not there."""
    root = cli("-C", ada.path, "status", "--json", env={"GITMEM_IDENTITY_FILE": str(ada.key)}).ok().json["root"]
    assert root == str(ada.path)
    assert cli("status", "-C", ada.path.parent, "-C", "ada", "--json", "--identity", ada.key).ok().json["root"] == root
    assert cli("-C", "nowhere", "status").expect(10).err.startswith("error: cannot work in nowhere: no such file")


def test_colour(ada: Seat) -> None:
    """No escape in a pipe; on a terminal colours, unless NO_COLOR, TERM=dumb or --color never; always with --color always."""
    ada.learn()
    assert "\x1b" not in ada("match", ERROR).ok().out
    assert "\x1b[1m" in ada("--color", "always", "match", ERROR).ok().out
    assert "\x1b[" in ada.terminal("match", ERROR).raw
    for env, words in (({"NO_COLOR": "1"}, []), ({"TERM": "dumb"}, []), ({}, ["--color", "never"])):
        assert "\x1b[" not in ada.terminal("match", ERROR, *words, env=env).raw


def test_quiet(ada: Seat) -> None:
    """--quiet leaves data and warnings."""
    done = ada("learn", "--quiet", *("--pattern", "x", "--fix", "y")).ok()
    assert done.out.startswith("p-")
    assert not done.err


def test_completion(cli: Cli, ada: Seat) -> None:
    """The scripts of three shells; commands, options, kinds and ids complete, and nothing disturbs where there is no store."""
    for shell in ("bash", "zsh", "fish"):
        assert "_GITMEM_COMPLETE" in cli("completion", shell).ok().out
    cli("completion", "csh").expect(2)
    found = ada.learn()

    def offered(seat: Cli | Seat, *words: str) -> str:
        env = {"_GITMEM_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["gitmem", *words]), "COMP_CWORD": str(len(words))}
        return seat(env=env).ok().out

    assert "plain,match" in offered(cli, "ma")
    assert "plain,--fixed" in offered(cli, "used", "--fi")
    assert found in offered(ada, "show", "p-")
    assert "runbook" in offered(cli, "learn", "--kind", "run")
    assert found not in offered(cli, "show", "p-")
    assert offered(ada, "show", "/p").strip() == offered(ada, "show", "*").strip() == ""
    for folder in (".gitmem/members", "memory/team/pattern/zz", "memory/p-$(id)/pattern/zz", ".gitmem/schemas/p-$(id)"):
        (ada.path / folder).mkdir(parents=True, exist_ok=True)
        (ada.path / folder / "p-$(id).yaml").write_text("")  # what somebody pushed, on its way to a command line
        (ada.path / folder / "1.json").write_text("{}")
    for words in (["show", "p-"], ["scope", "grant", "p-"], ["scope", "grant", "ops", "p-"], ["learn", "--kind", "p"]):
        assert "$" not in offered(ada, *words)


def test_bash_takes_the_script(cli: Cli, tmp_path: Path) -> None:
    """Bash reads the completion script without a complaint."""
    script = tmp_path / "gitmem.bash"
    script.write_text(cli("completion", "bash").ok().out)
    subprocess.run(["bash", "--norc", "-n", script], check=True)


@pytest.mark.parametrize(
    ("words", "also"),
    [(["match", ERROR], {"jsonschema_rs"}), (["used", "p-", "--fixed"], {"jsonschema_rs"}), (["learn", *LESSON], set())],
)
def test_the_main_job_imports_nothing_it_does_not_need(ada: Seat, words: list[str], also: set[str]) -> None:
    """What costs tens of milliseconds and is needed elsewhere stays away from the commands that are called all day."""
    found = ada.learn()
    done = ada(*(found if word == "p-" else word for word in words), env={"PYTHONPROFILEIMPORTTIME": "1"}).ok()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert "gitmem" in imported
    assert not imported & ({"rich", "yaml", "keyring", "deepdiff", "mcp", "zstandard", "git", "asyncio"} | also)


def test_a_person_sees_indented_json(ada: Seat, pty_cli: PtyCli) -> None:
    """On a terminal JSON is indented, in a pipe it is one line."""
    assert ada("status", "--json").ok().out.count("\n") == 1
    drawn = ada.terminal("status", "--json")
    assert drawn.text.startswith("{\n  ")
    assert json.loads(drawn.text)["member"] == "ada"
