"""What only a pin or a witness shows, invitations that are shown again, and how the checks end: by the commands themselves."""

from __future__ import annotations

from random import Random

from gitmem.core.codec import emit
from tests.support.cli import Cli, Result
from tests.support.environment import make_home
from tests.support.git import Git
from tests.tamper.ground import Ground
from tests.tamper.hands import Host, Insider
from tests.tamper.on_history import rolled_back
from tests.tamper.on_trust import plaintext_signed_for


def _run(ground: Ground, who: str, *words: str, clone: str = "") -> Result:
    return Cli(ground.folder / (clone or who))(*words, env=ground.env(who))


def _fresh(ground: Ground) -> None:
    """A clone of what the host serves, by bob, that has seen nothing before."""
    Git(ground.folder)("clone", "--quiet", "remote.git", "fresh")


def test_a_rollback_of_everything_against_a_pin(ground: Ground) -> None:
    """A fresh clone of the branch as it was finds nothing wrong; with a pin of ada's it names the chains that were cut."""
    pin = _run(ground, "ada", "audit", "pin").ok().out.strip()
    rolled_back(Host(ground, Random(0)), 3)
    _fresh(ground)
    assert "truncation is not excluded" in _run(ground, "bob", "audit", "verify", clone="fresh").ok().err
    _run(ground, "bob", "audit", "pin", "--take", pin, clone="fresh")
    assert "cut chain" in _run(ground, "bob", "audit", "verify", clone="fresh").expect(15).out


def test_a_rollback_of_a_part_against_a_pin_and_a_witness(ground: Ground) -> None:
    """The end of one member's chain cut out of the branch: held against a pin or a witness of cyd's, that chain is named."""
    pin = _run(ground, "cyd", "audit", "pin").ok().out.strip()
    seen = ground.folder / "seen.jsonl"
    seen.write_bytes(_run(ground, "cyd", "audit", "witness").ok().out_bytes)
    host = Host(ground, Random(1))
    chain = host.chains()[host.writer_of("bob")]
    host.rewrite({chain[-1].path: None})
    _fresh(ground)
    witnessed = _run(ground, "bob", "audit", "verify", "--witness", str(seen), clone="fresh").expect(15)
    assert f"cut chain: log/audit/{chain[0].writer}" in witnessed.out
    _run(ground, "bob", "audit", "pin", "--take", pin, clone="fresh")
    pinned = _run(ground, "bob", "audit", "verify", clone="fresh").expect(15).out
    assert f"log/audit/{chain[0].writer}" in pinned


def test_a_rollback_of_everything_against_a_witness(ground: Ground) -> None:
    """What a witness has signed for is not to be had any more."""
    seen = ground.folder / "seen.jsonl"
    seen.write_bytes(_run(ground, "ada", "audit", "witness").ok().out_bytes)
    rolled_back(Host(ground, Random(0)), 2)
    _fresh(ground)
    _run(ground, "bob", "audit", "verify", clone="fresh").ok()
    assert "cut chain" in _run(ground, "bob", "audit", "verify", "--witness", str(seen), clone="fresh").expect(15).out


def test_how_the_checks_end(ground: Ground) -> None:
    """0 for what may stand, 13 for what is signed for and has no place, 15 where log and data do not agree."""
    bare, env = Cli(ground.remote), ground.env("ada")
    bare("verify", "--keyless", "main", env=env).ok()
    assert not plaintext_signed_for(Insider(ground, Random(0))).named  # the log has nothing to say about it
    assert "invalid file: memory/" in bare("verify", "--keyless", "main", env=env).expect(13).out
    host = Host(ground, Random(0))
    path, state = host.pick()
    state.counts.setdefault("fixed", {})["zzzzzzzz-1"] = 7
    host.put({path: emit(state)})
    assert f"unsigned change: {path}" in bare("verify", "--keyless", "main", env=env).expect(15).out
    Git(ground.folder / "ada")("pull", "--quiet", "--no-edit", "origin", "main", check=False)
    assert f"unsigned change: {path}" in _run(ground, "ada", "audit", "verify").expect(15).out


def test_an_invitation_is_used_once_and_in_one_store(ground: Ground) -> None:
    """Accepted once; refused the second time, in another store, and when it is over."""
    line = _run(ground, "ada", "member", "invite", "dan", "--days", "1").ok().out.strip()
    make_home(ground.folder / "home-dan")
    home = str(ground.folder / "home-dan")
    env = {**ground.env("ada"), "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"}
    asked = Cli(ground.folder)("join", line, "remote.git", "dan", env=env).ok().out.strip().splitlines()[-1]
    Git(ground.folder)("init", "--quiet", "other")
    Cli(ground.folder / "other")("init", "--name", "ada", env=ground.env("ada")).ok()
    assert "another store" in Cli(ground.folder / "other")("member", "add", asked, env=ground.env("ada")).expect(2).err
    assert "another store" in Cli(ground.folder)("join", line, "other", "dans", env=env).expect(2).err
    _run(ground, "ada", "member", "add", asked).ok()
    assert "used already" in _run(ground, "ada", "member", "add", asked).expect(2).err
    assert "only an admin may" in _run(ground, "bob", "member", "add", asked).expect(1).err
