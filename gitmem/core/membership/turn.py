"""One way through all entries about members, in an order that follows what they have seen: which of them count, and why not.

`core.membership.fold` says which rules decide, and goes through the entries again until nothing more is to be struck out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gitmem.core.auditing.audit import ENROL, INIT, MEMBER, REMOVE, ROLE, ROTATE, SCOPE
from gitmem.core.auditing.causality import Sight, node_of
from gitmem.core.auditing.chain import Node
from gitmem.core.membership.members import RECOVERY, ROLES, Member, Members, Rank, Rotation, own_scope
from gitmem.core.membership.scoping import Scoping
from gitmem.core.membership.standing import TAKING, Op, Standing
from gitmem.core.record import Json
from gitmem.core.token import EPOCH

_MAX_KEYS: Final = 64
_ALL: Final = -1  # every bit


class Turn:
    """One way through all entries about members."""

    def __init__(self, struck: dict[int, str]) -> None:
        self.views: dict[Node, Sight] = {}
        self.own: dict[Node, int] = {}
        self.struck = struck
        self.members = Members()
        self.standing: dict[str, Standing] = {}
        self.seniority: dict[str, int] = {RECOVERY: -1}
        self.applied: list[Op] = []
        self._by_mark: dict[int, Op] = {}
        self.failed: list[tuple[Op, str]] = []
        self.scoping = Scoping()
        self.strict = 0  # the marks of entries after which only an admin lets others in

    def take(self, op: Op) -> None:
        """Apply an entry, or note why it does not count (empty: something else took it back, and nobody did wrong)."""
        if self.members.genesis == ("", 0):
            why = self._begin(op)
        elif op.mark in self.struck:
            why = self.struck[op.mark]
        else:
            why = self.why_not(op) or self._apply(op)
        self._by_mark[op.mark] = op
        if why is None:
            self.applied.append(op)
        else:
            self.failed.append((op, why))

    def rank_at(self, name: str, node: Node) -> Rank:
        """The rank with which somebody signs a segment: what it says itself of members counts from the next one on."""
        return self.rank(name, self.views[node])

    def owns_at(self, name: str, scope: str, node: Node) -> bool:
        """Whether somebody says who belongs to a scope where they sign a segment; that it makes the scope counts at once."""
        return self.scoping.is_admin(name, scope, self._with_own(node))

    def is_in_at(self, name: str, scope: str, node: Node) -> bool:
        """Whether somebody belongs to a scope where they sign a segment; that it lets them in counts at once."""
        return self.scoping.is_in(name, scope, self._with_own(node))

    def was_in_at(self, name: str, scope: str, node: Node) -> bool:
        """Whether somebody belongs to a scope by what a segment has seen, whoever took them out of it at the same time."""
        if name == RECOVERY or self.scoping.maker(scope) is None:
            return True
        before = self._with_own(node).before
        return self.scoping.is_in(name, scope, Sight(before, ~before))

    def _with_own(self, node: Node) -> Sight:
        view = self.views[node]
        return Sight(view.before | self.own.get(node, 0), view.after)

    def rank(self, name: str, sight: Sight) -> Rank:
        """The rank of a name at a place."""
        return self.standing.get(name, Standing()).rank(sight)

    def is_strict(self, sight: Sight) -> bool:
        """Whether at a place only admins let others in: in a new store always, in an old one once it uses roles."""
        return self.members.policy > 1 or bool(sight.before & self.strict)

    def signer(self, op: Op) -> str:
        """Who signed it, by name."""
        return self.members.holders.get(op.segment.key, "")

    def rivals(self) -> Iterator[tuple[Op, Op]]:
        """Entries that do not count and take rights away from a junior, with what that junior signed at the same time."""
        for op, _ in self.failed:
            for other in self.applied if op.entry.op in TAKING and op.mark not in self.struck else ():
                if self._takes(op, self.signer(other)) and op.concurrent(other) and self._age(op) < self._age(other):
                    yield op, other

    def late(self) -> dict[int, str]:
        """Entries that count no more, now that all is known which was said beside them.

        What another such entry alone speaks against waits for that one to go first; in a circle of them the junior goes.
        """
        found = {op.mark: (why, causes) for op in self.applied for why, causes in self._overtaken(op)}
        firm = {mark: why for mark, (why, causes) in found.items() if not causes or any(x.mark not in found for x in causes)}
        if firm or not found:
            return firm
        last = max(found, key=lambda mark: (self._age(self._by_mark[mark]), mark))
        return {last: found[last][0]}

    def _overtaken(self, op: Op) -> Iterator[tuple[str, list[Op]]]:
        """Why an entry counts no more, and which others are the reason."""
        name, target = self.signer(op), op.text("member")
        beside = [other for other in self.applied if op.concurrent(other)]
        if op.entry.op != INIT and self.rank(name, op.sight) < self._needed(op):
            why = f"{name} was removed or lowered by somebody who had not seen this"
            yield why, [other for other in beside if self._takes(other, name)]
        elif op.entry.op in (ENROL, ROLE) and (by := [x for x in beside if self._removes(x, target)]):
            yield "", by

    def result(self) -> Members:
        """The members after all entries."""
        for name, member in self.members.by_name.items():
            member.rank = self.rank(name, Sight(_ALL, 0))
        self.members.strict = self.is_strict(Sight(_ALL, 0))
        self.members.scopes = self.scoping.scopes(self.members.by_name)
        return self.members

    def _begin(self, op: Op) -> str | None:
        """Take the first member from the `init` entry, which stands in the first segment of its writer."""
        if op.entry.op != INIT or op.segment.number != 1:
            return "the store had not begun"
        entry, detail = op.entry, op.entry.detail
        self.members.genesis = (op.segment.path, op.line)
        name, recipient, key, store = (detail.get(part) for part in ("member", "recipient", "key", "store"))
        if (name, key, store) != (entry.subject, op.segment.key, entry.store) or not isinstance(recipient, str):
            return "the entry that begins the store does not speak of the one who signed it"
        self.members.store = entry.store
        self.members.policy = policy if isinstance(policy := detail.get("policy"), int) else 1
        self._enter(op, entry.subject, {recipient}, {op.segment.key}, Rank.ADMIN)
        self._begin_recovery(op, _words(detail.get("recovery")))
        return None

    def _begin_recovery(self, op: Op, words: list[str] | None) -> None:
        """Take the recovery identity, whose recipient and key the founder named."""
        if words is not None and len(words) == 2:
            recipient, key = words
            self.members.recovery = Member(RECOVERY, {recipient}, {key}, Rank.ADMIN, op.entry.subject)
            self.members.holders.setdefault(key, RECOVERY)
            self.standing[RECOVERY] = Standing([(op, Rank.ADMIN)])

    def _needed(self, op: Op) -> Rank:
        """The rank that an entry about members takes."""
        name, target = self.signer(op), op.text("member")
        if op.entry.op == ENROL:
            own = name == target and self._knows(op, name)
            return Rank.READER if own else Rank.ADMIN if self.is_strict(op.sight) else Rank.MEMBER
        if op.entry.op in (SCOPE, ROTATE):
            scope = op.text("scope")
            owns = self.scoping.is_admin(name, scope, op.sight) or (op.entry.op == SCOPE and self._makes(op, name, scope))
            return (Rank.SERVICE if scope == own_scope(name) else Rank.MEMBER) if owns else Rank.ADMIN
        return Rank.READER if op.entry.op == REMOVE and name == target else Rank.ADMIN

    def _makes(self, op: Op, name: str, scope: str) -> bool:
        """Whether an entry makes a scope; two clones of one member may do so at the same time."""
        made = self.scoping.maker(scope)
        return made in (None, op.mark) or (op.concurrent(self._by_mark[made]) and self.signer(self._by_mark[made]) == name)

    def why_not(self, op: Op) -> str | None:
        """Why an entry does not count, as far as its signer's rights and its form go."""
        if op.entry.op == INIT:
            return None if (op.segment.path, op.line) == self.members.genesis else "a second beginning of the store"
        name = self.signer(op)
        standing = self.standing.get(name, Standing())
        if min(standing.granted(op.sight), standing.rank(op.sight)) < self._needed(op):
            return f"{name or 'an unknown signer'} had no right to it"
        return None

    def _apply(self, op: Op) -> str | None:
        """Apply an entry by somebody with the right to it; why not, where it makes no sense."""
        act = {ENROL: self._enrol, ROLE: self._role, REMOVE: self._remove, ROTATE: self._rotate, SCOPE: self._scope}
        why = act[op.entry.op](op)
        if why is None and op.entry.op != ENROL:
            self.strict |= 1 << op.mark
        return why

    def _knows(self, op: Op, name: str) -> bool:
        """Whether a name stands for a member at the place of an entry."""
        return self.standing.get(name, Standing()).granted(op.sight) is not Rank.NONE

    def _enrol(self, op: Op) -> str | None:
        detail, name = op.entry.detail, op.text("member")
        recipients, keys = _words(detail.get("recipients")), _words(detail.get("keys"))
        if not MEMBER.fullmatch(name) or name == RECOVERY or recipients is None or keys is None:
            return "an enrolment without member, recipients or keys"
        if taken := next((holder for key in keys if (holder := self.members.holder(key)) not in (None, name)), None):
            return f"gives {name} a key of {taken}"
        role = detail.get("role")
        rank = ROLES.get(role) if isinstance(role, str) else Rank.MEMBER
        if rank is None:
            return f"enrols {name} as {str(role)[:40]!r}, which is no role"
        self._enter(op, name, set(recipients), set(keys), None if self._knows(op, name) else rank)
        return None

    def _enter(self, op: Op, name: str, recipients: set[str], keys: set[str], rank: Rank | None) -> None:
        self.seniority.setdefault(name, op.mark)
        member = self.members.by_name.setdefault(name, Member(name, enrolled_by=self.signer(op) or name))
        self.members.removed.pop(name, None)
        member.recipients |= recipients
        member.keys |= keys
        self.members.holders |= dict.fromkeys(keys, name)
        if rank is not None:
            self.standing.setdefault(name, Standing()).ranks.append((op, rank))

    def _role(self, op: Op) -> str | None:
        name, rank = op.text("member"), ROLES.get(op.text("role"))
        if rank is None or not self._knows(op, name):
            return f"gives {name[:63] or 'nobody'} a role that there is not"
        return self._rerank(op, name, rank)

    def _remove(self, op: Op) -> str | None:
        name = op.text("member")
        if name not in self.standing or name == RECOVERY:  # who was removed before is removed once more
            return f"removes {name[:63] or 'nobody'}, who is no member"
        if why := self._rerank(op, name, Rank.NONE):
            return why
        if (member := self.members.by_name.pop(name, None)) is not None:
            self.members.removed[name] = member
        self.scoping.leave(name, op.mark, op.sight)
        return None

    def _rerank(self, op: Op, name: str, rank: Rank) -> str | None:
        ranks = self.standing[name].ranks
        ranks.append((op, rank))
        if any(self.rank(admin, Sight(_ALL, 0)) >= Rank.ADMIN for admin in self.members.by_name):
            return None
        ranks.pop()
        return f"{name} is the last admin"

    def _rotate(self, op: Op) -> str | None:
        scope, epoch, commitment = (op.text(part) for part in ("scope", "epoch", "commitment"))
        if not EPOCH.fullmatch(epoch) or epoch.partition("-")[2] != commitment[:8] or len(commitment) != 64:
            return "an epoch that is none"
        self.members.rotations.append(Rotation(scope, epoch, commitment, self.signer(op), node_of(op.segment)))
        return None

    def _scope(self, op: Op) -> str | None:
        name = self.signer(op)
        maker = name if self._makes(op, name, op.text("scope")) else None
        return self.scoping.take(op.entry.detail, op.mark, op.sight, maker)

    def _removes(self, op: Op, name: str) -> bool:
        return op.entry.op == REMOVE and op.text("member") == name

    def _takes(self, op: Op, name: str) -> bool:
        """Whether an entry takes rights away from somebody."""
        lowers = op.entry.op == ROLE and ROLES.get(op.text("role"), Rank.NONE) < Rank.ADMIN
        return op.text("member") == name != "" and (lowers or op.entry.op == REMOVE)

    def _age(self, op: Op) -> int:
        """How late its signer came to the store."""
        return self.seniority.get(self.signer(op), 1 << 60)


def _words(value: Json) -> list[str] | None:
    """A list of different words, None for anything else."""
    if not isinstance(value, list) or len(value) > _MAX_KEYS:
        return None
    words = [word for word in value if isinstance(word, str)]
    return words if len(set(words)) == len(value) else None
