"""Well-formed record states, made the way replicas make them: by writes, merges, deletions, hand edits and resets.

`World` plays a list of small numbers as a history of three replicas of one record. Beside each state it keeps what that replica
has heard of, as a set of events that knows nothing of dots being seen or dropped, so that a test can hold the state against
the history (`expected`) instead of against the code that made it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from hypothesis import strategies as st

from gitmem.core.dots import Dot, dot_of, json_line, key_for, spell
from gitmem.core.edit import Pen, Seal, counted
from gitmem.core.merge import merge, normalise
from gitmem.core.record import Json, Register, State
from gitmem.core.token import epoch_of, epoch_order, is_token

FIELDS = ("fix", "problem.message", "x-from-a-newer-schema")
SETS = ("tags", "commands")
ELEMENTS = ("eaaaaaaa", "ebbbbbbb", "ecccccc2")
COUNTERS = ("matched", "fixed", "x-from-a-newer-gitmem")
TIMES = ("matched", "used", "x-from-a-newer-gitmem")
EPOCHS = ("1-9f3a1c07", "2-00000001", "2-ffffffff", "10-00000000", "11-00000000", "11-00000001", "12-9f3a1c07")
REPLICAS = ("k3v9q2xa", "m7d4ttzz", "aaaaaaaa")
SECRETS: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"fix", "tags"}),
    frozenset((*FIELDS, *SETS)),
)  # a plain store, a mixed record, an encrypted one
VALUES: tuple[Json, ...] = ("one", "two", "three", 4, [5, "five"], {"six": None}, True, 1, 1.0, "")

Event = tuple[Any, ...]  # what happened and its particulars
Step = tuple[str, int, int, int]


@dataclass
class Replica:
    """One clone: its state of the record, the events it knows, and what it has been before."""

    name: str
    state: State
    known: frozenset[Event] = frozenset()
    incarnation: int = 1
    epoch: int = 0
    past: list[tuple[State, frozenset[Event]]] = field(default_factory=list)

    @property
    def writer(self) -> str:
        """The replica's current writing identity."""
        return f"{self.name}-{self.incarnation}"


class World:
    """Three replicas of one record. `stamp`: hand edits go through the hook; `forks`: a reset does not rotate the writer."""

    def __init__(
        self, values: Sequence[Json] = VALUES, secret: frozenset[str] = SECRETS[0], stamp: bool = True, forks: bool = False
    ) -> None:
        self.values, self.secret, self.stamp, self.forks = values, secret, stamp, forks
        self.replicas = [Replica(name, new_state()) for name in REPLICAS]
        self.fragments: list[tuple[State, frozenset[Event]]] = []
        self._tokens = 0
        self.play([("set", 0, 0, 0), ("add", 0, 0, 0), ("pull", 1, 0, 0), ("pull", 2, 0, 0)])

    @property
    def states(self) -> list[State]:
        """The state of each replica."""
        return [replica.state for replica in self.replicas]

    @property
    def all_states(self) -> list[State]:
        """Every state any replica has ever been in, counter fragments included."""
        past = [state for replica in self.replicas for state, _ in replica.past]
        return past + self.states + [fragment for fragment, _ in self.fragments]

    def play(self, steps: Iterable[Step]) -> World:
        """Run a history."""
        for op, who, a, b in steps:
            replica = self.replicas[who]
            replica.past.append((replica.state, replica.known))
            getattr(self, f"_{op}")(replica, a, b)
        return self

    def _set(self, replica: Replica, a: int, b: int) -> None:
        name = FIELDS[a % len(FIELDS)]
        self._edit(replica, lambda pen: pen.set(name, self._seal(replica, self.values[b % len(self.values)])))

    def _unset(self, replica: Replica, a: int, b: int) -> None:
        name = FIELDS[a % len(FIELDS)]
        self._edit(replica, lambda pen: pen.unset(name))

    def _add(self, replica: Replica, a: int, b: int) -> None:
        name, key = SETS[a % len(SETS)], ELEMENTS[b % len(ELEMENTS)]
        self._edit(replica, lambda pen: pen.add(name, key, self._seal(replica, f"element {key}")))

    def _drop(self, replica: Replica, a: int, b: int) -> None:
        name, key = SETS[a % len(SETS)], ELEMENTS[b % len(ELEMENTS)]
        self._edit(replica, lambda pen: pen.drop(name, key))

    def _forget(self, replica: Replica, a: int, b: int) -> None:
        pen = Pen(replica.state, replica.writer)
        pen.die()
        self._take(replica, pen.state)

    def _edit(self, replica: Replica, change: Callable[[Pen], None]) -> None:
        pen = Pen(replica.state, replica.writer)
        change(pen)
        pen.live()
        self._take(replica, pen.state)

    def _count(self, replica: Replica, a: int, b: int) -> None:
        pen, name = Pen(replica.state, replica.writer), COUNTERS[a % len(COUNTERS)]
        pen.count(name, b + 1)
        pen.touch(TIMES[a % len(TIMES)], _time(b))
        replica.known |= self._counted(replica, name, b + 1) | {("last", TIMES[a % len(TIMES)], _time(b))}
        replica.state = pen.state

    def _used(self, replica: Replica, a: int, b: int) -> None:
        name = COUNTERS[a % len(COUNTERS)]
        fragment = counted(replica.state, replica.writer, {name: b + 1}, {TIMES[a % len(TIMES)]: _time(b)})
        replica.known |= self._counted(replica, name, b + 1) | {("last", TIMES[a % len(TIMES)], _time(b))}
        told = frozenset(e for e in replica.known if e[:3] == ("count", name, replica.writer))
        schema = frozenset(e for e in replica.known if e[0] == "schema")
        self.fragments.append((fragment, told | schema | {("last", TIMES[a % len(TIMES)], _time(b))}))
        replica.state = merge(replica.state, fragment)

    def _replay(self, replica: Replica, a: int, b: int) -> None:
        for fragment, told in self.fragments[a % 3 :: 3]:
            replica.state = merge(replica.state, fragment) if b % 2 else merge(fragment, replica.state)
            replica.known |= told

    def _pull(self, replica: Replica, a: int, b: int) -> None:
        other = self.replicas[a % len(self.replicas)]
        replica.state = merge(replica.state, other.state) if b % 2 else merge(other.state, replica.state)
        replica.known |= other.known

    def _upgrade(self, replica: Replica, a: int, b: int) -> None:
        replica.state = replica.state.copy()
        replica.state.schema = max(replica.state.schema, a % 4 + 1)
        replica.known |= {("schema", replica.state.schema)}

    def _rewrite(self, replica: Replica, a: int, b: int) -> None:
        """An editor changes a value in the clear and leaves everything else of the file alone."""
        state, value = replica.state.copy(), self.values[b % len(self.values)]
        clear = sorted((path, key) for path, register in state.registers() for key in register if not is_token(register[key]))
        if clear:
            path, key = clear[-1 - a % len(clear) if b % 2 else a % len(clear)]  # fields come first, elements of sets last
            dict(state.registers())[path][key] = value
            self._take(replica, normalise(state) if self.stamp else state)

    def _reencrypt(self, replica: Replica, a: int, b: int) -> None:
        """Values of an older epoch are sealed again under their dots, as after a member's removal; often by two at once."""
        several = [replica, self.replicas[b % len(self.replicas)]] if b % 2 else [replica]
        epoch = min(max(one.epoch for one in several) + a % 3, len(EPOCHS) - 1)
        for one in several:
            self._seal_again(one, epoch)

    def _seal_again(self, replica: Replica, number: int) -> None:
        state, epoch = replica.state.copy(), EPOCHS[number]
        for path, register in state.registers():
            by_dot: dict[Dot, list[Json]] = {}
            for key, value in register.items():
                older = is_token(value) and epoch_order(epoch_of(str(value))) < epoch_order(epoch)
                by_dot.setdefault(dot_of(key), []).append(self._token(epoch) if older else value)
            if any(is_token(value) for value in register.values()):
                again = [spell(path, dot, values) for dot, values in by_dot.items()]
                _replace(register, {key: value for entries in again for key, value in entries.items()})
        replica.epoch = number
        self._take(replica, state)

    def _rotate(self, replica: Replica, a: int, b: int) -> None:
        replica.incarnation += 1

    def _reset(self, replica: Replica, a: int, b: int) -> None:
        """The work tree goes back in time, as with `git reset --hard`."""
        replica.state, replica.known = replica.past[-1 - a % len(replica.past)]
        replica.incarnation += not self.forks

    def _copy(self, replica: Replica, a: int, b: int) -> None:
        """Somebody copies a git directory to another place, and both places write under one name."""
        if self.forks:
            other = self._become(replica, a)
            self._set(other, b, a)
            self._set(replica, b, a + 1)
            self._forget(other if b % 2 else replica, a, b)
            self._set(replica if b % 2 else other, b + b % 3, a)

    def _dispute(self, replica: Replica, a: int, b: int) -> None:
        """As a copy, and one dot says alive in one place and dead in the other."""
        if self.forks:
            other = self._become(replica, a)
            self._forget(other, a, b)
            self._edit(replica, lambda _: None)

    def _become(self, replica: Replica, a: int) -> Replica:
        other = self.replicas[a % len(self.replicas)]
        replica.name, replica.incarnation = other.name, other.incarnation
        replica.state, replica.known = other.state, other.known
        return other

    def _seal(self, replica: Replica, value: Json) -> Seal:
        def seal(path: str, dot: str) -> Json:
            return self._token(EPOCHS[replica.epoch]) if path.split("/")[1] in self.secret else value

        return seal

    def _token(self, epoch: str) -> str:
        self._tokens += 1
        return f"ENC[{epoch},{urlsafe_b64encode(sha256(str(self._tokens).encode()).digest()[:9]).decode()}]"

    def _counted(self, replica: Replica, name: str, by: int) -> frozenset[Event]:
        sequence = sum(1 for event in replica.known if event[:3] == ("count", name, replica.writer))
        return frozenset({("count", name, replica.writer, sequence, by)})

    def _take(self, replica: Replica, after: State) -> None:
        """Take over a state in which the replica itself wrote, and note what it wrote and what that replaced."""
        before, now = set(_values(replica.state)), set(_values(after))
        gone = {(path, dot) for path, dot, _ in before} - {(path, dot) for path, dot, _ in now}
        written = {("value", *entry) for entry in now - before}
        replica.known |= written | {("gone", *place) for place in gone}
        replica.state = after


def new_state() -> State:
    """A record without any write."""
    return State("pattern", 1, "team", "p-3k7q5w2m")


def held(state: State) -> dict[str, object]:
    """What a state holds, in the shape of `expected`."""
    registers: dict[tuple[str, str], set[str]] = {}
    for path, dot, text in _values(state):
        registers.setdefault((path, dot), set()).add(text)
    counts = {(name, writer): n for name, by_writer in state.counts.items() for writer, n in by_writer.items()}
    return {"values": registers, "counts": counts, "last": state.last, "schema": state.schema}


def expected(known: frozenset[Event]) -> dict[str, object]:
    """What a replica that knows these events must hold: every value nobody replaced, every count once, the latest times."""
    gone = {event[1:] for event in known if event[0] == "gone"}
    registers: dict[tuple[str, str], set[str]] = {}
    for kind, *rest in known:
        if kind == "value" and tuple(rest[:2]) not in gone:
            registers.setdefault((rest[0], rest[1]), set()).add(rest[2])
    counts: dict[tuple[str, str], int] = {}
    for event in known:
        if event[0] == "count":
            counts[event[1], event[2]] = counts.get((event[1], event[2]), 0) + event[4]
    last = {name: max(e[2] for e in known if e[:2] == ("last", name)) for name in (e[1] for e in known if e[0] == "last")}
    schema = max([1, *(event[1] for event in known if event[0] == "schema")])
    return {
        "values": {place: _newest(texts) for place, texts in registers.items()},
        "counts": counts,
        "last": last,
        "schema": schema,
    }


def _newest(texts: set[str]) -> set[str]:
    """A value that was sealed again stands for what it was sealed from."""
    orders = {text: epoch_order(epoch_of(text.strip('"'))) for text in texts}
    return {text for text in texts if orders[text] == max(orders.values())}


def _values(state: State) -> Iterable[tuple[str, str, str]]:
    for path, register in [*state.registers(), ("life", state.life)]:
        for key, value in register.items():
            yield path, str(dot_of(key)), json_line(value)


def _replace(register: Register, entries: Register) -> None:
    register.clear()
    register.update(entries)


def _time(n: int) -> str:
    return f"2026-11-20T10:00:{n:02}Z"


OPERATIONS = {
    "pull": 5,  # first, because examples shrink to it: a replica that pulls from itself does nothing
    "set": 6,
    "unset": 1,
    "add": 2,
    "drop": 2,
    "forget": 2,
    "count": 2,
    "used": 2,
    "replay": 1,
    "upgrade": 1,
    "rewrite": 3,
    "reencrypt": 4,
    "rotate": 1,
    "reset": 1,
    "copy": 3,
    "dispute": 4,
}
_WEIGHTED = [op for op, weight in OPERATIONS.items() for _ in range(weight)]


def random_steps(random: Random, count: int, who: Sequence[int], without: frozenset[str] = frozenset()) -> list[Step]:
    """A history of `count` steps of some replicas."""
    allowed = [op for op in _WEIGHTED if op not in without]
    return [(random.choice(allowed), random.choice(who), random.randrange(10), random.randrange(10)) for _ in range(count)]


def json_values() -> st.SearchStrategy[Json]:
    """JSON values, with the characters that text formats trip over."""
    awkward = st.sampled_from(
        ["\x00\x7f\x85\u2028\u2029\ufeff\ufffe\uffff", " # no comment", "- a", "\\\"'\t\n\r", "ENC[", "~", "😀"]
    )
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | awkward
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
        max_leaves=5,
    )


def steps() -> st.SearchStrategy[list[Step]]:
    """Histories of three replicas, long enough for concurrent writes to meet: half shrink well, half are more varied."""
    small = st.integers(0, 9)
    listed = st.lists(st.tuples(st.sampled_from(_WEIGHTED), st.integers(0, 2), small, small), min_size=15, max_size=60)
    return listed | st.integers(0, 1 << 32).map(lambda seed: random_steps(Random(seed), 45, (0, 1, 2)))


@st.composite
def worlds(draw: st.DrawFn, /, stamp: bool = True, forks: bool = False, values: Sequence[Json] = VALUES) -> World:
    """Three replicas after a history."""
    return World(values, draw(st.sampled_from(SECRETS)), stamp, forks).play(draw(steps()))


@st.composite
def states(draw: st.DrawFn, /, stamp: bool = True, forks: bool = False, values: Sequence[Json] = VALUES) -> State:
    """One state that some history led to."""
    return draw(st.sampled_from(draw(worlds(stamp, forks, values)).all_states))


@st.composite
def rich_states(draw: st.DrawFn, /) -> State:
    """One state with values of every shape."""
    return draw(states(stamp=False, forks=True, values=draw(st.lists(json_values(), min_size=3, max_size=8))))


@st.composite
def three_states(draw: st.DrawFn, /, stamp: bool = True, forks: bool = False) -> tuple[State, State, State]:
    """Three states of one record: of the same replica or others, of now or of before, fragments of counters among them."""
    world = draw(worlds(stamp, forks))
    late = [state for replica in world.replicas for state, _ in replica.past[-5:]] + world.states
    fragments = [fragment for fragment, _ in world.fragments] or late
    found = st.sampled_from(late) | st.sampled_from(late) | st.sampled_from(world.all_states) | st.sampled_from(fragments)
    return draw(found), draw(found), draw(found)


def plain(**fields: Json) -> State:
    """A small state in the clear in which writer `a-1` wrote each field in turn."""
    state = new_state()
    for n, (name, value) in enumerate(fields.items(), 1):
        state.fields[name] = {key_for(f"fields/{name}", f"a-1.{n}", value): value}
    state.seen = {"a-1": len(fields)} if fields else {}
    return state
