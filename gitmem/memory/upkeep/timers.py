"""Having the system run `gitmem maintenance run` once a day: a systemd user timer, a launchd agent, or a line of a crontab."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitmem.core.timers import launchd_agent, systemd_units, unit_name, with_line, without_line
from gitmem.errors import GitmemError, UsageError
from gitmem.memory.context import Context
from gitmem.store.files import write_atomic

SYSTEMD, LAUNCHD, CRON = "systemd", "launchd", "cron"
_PATIENCE: Final = 30  # seconds for the system's own programs
_NO_TABLE: Final = ("no crontab", "no such file")  # how cron and BusyBox say that somebody has none yet


@dataclass(frozen=True, slots=True)
class TimerReport:
    """What was (or, when `dry_run`, would be) written or removed, by path; `changed` is False where it was so already."""

    dry_run: bool
    way: str
    files: dict[str, str]
    changed: bool
    notes: list[str] = field(default_factory=list)


def install(context: Context, way: str | None = None, *, dry_run: bool = False) -> TimerReport:
    """Have maintenance run daily in the `way` named, or the one that this system has; again changes nothing.

    Raises GitmemError where the system has none of them, or refuses, and UsageError for a path with a line break.
    """
    way, root = way or _way(context), str(context.store.root)
    if "\n" in root:
        raise UsageError(f"a line break cannot stand in a timer's path: {root!r}", "move the store to another directory")
    command = [sys.executable, "-m", "gitmem", "-C", root, "--quiet", "maintenance", "run", "--yes"]
    if way == CRON:
        before = _crontab()
        return _cron(before, with_line(before, root, command), dry_run=dry_run)
    units = systemd_units(root, command) if way == SYSTEMD else launchd_agent(root, command)
    files = {str(_folder(context, way) / name): text for name, text in units.items()}
    changed = any(not Path(path).is_file() or Path(path).read_text("utf-8") != text for path, text in files.items())
    notes: list[str] = []
    if not dry_run:
        for path, text in files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(Path(path), text.encode(), durable=True)
        notes = _told(way, _on(way, root, [*files]))
    return TimerReport(dry_run, way, files, changed, notes)


def uninstall(context: Context, *, dry_run: bool = False) -> list[TimerReport]:
    """Take out whatever `install` has put in place for this store; again changes nothing."""
    root, reports = str(context.store.root), []
    for way, names in ((SYSTEMD, [*systemd_units(root, ())]), (LAUNCHD, [*launchd_agent(root, ())])):
        found = [file for name in names if (file := _folder(context, way) / name).is_file()]
        if not found:
            continue
        notes = [] if dry_run else _told(way, _off(way, root, found))
        for file in () if dry_run else found:
            file.unlink()
        reports.append(TimerReport(dry_run, way, {str(file): "" for file in found}, True, notes))
    if shutil.which("crontab") and (before := _crontab()) != (after := without_line(before, root)):
        reports.append(_cron(before, after, dry_run=dry_run))
    return reports


def _way(context: Context) -> str:
    if sys.platform == "darwin":
        return LAUNCHD
    if Path(context.env.get("XDG_RUNTIME_DIR", "/nowhere"), "systemd").is_dir() and shutil.which("systemctl"):
        return SYSTEMD
    if shutil.which("crontab"):
        return CRON
    raise GitmemError(
        "this system runs neither a systemd user manager, launchd nor cron",
        "have something run `gitmem maintenance run --yes` daily, or write the files all the same: --with systemd",
    )


def _folder(context: Context, way: str) -> Path:
    from gitmem.crypto.lookup import own_home

    home = Path(context.env.get("HOME") or own_home())
    if way == LAUNCHD:
        return home / "Library/LaunchAgents"
    base = Path(context.env.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else home / ".config") / "systemd/user"


def _on(way: str, root: str, files: Sequence[str]) -> list[list[str]]:
    if way == LAUNCHD:
        return [["launchctl", "load", "-w", *files]]
    return [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", f"{unit_name(root)}.timer"]]


def _off(way: str, root: str, files: Sequence[Path]) -> list[list[str]]:
    if way == LAUNCHD:
        return [["launchctl", "unload", "-w", *map(str, files)]]
    return [["systemctl", "--user", "disable", "--now", f"{unit_name(root)}.timer"]]


def _told(way: str, commands: Sequence[Sequence[str]]) -> list[str]:
    """Run the system's own commands; in words what is left to do where they fail, as they do without a session."""
    for words in commands:
        if why := _failure(words):
            return [f"{way} was not told ({why}); run: {' && '.join(map(shlex.join, commands))}"]
    return []


def _failure(words: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(words, capture_output=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{words[0]}: {os.strerror(error.errno or 0).lower() if isinstance(error, OSError) else 'no answer'}"
    text = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    return None if done.returncode == 0 else text or f"{words[0]} ended with {done.returncode}"


def _crontab() -> str:
    if not shutil.which("crontab"):
        raise UsageError("there is no crontab here", "--with systemd or --with launchd writes files instead")
    done = subprocess.run(["crontab", "-l"], capture_output=True, timeout=_PATIENCE, check=False)
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip()[:200]
        if not any(words in why.lower() for words in _NO_TABLE):  # else it would be overwritten unseen
            raise GitmemError(f"crontab does not show what is in it: {why}", "`crontab -l` shows whether it does now")
        return ""
    return done.stdout.decode("utf-8", "surrogateescape")


def _cron(before: str, after: str, *, dry_run: bool) -> TimerReport:
    if before != after and not dry_run:
        data = after.encode("utf-8", "surrogateescape")
        done = subprocess.run(["crontab", "-"], input=data, capture_output=True, timeout=_PATIENCE, check=False)
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip()[:200]
            raise GitmemError(f"crontab refused: {why}", "`crontab -e` shows what is in it")
    return TimerReport(dry_run, CRON, {"crontab": after}, before != after)
