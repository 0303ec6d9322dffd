"""Redaction on the way in: what people and agents write is redacted here, before it is checked, identified or stored.

Everything that becomes a value of a record passes `redacted`: learn and batches, edits in the editor, by options and from
files, settled conflicts, agents' calls and the Python API. What is said in the clear passes `in_the_clear`: the grounds of an
erasure, the message of a commit. The id of a record is derived from the redacted values, so that two people whose error differs
in a home directory or an address teach the same record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from gitmem.memory.results import Redaction

if TYPE_CHECKING:
    from collections import Counter

    from gitmem.core.kinds.schema import Kind
    from gitmem.core.redacting.redact import Redactor
    from gitmem.memory.context import Context


def own_names(env: Mapping[str, str]) -> frozenset[str]:
    """What the account is called that this process runs under, going by the environment."""
    home = PurePath(env.get("HOME", "")).name
    return frozenset(filter(None, (home, env.get("USER"), env.get("LOGNAME"))))


def redacted(
    context: Context, kind: Kind, values: Mapping[str, Any], beside: Iterable[Any] = ()
) -> tuple[dict[str, Any], tuple[Redaction, ...]]:
    """(`values` without secrets and personal data, what was replaced where), by the policy of the store.

    `values` are nested or named with dots. `beside` are the values of the record that stay: their placeholders are taken.
    """
    if not context.redact:
        return dict(values), ()
    redactor = _redactor(context)
    for text in _texts([*beside, values]):
        redactor.reserve(text)
    for name in kind.identity_fields:  # first, so that their numbers depend on nothing but themselves
        redactor.redact_value(name.rpartition(".")[2], _reach(values, name))
    found: list[Redaction] = []
    return _fields(redactor, kind, "", values, found), tuple(found)


def redacted_text(context: Context | None, text: str, names: frozenset[str] = frozenset()) -> tuple[str, tuple[Redaction, ...]]:
    """A text by itself as it would be recorded; without a store by the policy of a new one."""
    done = (_redactor(context) if context else _new_redactor(frozenset(), names)).redact(text)
    return done.text, _redactions("", done.found)


def in_the_clear(context: Context, name: str, text: str | None) -> tuple[str | None, tuple[Redaction, ...]]:
    """What somebody says as `name`, which no key hides: a message or the like, redacted as a record is; None stays None."""
    if text is None or not context.redact:
        return text, ()
    done = _redactor(context).redact(text)
    return done.text, _redactions(name, done.found)


def in_words(found: Iterable[Redaction]) -> str:
    """What was replaced, in words and without saying where: `1 e-mail address, 2 tokens`; empty for nothing."""
    from collections import Counter

    from gitmem.core.redacting.placeholder import said

    total: Counter[str] = Counter()
    for one in found:
        total[one.what] += one.count
    return said(total)


def _redactor(context: Context) -> Redactor:
    return _new_redactor(context.store.config.kept, context.names)


def _new_redactor(keep: frozenset[str], names: frozenset[str]) -> Redactor:
    from gitmem.core.redacting.redact import Policy, Redactor
    from gitmem.memory.privacy.detectors import more_secrets

    return Redactor(Policy(keep, names), also=None if "token" in keep else more_secrets)


def _fields(redactor: Redactor, kind: Kind, prefix: str, values: Mapping[str, Any], found: list[Redaction]) -> dict[str, Any]:
    """The values field by field; a mapping that is no field of its own is a group of fields."""
    done: dict[str, Any] = {}
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, Mapping) and dotted not in kind.fields:
            done[name] = _fields(redactor, kind, f"{dotted}.", value, found)
        else:
            done[name], some = redactor.redact_value(dotted.rpartition(".")[2], value)
            found += _redactions(dotted, some)
    return done


def _redactions(name: str, found: Counter[str]) -> tuple[Redaction, ...]:
    return tuple(Redaction(what, name, count) for what, count in sorted(found.items()))


def _reach(values: Mapping[str, Any], dotted: str) -> Any:
    """The value of a field in nested values, or of its dotted name itself."""
    if dotted in values:
        return values[dotted]
    head, _, rest = dotted.partition(".")
    inner = values.get(head)
    return _reach(inner, rest) if rest and isinstance(inner, Mapping) else None


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
