"""What a file of the store must look like without a key: canonical, in its place, nothing secret in the clear.

Whether a sealed value holds what it should does not show. Whoever signed for it answers for that, and the audit log says who.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from gitmem.core.auditing.parse import parse_segment
from gitmem.core.codec import parse
from gitmem.core.collected import is_list_path
from gitmem.core.kinds.schema import Kind
from gitmem.core.record import KIND, SCOPE, WRITER, Json, State
from gitmem.core.token import EPOCH, epoch_of, is_token
from gitmem.crypto.keys import check_recipient
from gitmem.crypto.signing import fingerprint
from gitmem.crypto.values import could_be_sealed
from gitmem.errors import GitmemError, InvalidRecord
from gitmem.git.attributes import with_own_lines
from gitmem.memory.members.roster import NAME
from gitmem.memory.soundness import is_newer, kept_of, sound_state
from gitmem.store.kinds import MAX_SCHEMA_BYTES, parse_schema
from gitmem.store.layout import ATTRIBUTES, AUDIT, CONFIG, EVENTS, KEYS, MEMBERS, SCHEMAS, is_record_path

_ID: Final = re.compile(r"[a-z]-[a-z0-9]{26}")
_ELEMENT: Final = re.compile(r"e[a-z2-7]{25}")
_WORD: Final = re.compile(r"\S{0,128}|(?:ssh-[a-z0-9-]+ \S{1,2000})|age1\S+")
_COMMIT: Final = r'"[0-9a-f]{40}(?:[0-9a-f]{24})?"'
_SETTING: Final = (
    r"(?:[a-z_]+(?:\.[a-z0-9_-]+)+ (?:[a-z]{1,9}|\d{1,9})|[a-z]{1,9} (?:keep|replace))"  # `prune.unused_days 30`, `email keep`
)
_SETTINGS: Final = re.compile(rf"{_SETTING}(?:, {_SETTING})*")
_NOTICE: Final = re.compile(  # that history was rewritten: see `rewritten`
    rf'{{"commits":[0-9]{{1,9}},"first":\[{_COMMIT}(?:,{_COMMIT})*\],"map":"[0-9a-f]{{64}}","new":{_COMMIT},"old":{_COMMIT}}}'
)
_KEY: Final = re.compile(rf"{KEYS}/({SCOPE.pattern})/({EPOCH.pattern})/(?:{NAME.pattern}\.age|{EPOCH.pattern}\.link)")
_SCHEMA: Final = re.compile(rf"{SCHEMAS}/({KIND.pattern})(?:/([1-9][0-9]{{0,5}}))?\.json")
_BATCH: Final = re.compile(
    rf"{EVENTS}/({WRITER.pattern})/[0-9]{{4}}-[0-9]{{2}}/[0-9]{{6,}}(?:-[0-9]{{6,}}-[0-9a-f]{{8}})?\.yaml"
)
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_EVENTS: Final = re.compile(
    rf"gitmem: 1\nwriter: (\S+)\nscope: ({SCOPE.pattern})\nfrom: {_TIME}\nto: {_TIME}\ncount: [1-9][0-9]*\npayload: (\S+)\n"
)
_AGE: Final = re.compile(
    rb"age-encryption\.org/v1\n(?:-> [!-~ ]{1,200}\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+--- [A-Za-z0-9+/]{43}\n"
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SAID: Final = frozenset({"basis", "refused"})  # why something was erased or turned away: said in the clear on purpose
_MAX_KEY: Final = 1024  # bytes of what is behind the header of a key file


@dataclass(frozen=True, slots=True)
class Form:
    """What the form of files depends on: the store's id, whether values stand in the clear, its epochs by scope, its kinds."""

    store: str
    plain: bool
    epochs: Mapping[str, frozenset[str]]
    kinds: Mapping[str, Kind]


def flaw(form: Form, path: str, data: bytes) -> str | None:
    """Why a content may not lie at `path` in the store (None: it may)."""
    try:
        _check_of(path)(form, path, data)
    except GitmemError as error:
        return error.message.removeprefix(f"{path}: ")
    return None


def _check_of(path: str) -> Callable[[Form, str, bytes], None]:
    """What looks at the file at `path`; everything else is refused."""
    places: tuple[tuple[bool, Callable[[Form, str, bytes], None]], ...] = (
        (is_record_path(path) or kept_of(path) is not None, _check_record),
        (path == CONFIG, _check_config),
        (path.startswith(f"{MEMBERS}/"), _check_member),
        (is_list_path(path), _check_graves),
        (path.startswith(f"{KEYS}/"), _check_key),
        (path.startswith(f"{SCHEMAS}/"), _check_schema),
        (path.startswith(f"{AUDIT}/"), _check_segment),
        (path.startswith(f"{EVENTS}/"), _check_events),
        (path == ATTRIBUTES, _check_attributes),
    )
    return next((check for fits, check in places if fits), _refuse_unknown)


def _refuse(path: str, why: str, hint: str = "`gitmem audit verify` tells who signed for it") -> NoReturn:
    raise InvalidRecord(f"{path}: {why}", hint)


def _refuse_unknown(_form: Form, path: str, _data: bytes) -> None:
    _refuse(path, "no file of a store belongs there")


def _check_record(form: Form, path: str, data: bytes) -> None:
    if is_newer(data):
        _refuse(path, "its format is newer than this gitmem reads", "upgrade gitmem-store")
    state = sound_state(kept_of(path) or path, data)
    kind = form.kinds.get(state.kind)
    if kind is None or state.schema > kind.version:
        _refuse(path, f"kind {state.kind} in version {state.schema} is not known here", "upgrade gitmem-store")
    for name in (*state.fields, *state.sets):
        if name not in kind.fields:
            _refuse(path, f"{name[:80]!r} is no field of a {state.kind}")
    if not form.plain:
        _check_sealed(form, path, state)


def _check_sealed(form: Form, path: str, state: State) -> None:
    """Nothing in it can be words of somebody's: not the values, and not what names them."""
    if not _ID.fullmatch(state.id):
        _refuse(path, f"{state.id[:80]!r} is no id that gitmem makes")
    for name, elements in state.sets.items():
        if wrong := next((key for key in elements if not _ELEMENT.fullmatch(key)), None):
            _refuse(path, f"{wrong[:80]!r} in {name} is no key that gitmem makes")
    for at, register in state.registers():
        for value in register.values():
            _check_token(form, path, at, state.scope, value)


def _check_token(form: Form, path: str, at: str, scope: str, value: Json) -> None:
    if not isinstance(value, str) or not is_token(value):
        _refuse(path, f"{at} holds plaintext, and this store is sealed", "change what it gives away; then rewrite the commits")
    if epoch_of(value) not in form.epochs.get(scope, ()):
        _refuse(path, f"{at} is sealed in epoch {epoch_of(value)}, which scope {scope} never had")
    if not could_be_sealed(value):
        _refuse(path, f"{at} has the length of no sealed value")


def _check_config(form: Form, path: str, data: bytes) -> None:
    state = sound_state(path, data)
    if state.id != form.store:
        _refuse(path, f"it is that of the store {state.id[:80]}")


def _check_member(_form: Form, path: str, data: bytes) -> None:
    state = sound_state(path, data)
    for at, register in state.registers():
        for value in register.values():
            if isinstance(value, list | dict) or (isinstance(value, str) and not _WORD.fullmatch(value)):
                _refuse(path, f"{at} holds what is no word")
            if at.startswith("sets/recipients/"):
                check_recipient(str(value))
            if at.startswith("sets/keys/"):
                fingerprint(str(value))


def _check_graves(_form: Form, path: str, data: bytes) -> None:
    state = sound_state(path, data)
    if state.fields or state.sets.keys() - {"ids"}:
        _refuse(path, "a list of collected records holds nothing else")
    for register in state.sets.get("ids", {}).values():
        for value in register.values():
            grave = parse(str(value).encode("utf-8", "surrogatepass"), path)
            if grave.fields or grave.sets:
                _refuse(path, "the grave of a record holds values")


def _check_key(form: Form, path: str, data: bytes) -> None:
    header = _AGE.match(data)
    if not _KEY.fullmatch(path) or form.plain:
        _refuse(path, "no key belongs there")
    if header is None or not 0 < len(data) - header.end() <= _MAX_KEY:
        _refuse(path, "it is no key wrapped by age")


def _check_schema(_form: Form, path: str, data: bytes) -> None:
    match = _SCHEMA.fullmatch(path)
    if match is None or len(data) > MAX_SCHEMA_BYTES:
        _refuse(path, "no schema belongs there, or it is too large")
    Kind(match[1], int(match[2] or 1), parse_schema(data, path), path).compile()


def _check_segment(form: Form, path: str, data: bytes) -> None:
    segment = parse_segment(data, path)
    for line, entry in enumerate(segment.entries, 1):
        if entry.store != form.store:
            _refuse(path, f"line {line} is of the store {entry.store[:80]}")
        if not form.plain and (prose := _prose({name: part for name, part in entry.detail.items() if name not in _SAID})):
            _refuse(path, f"line {line} holds the words {prose[:80]!r} in the clear")


def _prose(value: Json) -> str | None:
    """A text in what an entry says that is no single word (a name, a hash, a time, a path), public key, setting or notice."""
    if isinstance(value, str):
        return None if any(form.fullmatch(value) for form in (_WORD, _SETTINGS, _NOTICE)) else value
    parts: list[Json] = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((found for part in parts if (found := _prose(part)) is not None), None)


def _check_events(form: Form, path: str, data: bytes) -> None:
    place = _BATCH.fullmatch(path)
    match = _EVENTS.fullmatch(data.decode("utf-8", "replace"))
    if place is None or match is None or match[1] != place[1]:
        _refuse(path, "it is no batch of events of that writer")
    if form.plain:
        if not _BASE64.fullmatch(match[3]):
            _refuse(path, "its payload is not base64")
        return
    _check_token(form, path, "payload", match[2], match[3])


def _check_attributes(_form: Form, path: str, data: bytes) -> None:
    if with_own_lines(data) != data:
        _refuse(path, "the store's own lines are not in it: git would merge its files line by line", "`gitmem doctor --fix`")
