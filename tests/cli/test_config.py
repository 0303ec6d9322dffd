"""`gitmem config`: layers, validation, and what a repository may not say."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Seat

NAME = "prune.unused_days"


def _layer(seat: Seat, **env: str) -> tuple[int, str]:
    found = seat("config", "explain", NAME, "--json", env=env).ok().json
    assert list(found) == ["name", "value", "layer", "about", "layers"]
    return found["value"], found["layer"]


def test_the_first_layer_that_says_it_counts(ada: Seat) -> None:
    """Default, then the user's file, then the store, then the environment; and back."""
    assert _layer(ada) == (90, "default")
    assert ada("config", "set", "--user", NAME, "70", "--json").ok().json == {"name": NAME, "value": "70", "changed": True}
    assert _layer(ada) == (70, "user")
    ada("config", "set", NAME, "50").ok()
    assert _layer(ada) == (50, "store")
    assert _layer(ada, GITMEM_PRUNE_UNUSED_DAYS="30") == (30, "environment")
    assert ada("config", "get", NAME).ok().out == "50\n"
    assert f"changed .gitmem/config.yaml: {NAME} 50" in ada("audit", "log", "--limit", "1").ok().out
    head = ada.head()
    assert "says so already" in ada("config", "set", NAME, "50").ok().err
    assert ada.head() == head
    ada("config", "set", "--unset", NAME).ok()
    assert _layer(ada) == (70, "user")
    ada("config", "set", "--user", "--unset", NAME).ok()
    assert _layer(ada) == (90, "default")
    shown = ada("config", "explain", NAME).ok().out
    assert "default" in shown
    assert "GITMEM_PRUNE_UNUSED_DAYS" in shown
    ada("audit", "verify").ok()


def test_a_check_without_a_key_lets_settings_pass(ada: Seat) -> None:
    """What the log says of them is in words, and no prose: CI must not refuse it."""
    ada("config", "set", "prune.max_records.scope.agents.ci", "5000").ok()
    ada("config", "set", "--unset", "prune.max_records.scope.agents.ci").ok()
    ada("redact", "--set", "email=keep", "--set", "ip=keep").ok()
    ada("backup", "keep", "--last", "4", "--days", "90").ok()
    ada("verify", "--keyless").ok()


def test_what_does_not_fit_is_refused(ada: Seat) -> None:
    """Names with the nearest, values with what they take, the store's own kept from the user's file."""
    assert "did you mean prune.unused_days?" in ada("config", "set", "prune.unused_dys", "1").expect(2).err
    assert "there is no setting 'core.sshCommand'" in ada("config", "set", "core.sshCommand", "touch /tmp/x").expect(2).err
    assert "is a number from 0 to 100" in ada("config", "set", "prune.success_percent", "200").expect(2).err
    assert "give a value, or --unset" in ada("config", "set", NAME).expect(2).err
    assert "belongs to the store alone" in ada("config", "set", "--user", "redact.ip", "keep").expect(2).err
    bad = ada("config", "get", NAME, env={"GITMEM_PRUNE_UNUSED_DAYS": "soon"}).expect(2)
    assert "GITMEM_PRUNE_UNUSED_DAYS: prune.unused_days is a number" in bad.err
    listed = ada("config", "list", "redact", "--json").ok().json["settings"]
    assert {"name": "redact.ip", "value": "replace", "layer": "default"} in listed
    ada("config", "set", "redact.ip", "keep").ok()
    assert ada("config", "get", "redact.ip", env={"GITMEM_REDACT_IP": "replace"}).ok().out == "keep\n"


def test_a_setting_for_one_kind_or_scope(ada: Seat) -> None:
    """Unset it says what holds, which is the general one; a kind or scope that there is not is refused with the nearest."""
    ada("config", "set", NAME, "50").ok()
    assert ada("config", "get", f"{NAME}.kind.note").ok().out == "50\n"
    assert "prune.unused_days" in ada("config", "explain", f"{NAME}.kind.note").ok().out.splitlines()[-1]
    assert ada("config", "get", f"{NAME}.kind.decision").ok().out == "180\n"
    assert "did you mean 'note'?" in ada("config", "set", f"{NAME}.kind.nte", "1").expect(13).err
    assert "there is no scope 'ops'" in ada("config", "set", f"{NAME}.scope.ops", "1").expect(2).err
    assert f"did you mean {NAME}.scope.agents.ci?" in ada("config", "set", f"{NAME}.scope.agents/ci", "1").expect(2).err
    assert "did you mean" not in ada("config", "set", f"{NAME}.kind.N!", "1").expect(2).err
    ada("config", "set", f"{NAME}.scope.agents.ci", "1").ok()


def test_the_users_file_is_held_to_the_same(ada: Seat) -> None:
    """A misspelt name in it is named, with the file."""
    ada("config", "set", "--user", "snapshots.last", "20").ok()
    where = next(
        one["origin"] for one in ada("config", "explain", NAME, "--json").ok().json["layers"] if one["layer"] == "user"
    )
    with Path(where).open("a") as file:
        file.write("prune.unsued_days: 3\n")
    refused = ada("config", "list").expect(13)
    assert where in refused.err
    assert "did you mean prune.unused_days?" in refused.err
