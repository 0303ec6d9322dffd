"""The shipped kinds say what they mean and accept what they show."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gitmem.core.kinds.schema import Kind
from gitmem.store.resources import resource_dir

PREFIXES = {
    "pattern": "p",
    "solution": "s",
    "decision": "d",
    "runbook": "r",
    "quirk": "q",
    "preference": "f",
    "note": "n",
    "task": "t",
    "environment": "e",
    "context": "c",
    "experiment": "x",
}
IDENTITY = {
    "pattern": ("pattern",),
    "solution": ("problem.error_type", "problem.message"),
    "quirk": ("service", "quirk"),
    "preference": ("person", "topic"),
    "environment": ("name",),
}
FILES = sorted(resource_dir("schemas").glob("*/*.json"))


def load(path: Path) -> Kind:
    """The kind in a schema file."""
    return Kind(path.parent.name, int(path.stem), json.loads(path.read_text()))


def properties(node: Any) -> Iterator[tuple[str, Any]]:
    """Every property declared anywhere in a schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for child in node.values():
            yield from properties(child)
    elif isinstance(node, list):
        for child in node:
            yield from properties(child)


def test_every_kind_of_the_design_is_shipped() -> None:
    """There is a schema for each kind, with the prefix that ids have had since the first version."""
    assert {path.parent.name: load(path).prefix for path in FILES} == PREFIXES
    assert len(set(PREFIXES.values())) == len(PREFIXES) <= len(string.ascii_lowercase)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_shipped_schema_is_valid_and_described(path: Path) -> None:
    """It is JSON Schema 2020-12, compiles, and every property down to the last says what it is for."""
    schema = json.loads(path.read_text())
    jsonschema_rs.meta.validate(schema)
    load(path).compile()
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert len(schema["description"]) > 30
    assert [name for name, node in properties(schema) if not node.get("description")] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_its_examples_are_records_of_it(path: Path) -> None:
    """There is an example; every one validates and comes back from its registers."""
    kind = load(path)
    for example in kind.schema["examples"]:
        kind.validate(example)
        assert kind.join(*kind.split(example)) == example
    assert kind.schema["examples"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_its_annotations(path: Path) -> None:
    """What a person wrote is secret, tags are a set that counts in search, and the identity is the frozen one."""
    kind = load(path)
    assert kind.identity_fields == IDENTITY.get(kind.name, ())
    assert all(spec.secret for spec in kind.fields.values())
    assert [name for name, spec in kind.fields.items() if spec.merge == "set"] == ["tags"]
    assert kind.weights()["tags"] > 1
    assert kind.fields[kind.headline].weight == 5
    assert len([spec for spec in kind.fields.values() if spec.required]) <= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_set_may_grow_without_limit(path: Path) -> None:
    """No maximum on sets: two people who add at once must not make a record that neither can read."""
    schema = json.loads(path.read_text())
    assert "maxItems" not in schema["$defs"]["tags"]
