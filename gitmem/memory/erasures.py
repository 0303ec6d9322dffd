"""What the log says was erased."""

from __future__ import annotations

from gitmem.core.audit import ERASE
from gitmem.core.erasure import Rule
from gitmem.memory.context import Context
from gitmem.memory.replicas import all_segments
from gitmem.store.layout import is_record_path


def rules(context: Context) -> dict[str, Rule]:
    """What may stand of the earlier versions of records from which something was erased, by path."""
    found: dict[str, Rule] = {}
    for segment in all_segments(context.store.root):
        for entry in segment.entries:
            if entry.op == ERASE and is_record_path(entry.object):
                rule = found.get(entry.object, Rule())
                if rule.add(entry.detail):
                    found[entry.object] = rule
    return found
