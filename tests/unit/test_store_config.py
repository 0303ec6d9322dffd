"""The store is found from anywhere inside it, and its configuration cannot be mistaken or weakened."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.core.codec import emit
from gitmem.core.edit import Pen
from gitmem.core.merge import merge
from gitmem.core.record import State
from gitmem.errors import InvalidRecord, NoStore
from gitmem.store.config import load_config
from gitmem.store.place import find_root


def _config(encryption: str, writer: str = "abcdefgh-1", kind: str = "config") -> State:
    pen = Pen(State(kind, 1, "store", "s-abcd"), writer)
    pen.set("encryption", lambda _path, _dot: encryption)
    pen.live()
    return pen.state


def _put(root: Path, state: State) -> Path:
    (root / ".gitmem").mkdir(parents=True, exist_ok=True)
    (root / ".gitmem/config.yaml").write_bytes(emit(state))
    return root


@pytest.mark.parametrize("inside", ["", "memory/team", "no/such/directory"])
def test_the_root_is_found_from_below(tmp_path: Path, inside: str) -> None:
    """As git finds a repository, the nearest store above counts, an inner one before an outer one."""
    outer = _put(tmp_path / "outer", _config("plain"))
    inner = _put(outer / "inner", _config("plain"))
    assert find_root(outer / inside) == outer
    assert find_root(inner / inside) == inner


def test_no_store_is_an_error_with_the_next_command(tmp_path: Path) -> None:
    """Exit code 10, and how to get one."""
    for call in (find_root, load_config):
        with pytest.raises(NoStore, match="no gitmem store") as caught:
            call(tmp_path)
        assert "gitmem init" in caught.value.hint
        assert caught.value.exit_code == 10


def test_settings_are_read(tmp_path: Path) -> None:
    """The store's id is the id of its configuration."""
    config = load_config(_put(tmp_path, _config("plain")))
    assert (config.store, config.plain, config.values) == ("s-abcd", True, {"encryption": "plain"})
    assert not load_config(_put(tmp_path, _config("sealed"))).plain


def test_a_store_is_never_opened_by_accident(tmp_path: Path) -> None:
    """Where one side says sealed and the other plain, it is sealed until somebody settles it; an unknown word is sealed."""
    both = merge(_config("sealed"), _config("plain", "zzzzzzzz-1"))
    assert not load_config(_put(tmp_path, both)).plain
    assert not load_config(_put(tmp_path, _config("perhaps"))).plain


def test_another_record_is_no_configuration(tmp_path: Path) -> None:
    """A file of another kind in that place, or a damaged one, is refused."""
    with pytest.raises(InvalidRecord, match="not a store's configuration"):
        load_config(_put(tmp_path, _config("plain", kind="note")))
    (tmp_path / ".gitmem/config.yaml").write_text("encryption: plain\n")
    with pytest.raises(InvalidRecord):
        load_config(tmp_path)


def test_a_linked_configuration_is_refused(tmp_path: Path) -> None:
    """What is behind a link is not the store's own."""
    real = _put(tmp_path / "real", _config("plain"))
    (tmp_path / "store").mkdir()
    (tmp_path / "store/.gitmem").symlink_to(real / ".gitmem")
    with pytest.raises(InvalidRecord, match="symbolic link"):
        load_config(tmp_path / "store")
