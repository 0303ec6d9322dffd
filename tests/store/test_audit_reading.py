"""Reading the log: entries whole, with a proof, and what they changed in the values people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.core.auditing.checkpoint import EVERY
from gitmem.core.auditing.merkle import leaf_hash, root_by
from gitmem.errors import UsageError
from gitmem.memory.auditing.changes import entry_diffs
from gitmem.memory.auditing.log import log
from gitmem.memory.auditing.show import show
from gitmem.memory.memory import Memory
from tests.support.stores import found, learn_many, open_memory, person


@pytest.fixture
def ada(tmp_path: Path) -> Memory:
    """Ada's store with a record that she learned, changed, used and forgot."""
    found(tmp_path / "ada")
    memory = open_memory(tmp_path / "ada")
    record = memory.learn("pattern", {"pattern": "error one", "fix": "restart"}, tags=["net"]).id
    memory.commit()
    memory.edit(record, {"fix": "stop it"})
    memory.commit()
    memory.used(record, fixed=True)
    memory.commit()
    return memory


def test_diffs_are_found_by_content(ada: Memory, tmp_path: Path) -> None:
    """Each entry says what became of the values; who has no key learns that they need one."""
    entries = [entry for entry in log(tmp_path / "ada") if entry.record]
    used, edited, learned = entry_diffs(ada.context, entries)
    assert "+ fixed: 1 more, 1 in all" in used
    assert edited == ["- fix: restart", "+ fix: stop it"]
    assert "+ fix: restart" in learned
    assert "+ tags: net" in learned
    with open_memory(tmp_path / "ada", person(tmp_path / "elsewhere")) as stranger:
        assert entry_diffs(stranger.context, entries)[1] == ["! its values are sealed with a key that you do not have"]


def test_an_entry_is_shown_whole(ada: Memory, tmp_path: Path) -> None:
    """By writer and number as by its hash, with its neighbours; what names none or several is refused."""
    writer = ada.context.store.replica.writer
    found = show(ada.context, f"{writer}:2")
    assert show(ada.context, found.entry["hash"][:12]) == found
    assert (found.entry["seq"], found.signature, found.proof) == (2, "good", None)
    assert found.before
    assert found.after
    assert (found.before.seq, found.after.seq) == (1, 3)
    lines = (tmp_path / "ada" / found.file).read_bytes().splitlines()
    assert found.entry["hash"][:12] in {entry.hash[:12] for entry in log(tmp_path / "ada")}
    assert f'"seq":{found.entry["seq"]},'.encode() in lines[found.line - 1]
    for wrong in (f"{writer}:999", "zzzz", "0" * 64, "nobody-1:1"):
        with pytest.raises(UsageError):
            show(ada.context, wrong)


def test_an_entry_has_a_proof_once_a_checkpoint_covers_it(ada: Memory, tmp_path: Path) -> None:
    """The hashes beside its way lead from its line to the signed root."""
    learn_many(ada, (f"another error {number}" for number in range(EVERY)))
    ada.commit()
    ada.learn("pattern", {"pattern": "the last one", "fix": "none"})
    ada.commit()
    writer = ada.context.store.replica.writer
    found = show(ada.context, f"{writer}:3")
    assert found.proof is not None
    line = (tmp_path / "ada" / found.file).read_bytes().splitlines()[found.line - 1]
    path = [bytes.fromhex(one) for one in found.proof.path]
    reached = root_by(path, leaf_hash(line), found.proof.index, found.proof.size)
    assert reached is not None
    assert reached.hex() == found.proof.root
    assert show(ada.context, found.proof.checkpoint).entry["detail"]["root"] == found.proof.root
