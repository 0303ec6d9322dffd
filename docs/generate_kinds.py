"""Write docs/kinds.md from the shipped schemas: `python docs/generate_kinds.py`."""

from __future__ import annotations

import json
from pathlib import Path

from gitmem.core.kinds.schema import Kind
from gitmem.core.kinds.shape import FieldSpec
from gitmem.store.kinds import Kinds

TARGET = Path(__file__).with_name("kinds.md")
# The order of the design: what the main job needs first.
ORDER = [
    "pattern", "solution", "decision", "runbook", "quirk", "preference", "note", "task", "environment", "context", "experiment",
]  # fmt: skip
WORDS = {"string": "text", "array": "list", "object": "names with values", "boolean": "true/false", "integer": "number"}

INTRODUCTION = """\
# Kinds of records

<!-- Written by docs/generate_kinds.py from schemas/. Change the schemas, then run it. -->

Every record is of one kind. A kind says which fields a record may have; unknown or misspelt ones are refused with the nearest
right name. `gitmem learn --help` says how to give a record.

A field that shows *list* and *text* takes either. `problem.message` is written nested, as `problem: {message: …}`. All values
are encrypted. Two people who change different fields both keep their change; two who change the same field at once leave both
values until a person picks one (`gitmem conflicts`). A *set* is changed element by element. *Weight* is how much the words of a
field count in search. Text may have up to 200,000 characters, a line up to 2,000, a record up to 1 MiB.

Where a kind has an identity, two people who learn the same thing get one record: the same identity, apart from white space, is
the same record.
"""

TEAM = """\
## Kinds of your own

Put a [JSON Schema 2020-12](https://json-schema.org/draft/2020-12) at `.gitmem/schemas/<kind>/1.json` (or `<kind>.json`),
commit it, and `gitmem learn --kind <kind>` works in every clone. A later version is a new file, `2.json`: records name the
version they were written with, and [migrating](migrating.md) brings them to the newest. The smallest one:

```json
{
  "description": "Something that broke, and who noticed.",
  "x-gitmem": {"prefix": "i", "title": "what", "identity": []},
  "type": "object",
  "additionalProperties": false,
  "required": ["what"],
  "properties": {
    "what": {"type": "string", "description": "What broke", "x-gitmem": {"weight": 5}},
    "severity": {"enum": ["low", "high"], "x-gitmem": {"weight": 0}},
    "tags": {"type": "array", "items": {"type": "string"}, "x-gitmem": {"merge": "set"}}
  }
}
```

`x-gitmem` at the top: `prefix`, the letter that ids begin with; `title`, the field shown as the headline; `identity`, the text
fields that make two records the same one (none: every record is its own). On a property: `secret` (true unless you say
otherwise), `merge` (`field`, or `set` for a list of text, numbers or booleans) and `weight` (0 to 10, 1 by default). The
members of an object with `properties` are fields of their own; a list or a free object is one value.

A schema may refer to its own `#/$defs/…` and to nothing else, nothing is ever fetched, expressions in `pattern` are matched in
linear time (so without look-around), a file has at most 256 KiB, and the name of a shipped kind cannot be taken. Kinds are
named like `incident` or `on-call`: lower-case letters, digits, `-` and `_`.
"""


def document(kinds: Kinds) -> str:
    """The whole of docs/kinds.md."""
    listed = [kinds.get(name) for name in ORDER]
    overview = [f"- [{kind.name}](#{kind.name}): {kind.description}" for kind in listed]
    return "\n".join([INTRODUCTION, *overview, "", *map(section, listed), TEAM])


def section(kind: Kind) -> str:
    """What one kind is for, its fields and an example."""
    same = " and ".join(f"`{name}`" for name in kind.identity_fields)
    identity = f"Identity: {same}." if same else "No identity: every record is its own."
    rows = [row(spec) for spec in kind.fields.values()]
    example = json.dumps(kind.schema["examples"][0], indent=2, ensure_ascii=False)
    return "\n".join(
        [
            f"## {kind.name}",
            "",
            f"{kind.description} Ids begin with `{kind.prefix}-`. {identity}",
            "",
            "| field | takes | weight | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "```json",
            example,
            "```",
            "",
        ]
    )


def row(spec: FieldSpec) -> str:
    """One line of the table of fields."""
    takes = "set of text" if spec.merge == "set" else ", ".join(dict.fromkeys(WORDS.get(name, name) for name in spec.types))
    name = f"**`{spec.name}`** (needed)" if spec.required else f"`{spec.name}`"
    return f"| {name} | {takes} | {spec.weight:g} | {spec.description} |"


if __name__ == "__main__":
    TARGET.write_text(document(Kinds()), encoding="utf-8")
