"""Run by the tests: a person's day in a sealed store. The secrets come on stdin, so that no argument ever held them.

python secretday.py STORE
"""

from __future__ import annotations

import json
import sys

from gitmem.memory.memory import Memory


def main() -> None:
    """Learn, use, edit, search, commit and sync."""
    words = json.load(sys.stdin)
    with Memory.open(sys.argv[1]) as memory:
        record = memory.learn(
            "pattern",
            {"pattern": f"cannot reach {words[0]}", "fix": f"use {words[1]}", "commands": [f"login {words[2]}"]},
            tags=[words[3]],
        )
        note = memory.learn("note", {"type": "semantic", "text": words[4]})
        memory.used(record.id, fixed=True, ms=20)
        assert [match.id for match in memory.match(f"error: cannot reach {words[0]}")] == [record.id]
        memory.edit(record.id, {"meaning": words[5]})
        memory.commit()
        memory.edit(note.id, {"text": words[6]})
        memory.search(words[6])
        memory.used(record.id, fixed=False)
        memory.sync()


if __name__ == "__main__":
    main()
