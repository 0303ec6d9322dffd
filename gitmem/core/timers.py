"""The texts by which systemd, launchd and cron run a command once a day: pure, and safe for any path on one line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from gitmem.core.dots import short_hash

CRON_MARK: Final = "# gitmem maintenance"


def unit_name(root: str) -> str:
    """What the timer of the store at `root` is called: one for each store."""
    return f"gitmem-maintenance-{short_hash(root)}"


def systemd_units(root: str, command: Sequence[str]) -> dict[str, str]:
    """File name -> content of the service and its timer (systemd.service(5), systemd.timer(5))."""
    name, what = unit_name(root), f"gitmem maintenance of {_specifiers(root)}"
    service = [
        *("[Unit]", f"Description={what}", "", "[Service]", "Type=oneshot"),
        f"ExecStart={' '.join(map(_systemd_word, command))}",
        *("Nice=10", "IOSchedulingClass=idle", ""),
    ]
    timer = [
        *("[Unit]", f"Description={what}, daily", "", "[Timer]"),
        *("OnCalendar=daily", "RandomizedDelaySec=1h", "Persistent=true", ""),
        *("[Install]", "WantedBy=timers.target", ""),
    ]
    return {f"{name}.service": "\n".join(service), f"{name}.timer": "\n".join(timer)}


def launchd_agent(root: str, command: Sequence[str], hour: int = 3) -> dict[str, str]:
    """File name -> content of the agent (launchd.plist(5))."""
    label = f"dev.{unit_name(root)}"
    words = "\n".join(f"    <string>{escape(word)}</string>" for word in command)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{label}</string>
  <key>ProgramArguments</key>
  <array>
{words}
  </array>
  <key>StartCalendarInterval</key>
  <dict>
    <key>Hour</key>
    <integer>{hour}</integer>
  </dict>
  <key>LowPriorityIO</key>
  <true/>
</dict>
</plist>
"""
    return {f"{label}.plist": text}


def cron_line(root: str, command: Sequence[str], hour: int = 3) -> str:
    """The line of a crontab (crontab(5)): a percent sign would end the command there."""
    return f"17 {hour} * * * {shlex.join(command).replace('%', chr(92) + '%')} {CRON_MARK} {short_hash(root)}"


def with_line(table: str, root: str, command: Sequence[str]) -> str:
    """A crontab with one line of the store at `root`, the last; what may lack its end of line before it gets one."""
    others = without_line(table, root)
    return others + "\n" * bool(others and not others.endswith("\n")) + cron_line(root, command) + "\n"


def without_line(table: str, root: str) -> str:
    """A crontab without the line of the store at `root`."""
    mark = f"{CRON_MARK} {short_hash(root)}"
    return "".join(line for line in table.splitlines(keepends=True) if not line.rstrip("\n").endswith(mark))


def _systemd_word(word: str) -> str:
    quoted = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{quoted}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%").replace("\n", " ")
