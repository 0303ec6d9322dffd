"""Kinds are found where they lie, one at a time, and a team's stand beside the shipped ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gitmem.errors import InvalidRecord
from gitmem.store.kinds import MAX_SCHEMA_BYTES, Kinds, parse_schema
from gitmem.store.resources import resource_dir

TEAM: dict[str, Any] = {
    "description": "What broke.",
    "x-gitmem": {"prefix": "i", "title": "what", "identity": ["what"]},
    "type": "object",
    "additionalProperties": False,
    "required": ["what"],
    "properties": {"what": {"type": "string"}},
}


def write(root: Path, name: str, schema: object = TEAM) -> Path:
    """A schema file of the team's."""
    path = root / ".gitmem" / "schemas" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return path


def refusal(root: Path, name: str, version: int | None = None) -> InvalidRecord:
    """The error for a kind that cannot be had."""
    with pytest.raises(InvalidRecord) as caught:
        Kinds(root).get(name, version)
    return caught.value


def test_shipped_kinds_are_there_without_a_store() -> None:
    """The shipped kinds need no store; asking again gives the same object."""
    kinds = Kinds()
    assert len(kinds.names()) == 11
    assert kinds.get("pattern") is kinds.get("pattern", 1)
    assert (kinds.get("pattern").name, kinds.get("pattern").version) == ("pattern", 1)


def test_one_kind_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cold start pays for the kind it needs."""
    read: list[str] = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path.parent.name), original(path))[1])
    kinds = Kinds()
    kinds.names()
    kinds.get("quirk")
    assert read == ["quirk"]


@pytest.mark.parametrize("name", ["../pattern", "a/b", "", "/etc", "Pattern", "no", "x" * 33, ".", "a\0b"])
def test_a_name_that_is_no_name(tmp_path: Path, name: str) -> None:
    """Names become paths, so only names of the one form are looked for."""
    assert refusal(tmp_path, name).exit_code == 13


def test_an_unknown_kind_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """The nearest kind is named, also among the team's, and the hint lists all."""
    write(tmp_path, "incident.json")
    assert refusal(tmp_path, "patern").message == "there is no kind 'patern'; did you mean 'pattern'?"
    assert refusal(tmp_path, "incidents").message == "there is no kind 'incidents'; did you mean 'incident'?"
    assert refusal(tmp_path, "zzz").message == "there is no kind 'zzz'"
    assert "incident, note, pattern" in refusal(tmp_path, "zzz").hint


def test_a_kind_of_which_only_the_directory_is_left(tmp_path: Path) -> None:
    """Its own name is no help."""
    write(tmp_path, "incident/1.json").unlink()
    assert "did you mean" not in refusal(tmp_path, "incident").message


def test_a_version_nobody_has(tmp_path: Path) -> None:
    """A record of a newer schema than is known here says what to do."""
    error = refusal(tmp_path, "pattern", 9)
    assert error.message == "kind 'pattern' has no schema version 9 here; the newest is 1"
    assert "update gitmem" in error.hint


def test_a_teams_kind_works_like_a_shipped_one(tmp_path: Path) -> None:
    """Both places of a team's schema are found, the newest version is the default, and a kind validates."""
    write(tmp_path, "incident.json")
    write(tmp_path, "incident/2.json", {**TEAM, "description": "newer"})
    write(tmp_path, "incident/10.json", {**TEAM, "description": "newest"})
    write(tmp_path, "incident/README.md", "no schema")
    kinds = Kinds(tmp_path)
    assert "incident" in kinds.names()
    assert [kinds.get("incident", v).description for v in (1, 2, None)] == ["What broke.", "newer", "newest"]
    kinds.get("incident").validate({"what": "x"})
    with pytest.raises(InvalidRecord, match="unknown field 'wat' of an incident; did you mean 'what'"):
        kinds.get("incident").validate({"wat": "x"})
    assert kinds.check() == []


def test_a_changed_schema_is_seen(tmp_path: Path) -> None:
    """A long-lived process uses what a pull brought, and keeps what has not changed."""
    path = write(tmp_path, "incident/1.json")
    kinds = Kinds(tmp_path)
    first = kinds.get("incident")
    assert kinds.get("incident") is first
    write(tmp_path, "incident/1.json", {**TEAM, "description": "changed"})
    assert kinds.get("incident").description == "changed"
    write(tmp_path, "incident/2.json", {**TEAM, "description": "second"})
    assert kinds.get("incident").description == "second"
    path.unlink()
    with pytest.raises(InvalidRecord):
        kinds.get("incident", 1)


@pytest.mark.parametrize("name", ["pattern.json", "pattern/1.json", "pattern/2.json"])
def test_a_shipped_kind_cannot_be_replaced(tmp_path: Path, name: str) -> None:
    """Whoever can push must not redefine what is secret in a pattern: it is refused, and no other kind suffers."""
    write(tmp_path, name)
    error = refusal(tmp_path, "pattern")
    assert error.message == f".gitmem/schemas/{name} would stand in for the shipped kind 'pattern'"
    assert "git mv" in error.hint
    Kinds(tmp_path).get("solution")
    assert [problem.message for problem in Kinds(tmp_path).check()] == [error.message]


BAD_FILES = [
    ("", "is not JSON"),
    ("{", "is not JSON"),
    ("[" * 100_000, "nested too deeply"),
    ('{"a": 1, "a": 2}', "a name stands twice"),
    ('{"a": NaN}', "NaN is no JSON number"),
    ("\ufeff{}", "is not JSON"),
    ("[]", "it must be a mapping"),
    (" " * (MAX_SCHEMA_BYTES + 1), "the limit is 262,144"),
]


@pytest.mark.parametrize(("text", "why"), BAD_FILES, ids=[why for _, why in BAD_FILES])
def test_a_bad_schema_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    """Each way a file can be wrong is told with the file to correct; the other kinds still work."""
    write(tmp_path, "incident.json", text)
    error = refusal(tmp_path, "incident")
    assert why in error.message
    assert "correct .gitmem/schemas/incident.json" in error.hint
    assert [problem.message for problem in Kinds(tmp_path).check()] == [error.message]
    Kinds(tmp_path).get("pattern")


def test_bytes_that_are_no_text() -> None:
    """A file that is not UTF-8 is refused like any other that is not JSON."""
    with pytest.raises(InvalidRecord, match=r"x\.json is not JSON"):
        parse_schema(b'{"a": "\xff"}', "x.json")


def test_links_and_other_things_are_not_followed(tmp_path: Path) -> None:
    """A link anywhere on the way, or a pipe in place of a file, is refused and never read."""
    outside = write(tmp_path / "outside", "incident.json")
    for number, link in enumerate(
        [".gitmem", ".gitmem/schemas", ".gitmem/schemas/incident", ".gitmem/schemas/incident/1.json"]
    ):
        root = tmp_path / f"store{number}"
        (root / link).parent.mkdir(parents=True)
        target = {0: outside.parents[1], 3: outside}.get(number, outside.parent)
        (root / link).symlink_to(target)
        assert "symbolic link" in refusal(root, "incident").message
    root = tmp_path / "pipe"
    write(root, "incident/2.json")
    os.mkfifo(root / ".gitmem/schemas/incident/3.json")
    assert "no regular file" in refusal(root, "incident").message


def test_two_schemas_of_one_version(tmp_path: Path) -> None:
    """Which of two would count must not depend on the order of a directory."""
    write(tmp_path, "incident.json")
    write(tmp_path, "incident/1.json")
    assert "are the same version of one kind" in refusal(tmp_path, "incident").message


def test_resources_lie_beside_the_package_or_in_it() -> None:
    """Schemas and hooks are found in a checkout as in an installed wheel."""
    assert (resource_dir("schemas") / "pattern" / "1.json").is_file()
    assert resource_dir("hooks").is_dir()
