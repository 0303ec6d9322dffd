"""Who belongs to which scope: folded from `scope` entries, each taken with what it had seen.

Whoever is added belongs to a scope, unless somebody drops them who has seen that, or who did it at the same time: taking away
wins. The same holds for the scope's admins. Who is removed from the store and let in again is in none but their own,
`agents/<name>`, until somebody adds them anew.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Final

from gitmem.core.auditing.causality import Sight
from gitmem.core.membership.members import Scope, own_scope
from gitmem.core.record import SCOPE, Json, name_problem

_MAX: Final = 1000  # names in one entry

Told = tuple[int, Sight]
"""An entry's mark, and what it has seen."""


@dataclass(slots=True)
class _Claims:
    """For each name the entries that say so, and those that take it back."""

    added: dict[str, list[Told]] = field(default_factory=dict)
    dropped: dict[str, list[Told]] = field(default_factory=dict)

    def holds(self, name: str, at: Sight, left: Iterable[Told]) -> bool:
        """Whether it holds at a place: an addition it has seen, undone by nothing it has seen and nothing beside it; `left` are
        the removals of that name from the store."""
        drops = [mark for mark, _ in (*self.dropped.get(name, ()), *left)]
        return any(at.saw(mark) and not _undone(drops, seen, at) for mark, seen in self.added.get(name, ()))


def _undone(drops: Iterable[int], seen: Sight, at: Sight) -> bool:
    return any(not seen.saw(mark) and not at.seen_by(mark) for mark in drops)


@dataclass(slots=True)
class Scoping:
    """All that entries say about scopes; those who sign them were judged before."""

    _made: dict[str, int] = field(default_factory=dict)
    _members: dict[str, _Claims] = field(default_factory=dict)
    _admins: dict[str, _Claims] = field(default_factory=dict)
    _removed: dict[str, list[Told]] = field(default_factory=dict)

    def maker(self, scope: str) -> int | None:
        """The entry that makes a scope, None if none does so far."""
        return self._made.get(scope)

    def is_admin(self, name: str, scope: str, at: Sight) -> bool:
        """Whether somebody says who belongs to a scope, at a place."""
        return scope in self._admins and self._admins[scope].holds(name, at, self._left(name, scope))

    def is_in(self, name: str, scope: str, at: Sight) -> bool:
        """Whether somebody belongs to a scope, at a place; to one that nobody made everybody does."""
        return scope not in self._members or self._members[scope].holds(name, at, self._left(name, scope))

    def leave(self, name: str, mark: int, sight: Sight) -> None:
        """Somebody is removed from the store."""
        self._removed.setdefault(name, []).append((mark, sight))

    def _left(self, name: str, scope: str) -> list[Told]:
        return [] if scope == own_scope(name) else self._removed.get(name, [])

    def take(self, detail: dict[str, Json], mark: int, sight: Sight, maker: str | None) -> str | None:
        """Take an entry in, of the scope's `maker` if it makes the scope; why not, where it has no sense."""
        scope, lists = detail.get("scope"), [_names(detail.get(part)) for part in ("add", "drop", "admins")]
        if not isinstance(scope, str) or name_problem("scope", scope, SCOPE) or None in lists:
            return "a scope without a name, or members without names"
        add, drop, admins = (names or [] for names in lists)
        self._made.setdefault(scope, mark)
        members, owners = self._members.setdefault(scope, _Claims()), self._admins.setdefault(scope, _Claims())
        for name in add:
            members.added.setdefault(name, []).append((mark, sight))
        for name in [*admins, *([maker] if maker else [])]:
            owners.added.setdefault(name, []).append((mark, sight))
        for name in drop:
            for claims in (members, owners):
                claims.dropped.setdefault(name, []).append((mark, sight))
        return None

    def scopes(self, standing: Container[str]) -> dict[str, Scope]:
        """The scopes in the end, with those of their members who are members of the store."""
        end = Sight(-1, 0)

        def held(scope: str, claims: _Claims) -> set[str]:
            return {name for name in claims.added if name in standing and claims.holds(name, end, self._left(name, scope))}

        found = sorted(self._members.items())
        return {name: Scope(name, held(name, claims), held(name, self._admins[name])) for name, claims in found}


def _names(value: Json) -> list[str] | None:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX:
        return None
    names = [name for name in value if isinstance(name, str)]
    return names if len(names) == len(value) else None
