"""Plaintext put into every place of a store, by somebody with git and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from gitmem.core.codec import emit, parse
from gitmem.core.collected import empty_list, list_of
from gitmem.core.dots import checked, dot_of, json_line
from gitmem.core.edit import Pen
from gitmem.core.record import State
from gitmem.core.token import epoch_of
from gitmem.git.objects import Content
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG, EVENTS, KEYS, MEMBERS, record_path
from tests.tamper.hands import Host

Files = Mapping[str, Content]
Injection = Callable[[Host, str], Files]
"""Makes the files of a commit that brings a secret in, from what the host has and the secret."""

BY_FORM: list[Injection] = []
"""Those that show in the form of a file, whoever signs for it."""
BY_SIGNATURE: list[Injection] = []
"""Those that no member signed for, and that look like what a member might write."""


def _form(injection: Injection) -> Injection:
    BY_FORM.append(injection)
    return injection


def _signature(injection: Injection) -> Injection:
    BY_SIGNATURE.append(injection)
    return injection


def _word(secret: str) -> str:
    """The secret as a name might spell it."""
    return "".join(c for c in secret.lower() if c.isascii() and c.isalnum()) or "secret"


@_form
def value_of_a_field(host: Host, secret: str) -> Files:
    """In place of a sealed value."""
    path, state = host.pick()
    name, register = host.rng.choice(sorted(state.fields.items()))
    dot = str(dot_of(next(iter(register))))
    state.fields[name] = {checked(f"fields/{name}", dot, secret): secret}
    return {path: emit(state)}


@_form
def value_beside_others(host: Host, secret: str) -> Files:
    """As a write of its own."""
    path, state = host.pick()
    pen = Pen(state, "evil0000-1")
    pen.set(host.rng.choice(sorted(state.fields)), lambda _path, _dot: [secret, {"deep": secret}])
    return {path: emit(pen.state)}


@_form
def element_of_a_set(host: Host, secret: str) -> Files:
    """As a tag."""
    path, state = host.pick()
    pen = Pen(state, "evil0000-1")
    pen.add("tags", "e" + "a" * 25, lambda _path, _dot: secret)
    return {path: emit(pen.state)}


@_form
def key_of_an_element(host: Host, secret: str) -> Files:
    """As the key of a tag whose value is sealed."""
    path, state = host.pick()
    tags = state.sets["tags"]
    tags["e" + "".join(c for c in _word(secret) if c in "abcdefghijklmnopqrstuvwxyz234567")[:20]] = tags.pop(min(tags))
    return {path: emit(state)}


@_form
def name_of_a_field(host: Host, secret: str) -> Files:
    """As the name of a field whose value is sealed."""
    path, state = host.pick()
    state.fields["x" + _word(secret)[:60]] = state.fields.pop(min(state.fields))
    return {path: emit(state)}


@_form
def id_of_a_record(host: Host, secret: str) -> Files:
    """As the id, and so the name of the file."""
    _, state = host.pick()
    state.id = f"{state.id[0]}-x{_word(secret)[:24]}"
    return {record_path(state.scope, state.kind, state.id): emit(state)}


@_form
def record_in_the_clear(host: Host, secret: str) -> Files:
    """A record as a plain store would hold it."""
    pen = Pen(State("note", 1, "team", "n-" + "a" * 26), "evil0000-1")
    pen.set("text", lambda _path, _dot: secret)
    pen.live()
    return {record_path("team", "note", pen.state.id): emit(pen.state)}


@_form
def token_that_seals_nothing(host: Host, secret: str) -> Files:
    """Spelled like a sealed value."""
    path, state = host.pick()
    name, register = host.rng.choice(sorted(state.fields.items()))
    dot, token = next(iter(register.items()))
    state.fields[name] = {str(dot_of(dot)): f"ENC[{epoch_of(str(token))},{_word(secret)[:50]}]"}
    return {path: emit(state)}


@_form
def token_of_no_epoch(host: Host, secret: str) -> Files:
    """Spelled like a sealed value of an epoch that never was."""
    path, state = host.pick()
    name, register = host.rng.choice(sorted(state.fields.items()))
    state.fields[name] = {str(dot_of(min(register))): f"ENC[1-00000000,{_word(secret):A<80}]"}
    return {path: emit(state)}


@_form
def text_in_place_of_a_record(host: Host, secret: str) -> Files:
    """No record at all."""
    path, state = host.pick()
    where = host.rng.choice([path, record_path("team", "note", "n-" + "b" * 26), f"{path}.kept-0123456789ab"])
    return {where: host.rng.choice([secret.encode(), emit(state) + secret.encode() + b"\n", f"# {secret}\n".encode()])}


@_form
def record_of_a_newer_format(host: Host, secret: str) -> Files:
    """What only a newer gitmem claims to read."""
    path, _ = host.pick()
    return {path: f"gitmem: 2\ntext: {json.dumps(secret)}\n".encode()}


@_form
def file_where_none_belongs(host: Host, secret: str) -> Files:
    """A file of its own in the store's places."""
    places = (
        "memory/notes.md",
        "memory/team/x/y.yaml",
        "log/notes",
        f"{EVENTS}/notes.yaml",
        ".gitmem/notes.txt",
        f"{KEYS}/x",
        f"{MEMBERS}/x",
    )
    return {host.rng.choice(places): secret.encode()}


@_form
def name_of_a_file(host: Host, secret: str) -> Files:
    """In a path of the store's places."""
    folder = host.rng.choice(["memory", "log/audit", "log/events", ".gitmem", ".gitmem/members"])
    return {f"{folder}/{_word(secret)[:100]}": b"x"}


@_form
def line_of_a_segment(host: Host, secret: str) -> Files:
    """Among the lines of the log."""
    segment = host.chain()[-1]
    return {segment.path: segment.body + json_line({"note": secret}).encode() + b"\n" + segment.data[len(segment.body) :]}


@_form
def detail_of_an_entry(host: Host, secret: str) -> Files:
    """In what an entry says of a change."""
    segment = host.chain()[-1]
    entry = json.loads(segment.body.splitlines()[-1])
    entry["detail"]["note"] = f"it is {secret}"
    lines = [*segment.body.splitlines()[:-1], json_line(entry).encode(), segment.data.splitlines()[-1]]
    return {segment.path: b"\n".join(lines) + b"\n"}


@_form
def payload_of_events(host: Host, secret: str) -> Files:
    """In place of the sealed events."""
    path = host.rng.choice(sorted(host.files(EVENTS)))
    head, _, _ = host.read(path).partition(b"payload: ")
    return {path: head + b"payload: " + _word(secret).encode() + b"\n"}


@_form
def header_of_events(host: Host, secret: str) -> Files:
    """In a line of its own above them."""
    path = host.rng.choice(sorted(host.files(EVENTS)))
    return {path: host.read(path).replace(b"count: ", f"note: {_word(secret)}\ncount: ".encode())}


@_form
def key_file(host: Host, secret: str) -> Files:
    """In place of a key."""
    path = host.rng.choice(sorted(host.files(KEYS)))
    return {
        path: host.rng.choice([secret.encode(), b"age-encryption.org/v1\n" + secret.encode(), host.read(path) + b"x" * 5000])
    }


@_form
def value_of_a_member(host: Host, secret: str) -> Files:
    """In the file of a member, which stands in the clear."""
    path = host.rng.choice(sorted(host.files(MEMBERS)))
    pen = Pen(parse(host.read(path), path), "evil0000-1")
    pen.add(host.rng.choice(["recipients", "keys", "notes"]), "e" + "a" * 25, lambda _path, _dot: f"it is {secret}")
    return {path: emit(pen.state)}


@_form
def grave_of_a_record(host: Host, secret: str) -> Files:
    """In a list of collected records."""
    path, state = host.pick()
    graves = list_of(path)
    pen = Pen(empty_list(graves), "evil0000-1")
    pen.add("ids", "e" + "a" * 25, lambda _path, _dot: host.rng.choice([secret, emit(state).decode()]))
    return {graves: emit(pen.state)}


@_signature
def setting(host: Host, secret: str) -> Files:
    """In the configuration, which stands in the clear."""
    pen = Pen(parse(host.read(CONFIG), CONFIG), "evil0000-1")
    pen.set("note", lambda _path, _dot: secret)
    return {CONFIG: emit(pen.state)}


@_signature
def store_made_plain_first(host: Host, secret: str) -> Files:
    """In a record, with a configuration that says that this is allowed."""
    pen = Pen(parse(host.read(CONFIG), CONFIG), "evil0000-1")
    pen.set("encryption", lambda _path, _dot: "plain")
    return {CONFIG: emit(pen.state), **record_in_the_clear(host, secret)}


@_signature
def comment_in_the_attributes(host: Host, secret: str) -> Files:
    """In the one file at the top."""
    return {ATTRIBUTES: host.read(ATTRIBUTES) + f"# {secret!r}\n".encode()}


@_signature
def counter(host: Host, secret: str) -> Files:
    """As the name of a counter."""
    path, state = host.pick()
    state.counts["x" + _word(secret)[:60]] = {min(state.seen): 1}
    return {path: emit(state)}


@_signature
def member(host: Host, secret: str) -> Files:
    """As the name of a member."""
    name = "x" + _word(secret)[:50]
    return {f"{MEMBERS}/{name}.yaml": host.read(f"{MEMBERS}/bob.yaml").replace(b"m-bob", f"m-{name}".encode())}


@_signature
def schema(host: Host, secret: str) -> Files:
    """As the description of a kind."""
    kind = {
        "type": "object", "additionalProperties": False, "description": secret,
        "properties": {"text": {"type": "string"}}, "x-gitmem": {"prefix": "x", "title": "text"},
    }  # fmt: skip
    return {".gitmem/schemas/mine/1.json": json.dumps(kind).encode()}


@_signature
def whole_chain(host: Host, secret: str) -> Files:
    """As the name of a writer: a genuine segment in a chain of that name."""
    writer = f"{_word(secret)[:16]}-1"
    return {f"{AUDIT}/{writer}/000/000001.jsonl": host.chain()[0].data}
