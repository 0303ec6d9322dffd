"""Commands that really fail on this machine, what a team would write down about each, and the fix, which is really applied.

Every program here comes with git, Python or any Unix. The patterns fit what GNU, BSD and busybox print.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from gitmem.cli.demo.scene import Mishap
from gitmem.cli.demo.stage import Member


def _project(member: Member, where: Path, words: dict[str, str]) -> None:
    origin = where.with_name(words["project"] + ".git")
    for line in (
        f"git init --quiet --bare {origin}",
        "git init --quiet --initial-branch=main .",
        "git commit --quiet --allow-empty -m begin",
        f"git remote add origin {origin}",
        f"git switch --quiet -c {words['branch']}",
    ):
        member.shell(line, where)


def _repository(member: Member, where: Path, _: dict[str, str]) -> None:
    member.shell("git init --quiet .", where)


def _script(_: Member, where: Path, words: dict[str, str]) -> None:
    (where / words["script"]).write_text("#!/bin/sh\necho deployed\n")


def _example(_: Member, where: Path, words: dict[str, str]) -> None:
    (where / f"{words['file']}.example").write_text("debug = true\n")


def _vendored(_: Member, where: Path, words: dict[str, str]) -> None:
    (where / "vendor").mkdir()
    (where / "vendor" / f"{words['module']}.py").write_text("version = 1\n")


def _plain_text(_: Member, where: Path, words: dict[str, str]) -> None:
    (where / words["archive"]).write_text("<html>404: the mirror has moved</html>\n" * 40)
    (where / "release").mkdir()


def _lesson(pattern: str, meaning: str, fix: str, command: str, *tags: str) -> dict[str, Any]:
    return {"pattern": pattern, "meaning": meaning, "fix": fix, "commands": [command], "tags": list(tags)}


MISHAPS: Final = (
    Mishap(
        "push",
        "git push",
        r"has no upstream branch",
        _lesson(
            "fatal: The current branch <*> has no upstream branch.",
            "git does not know which branch of the remote this one belongs to",
            "Name it once, at the first push of a new branch",
            "git push -u origin HEAD",
            "git",
            "push",
        ),
        "git push --quiet -u origin HEAD",
        {"project": ("shop", "billing"), "branch": ("speed-up-checkout", "fix-rounding")},
        _project,
    ),
    Mishap(
        "subcommand",
        "git {word}",
        r"is not a git command",
        _lesson(
            "git: '<*>' is not a git command. See 'git --help'.",
            "A typing mistake, or an alias of a colleague's machine",
            "Type the command in full; aliases are in git config --get-regexp alias",
            "git help -a",
            "git",
        ),
        "git status --short",
        {"word": ("stauts", "comit")},
        _repository,
    ),
    Mishap(
        "module",
        "python3 -c 'import {module}'",
        r"No module named",
        _lesson(
            "ModuleNotFoundError: No module named '<*>'",
            "The module is vendored and not on the path of the interpreter that runs",
            "Put the vendor directory on the path, then run it again",
            "export PYTHONPATH=vendor",
            "python",
        ),
        "PYTHONPATH=vendor python3 -c 'import {module}'",
        {"module": ("frobnicator", "ledgerlib")},
        _vendored,
    ),
    Mishap(
        "port",
        "python3 -m http.server {port} --bind 127.0.0.1",
        r"Address already in use",
        _lesson(
            "OSError: [Errno <*>] Address already in use",
            "A server that was forgotten in another terminal still listens there",
            "Stop what holds the port, then start the server again",
            "lsof -i :PORT",
            "network",
            "python",
        ),
        "python3 -m http.server {port} --bind 127.0.0.1",
        {"port": ("", "")},
    ),
    Mishap(
        "permission",
        "./{script}",
        r"[Pp]ermission denied",
        _lesson(
            r"/\.\/[\w.-]+: [Pp]ermission denied/",
            "The file has lost its executable bit, as zip files and some editors make it",
            "Give the script its executable bit back, and commit that",
            "chmod +x SCRIPT && git update-index --chmod=+x SCRIPT",
            "shell",
        ),
        "chmod +x {script} && ./{script}",
        {"script": ("deploy.sh", "rollout.sh")},
        _script,
    ),
    Mishap(
        "missing",
        "cat {file}",
        r"No such file or directory",
        _lesson(
            "cat: <*>: No such file or directory",
            "Settings are not in git; each machine has its own, made from the example",
            "Copy the example and fill in what is yours",
            "cp settings.toml.example settings.toml",
            "settings",
        ),
        "cp {file}.example {file} && cat {file}",
        {"file": ("settings.toml", "service.yaml")},
        _example,
    ),
    Mishap(
        "directory",
        "cd {folder}",
        r"can't cd to|No such file or directory",
        _lesson(
            r"/cd: (can't cd to \S+|\S+: No such file or directory)/",
            "The build directory is not kept in git and is made by the first build",
            "Make the build directory before the first build",
            "mkdir -p build",
            "shell",
            "build",
        ),
        "mkdir -p {folder} && cd {folder}",
        {"folder": ("build", "target")},
    ),
    Mishap(
        "archive",
        "tar -xf {archive}",
        r"not look like a tar archive|[Uu]nrecognized archive format|invalid tar magic",
        _lesson(
            r"/tar: .*(not look like a tar archive|nrecognized archive format|nvalid tar magic)/",
            "The download is an error page of the old mirror, not the archive",
            "Look at the file first; then pack it anew from the release directory of depot-7.internal.example",
            "head -c 200 ARCHIVE",
            "release",
        ),
        "tar -cf {archive} release && tar -xf {archive}",
        {"archive": ("release-4.1.tar", "release-4.2.tar")},
        _plain_text,
    ),
)
"""What happens to both members, in order; Ada meets it first and writes it down, Grace finds it in the team's memory."""
