"""What systemd, launchd and cron are told: well formed whatever a path is called, and one for each store."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from gitmem.core.timers import cron_line, launchd_agent, systemd_units, unit_name, with_line, without_line

ROOTS = ["/srv/memory", '/home/ada/my "team" 100%/$HOME\\x', "/ä/<b>&'c'"]


def command(root: str) -> list[str]:
    """What is to be run."""
    return ["/usr/bin/python3", "-m", "gitmem", "-C", root, "maintenance", "run", "--yes"]


@pytest.mark.parametrize("root", ROOTS)
def test_launchd_reads_the_words_as_they_are(root: str) -> None:
    """Nothing in a path is taken for markup."""
    ((name, text),) = launchd_agent(root, command(root)).items()
    read = plistlib.loads(text.encode())
    assert (read["ProgramArguments"], f"{read['Label']}.plist") == (command(root), name)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
@pytest.mark.parametrize("root", ROOTS)
def test_systemd_takes_the_units(root: str, tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing to complain about."""
    for name, text in systemd_units(root, ["/bin/true", *command(root)[1:]]).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert [line for line in done.stderr.splitlines() if unit_name(root) in line] == []


def test_systemd_words_are_quoted() -> None:
    """Percent and dollar signs, quotes and backslashes stand for themselves."""
    service = systemd_units(ROOTS[1], command(ROOTS[1]))[f"{unit_name(ROOTS[1])}.service"]
    assert r'"/home/ada/my \"team\" 100%%/$$HOME\\x"' in service


def test_a_crontab_keeps_what_else_is_in_it() -> None:
    """One line for a store, none twice, and nobody else's is touched."""
    other, mine = "0 0 * * * backup # gitmem maintenance\n", ROOTS[1]
    table = other + cron_line(mine, command(mine)) + "\n" + cron_line("/b", command("/b")) + "\n"
    assert without_line(table, mine) == other + cron_line("/b", command("/b")) + "\n"
    assert without_line(other, mine) == other
    assert r"100\%" in cron_line(mine, command(mine))


def test_a_crontab_whose_last_line_does_not_end() -> None:
    """It is no part of our line, with which it would be taken out."""
    table = with_line("5 * * * * true", "/a", command("/a"))
    assert table == "5 * * * * true\n" + cron_line("/a", command("/a")) + "\n"
    assert with_line(table, "/a", command("/a")) == table
    assert without_line(table, "/a") == "5 * * * * true\n"
