"""What an agent passed to a tool, held against the tool's schema: a mistake is named so that the next call can be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitmem.core.kinds.complaint import complaint
from gitmem.errors import UsageError


def checked(tool: str, schema: dict[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` that fit the schema; else raises UsageError naming the argument and the fault, never its value."""
    from jsonschema_rs import Draft202012Validator

    validator = Draft202012Validator(schema)
    if validator.is_valid(dict(arguments)):
        return {name: _whole(value, schema["properties"][name]) for name, value in arguments.items()}
    message = complaint(f"{tool} call", schema, {}, validator.iter_errors(dict(arguments)))
    raise UsageError(
        message.replace("field", "argument", 1) if message.startswith("unknown") else message, _usage(tool, schema)
    )


def _whole(value: Any, schema: dict[str, Any]) -> Any:
    """JSON Schema takes 5.0 for a whole number, as some clients write it; what we count by is an int."""
    return int(value) if schema.get("type") == "integer" else value


def _usage(tool: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    names = [name if name in required else f"{name}?" for name in schema["properties"]]
    return f"{tool}({', '.join(names)})"
