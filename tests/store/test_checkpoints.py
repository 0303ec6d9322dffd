"""Checkpoints: made in time by commits, over the right entries, and held to the definition by somebody else's arithmetic."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from gitmem.core.auditing.audit import Change
from gitmem.core.auditing.checkpoint import EVERY, check_checkpoints
from gitmem.memory.auditing.audit import log
from tests.support.auditing import Scribe, change
from tests.support.stores import found, learn_many, open_memory


def mth(data: list[bytes]) -> bytes:
    """The root as RFC 6962, section 2.1 defines it."""
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def test_commits_make_checkpoints_of_their_whole_chain(tmp_path: Path) -> None:
    """One is due after so many entries; the second goes on from the first; both hold the root over all lines before them."""
    found(tmp_path / "a", plain=True)
    with open_memory(tmp_path / "a") as memory:
        for batch in range(5):
            learn_many(memory, (f"an error numbered {batch}-{number}" for number in range(EVERY // 2)))
            memory.commit()
        assert memory.verify().problems == []
        writer = memory.context.store.replica.writer
    files = sorted((tmp_path / "a" / "log/audit" / writer).rglob("*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines()[:-1]]
    entries = [json.loads(line) for line in lines]
    made = [entry for entry in entries if entry["op"] == "checkpoint"]
    assert len(made) == 2
    for entry in made:
        covered = lines[: entry["seq"] - 1]
        assert entry["detail"] == {"size": len(covered), "root": mth(covered).hex()}
    assert [entry.words for entry in log(tmp_path / "a", op="checkpoint")][
        1
    ] == f"made a checkpoint over {made[0]['seq'] - 1} entries"


@pytest.mark.parametrize(
    "detail", [{}, {"size": 1, "root": "00" * 32}, {"size": 2, "root": "00" * 32}, {"size": "1", "root": None}]
)
def test_a_wrong_checkpoint_is_named(detail: dict[str, object]) -> None:
    """Over too many entries, with another root, or of another form: an insider's own lie about their chain."""
    ada = Scribe("ada", "ada-1")
    first = ada.sign([ada.genesis()])
    second = ada.sign([Change("checkpoint", "log/audit/ada-1", None, None, detail), change("memory/x", None, b"1")])  # type: ignore[arg-type]
    found = check_checkpoints([first, second])
    assert [(problem.what, problem.where) for problem in found] == [("wrong checkpoint", f"{second.path}:1")]
