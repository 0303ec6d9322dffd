"""The command that CI runs, the workflow files that run it, and the hook of a git host."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml

from tests.support.cli import Cli
from tests.support.git import Git
from tests.tamper.ground import Ground
from tests.tamper.hands import Host
from tests.tamper.injected import record_in_the_clear, setting

CI = Path(__file__).parents[2] / "docs" / "ci"


@pytest.fixture
def checkout(ground: Ground) -> Git:
    """What CI has: a plain clone, no key, no configuration."""
    return Git(ground.remote).clone(ground.folder / "checkout")


def _workflow_commands() -> Iterator[str]:
    """Every gitmem command in a workflow file."""
    for file in sorted(CI.glob("*.yml")):
        parsed = yaml.safe_load(file.read_text())
        assert isinstance(parsed, dict)
        yield from (word for word in _strings(parsed) if "gitmem verify" in word)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def test_the_workflow_files_run_the_check(checkout: Git) -> None:
    """Each is YAML, and the command in it passes honest work and stops what a git-only clone commits."""
    commands = list(_workflow_commands())
    assert len(commands) == len(list(CI.glob("*.yml"))) == 3
    words = {tuple(command[command.index("gitmem verify") :].split()[1:]) for command in commands}
    assert words == {("verify", "--keyless")}
    Cli(checkout.path)("verify", "--keyless").ok()
    checkout.commit("notes", {"memory/team/note/aa/n-aa.yaml": "password: hunter2\n"})
    Cli(checkout.path)("verify", "--keyless").expect(15)


def test_what_it_says(checkout: Git, ground: Ground) -> None:
    """The JSON of the check, in a work tree and in a bare repository; 13 for what is invalid and was signed for."""
    done = Cli(checkout.path)("verify", "--keyless", "--json").ok()
    assert done.json.keys() == {"ok", "commits", "files", "problems", "notes"}
    assert (done.json["ok"], done.json["problems"]) == (True, [])
    host = Host(ground, Random(1))
    before = host.tip()
    host.put(record_in_the_clear(host, "hunter2"))
    bad = Cli(ground.remote)("verify", "--keyless", "--since", before, "main", "--json").expect(15)
    assert {problem["what"] for problem in bad.json["problems"]} == {"invalid file", "unsigned change"}
    assert all(problem.keys() == {"what", "where", "why"} for problem in bad.json["problems"])
    assert "hunter2" not in bad.out + bad.err
    Cli(ground.folder)("verify", "--keyless").expect(10)
    Cli(checkout.path)("verify", "--keyless", "--since", "nowhere").expect(10)


def test_with_a_key_every_value_is_opened(ground: Ground) -> None:
    """Without --keyless; and who has no key is told so."""
    ada = Cli(ground.folder / "ada")
    done = ada("verify", env=ground.env("ada")).ok()
    assert done.out.startswith("ok: ")
    ada("verify").expect(12)


@pytest.fixture
def hooked(ground: Ground) -> Ground:
    """The same, behind the hook of a git host."""
    hooks = ground.remote / "hooks"
    hooks.mkdir(exist_ok=True)
    shutil.copy(CI / "pre-receive", hooks / "pre-receive")
    assert str(Path(sys.executable).parent) in os.environ["PATH"]
    return ground


def test_a_host_refuses_the_push(hooked: Ground, checkout: Git) -> None:
    """Plaintext is refused before it arrives, so is a force-push; honest work and other branches go through."""
    before = Git(hooked.remote)("rev-parse", "main")
    checkout.commit("notes", {"memory/team/note/aa/n-aa.yaml": "password: hunter2\n"})
    done = checkout.run("push", "origin", "HEAD:main")
    assert done.returncode != 0
    assert b"invalid file" in done.stderr
    assert b"hunter2" not in done.stderr
    checkout("reset", "--quiet", "--hard", "HEAD~3")
    assert checkout.run("push", "--force", "origin", "HEAD:main").returncode != 0
    assert checkout.run("push", "origin", ":main").returncode != 0
    assert Git(hooked.remote)("rev-parse", "main") == before
    checkout("checkout", "--quiet", "--orphan", "code")
    checkout("rm", "--quiet", "-r", "--force", ".")
    checkout.commit("code", {"main.c": "int main;\n"})
    checkout("push", "--quiet", "origin", "HEAD:code")
    with hooked.at("bob") as bob:
        bob.learn("note", {"text": "honest"})
        assert bob.sync().pushed == 1


def test_a_setting_needs_a_signature(ground: Ground) -> None:
    """What is in the clear by its nature is stopped by the log alone."""
    host = Host(ground, Random(2))
    host.put(setting(host, "hunter2"))
    done = Cli(ground.remote)("verify", "--keyless", "main").expect(15)
    assert ".gitmem/config.yaml" in done.out
