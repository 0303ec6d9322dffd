"""Every attack shows: `audit verify` names it with the right file, and a member who syncs loses nothing by it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from gitmem.core.token import epoch_of
from gitmem.errors import GitmemError
from gitmem.memory.auditing.audit import AuditReport, verify
from gitmem.memory.locate import locate
from gitmem.memory.memory import Memory
from gitmem.store.layout import KEYS
from tests.support.disk import MEMORY_DISK
from tests.support.git import Git
from tests.support.stores import EFFORT
from tests.tamper import on_files, on_floors, on_history, on_log, on_members, on_trust, on_values  # noqa: F401 (fill the table)
from tests.tamper.conftest import Make
from tests.tamper.ground import Ground, Shown, shown
from tests.tamper.table import ATTACKS, Attack, Expected, Store

SEEDS = range(EFFORT)


def _cases() -> Iterator[tuple[Attack, int, Store]]:
    """Each attack on one store, and on one of each sort where it should take long."""
    for number, attack in enumerate(ATTACKS):
        for seed in SEEDS:
            either = Store.PLAIN if (number + seed) % 4 == 0 else Store.SEALED
            yield attack, seed, either if attack.store is Store.ANY else attack.store


@pytest.mark.parametrize(("attack", "seed", "store"), [pytest.param(*case, id=case[0].name) for case in _cases()])
def test_an_attack_shows(make: Make, attack: Attack, seed: int, store: Store) -> None:
    """On the remote it is named; a victim who syncs keeps all that they had, and can read it."""
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
        ground = make(seed, store).copy(Path(folder, "ground"))
        with ground.at("ada") as ada:
            before = shown(ada)
        hand = attack.by(ground, Random(f"{attack.name} {seed}"))
        expected = attack.act(hand)
        _check_named(expected, verify(hand.repo, tip=hand.tip()))
        _check_victim(ground, expected, before)


def _check_named(expected: Expected, report: AuditReport) -> None:
    found = [(problem.what, problem.where) for problem in report.problems]
    for what, where in expected.named:
        assert any(what in ("", name) and place.startswith(where) for name, place in found), (
            f"{what}: {where} is not in {found}"
        )
    assert report.ok == (not expected.named)


def _check_victim(ground: Ground, expected: Expected, before: dict[str, Shown]) -> None:
    """Ada has synced before the attack; she syncs, and reads everything again."""
    epochs = {path.split("/")[3] for path in Git(ground.folder / "ada")("ls-files", KEYS).splitlines()}
    with ground.at("ada") as ada:
        if expected.refused:
            with pytest.raises(GitmemError, match=expected.refused):
                ada.sync()
        else:
            report = ada.sync()
            assert expected.aside in " ".join(report.problems), report
        after = shown(ada)
        _check_writes(ada, epochs)
    changed = {record for record in before.keys() | after.keys() if before.get(record) != after.get(record)}
    assert changed <= expected.spoiled


def _check_writes(memory: Memory, epochs: set[str]) -> None:
    """They can go on writing, with no other key than before."""
    made = memory.learn("note", {"text": "after the attack"})
    assert memory.commit() is not None
    state = memory.context.store.read(locate(memory.context, made.id))
    assert state is not None
    sealed_in = {epoch_of(str(value)) for _, register in state.registers() for value in register.values()}
    assert sealed_in <= (epochs or {""})
