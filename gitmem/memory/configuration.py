"""Settings by layers: the environment, the store, the user's own file, and what holds without any of them.

What the store redacts is said by the store alone: no clone may record what the team does not want recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.core.record import Json
from gitmem.errors import InvalidRecord, UsageError
from gitmem.memory.context import Context
from gitmem.memory.members.scopes import known_scope
from gitmem.memory.policies import write_settings
from gitmem.store.config import load_config
from gitmem.store.files import read_bounded, write_atomic
from gitmem.store.layout import CONFIG
from gitmem.store.settings import Setting, given, is_personal, narrowed, numbers, setting, settings

ENVIRONMENT, STORE, USER, DEFAULT = "environment", "store", "user", "default"
_MAX_FILE: Final = 64 << 10


class Layer(NamedTuple):
    """One place that may set a setting: which layer it is, what it is called there, and what it says (None: nothing)."""

    layer: str
    origin: str
    value: str | int | None


class Explained(NamedTuple):
    """A setting: its value and the layer that it comes from, what it is about, and every layer, the first to count first."""

    name: str
    value: str | int
    layer: str
    about: str
    layers: list[Layer]


def explain(context: Context, name: str) -> Explained:
    """Where the value of a setting comes from. Raises UsageError for a name there is not, InvalidRecord for a bad file."""
    one = setting(name)
    layers = list(_layers(context, one, given(context.store.read_config()), user_settings(context)))
    narrow = narrowed(name)
    if narrow and one.default == setting(narrow[0]).default:  # no default of its own: what is said in general holds
        layers[-1] = Layer(DEFAULT, narrow[0], explain(context, narrow[0]).value)
    first = next(layer for layer in layers if layer.value is not None)
    return Explained(name, first.value if first.value is not None else one.default, first.layer, one.about, layers)


def listing(context: Context, prefix: str = "") -> list[Explained]:
    """Every setting whose name begins so: all general ones, and those of a kind, scope or agent that something sets."""
    names = {*settings(), *given(context.store.read_config()), *user_settings(context)}
    return [explain(context, name) for name in sorted(names) if name.startswith(prefix)]


def set_here(context: Context, name: str, text: str | None, *, user: bool = False) -> bool:
    """Set a setting for the store, in one signed commit, or in the `user`'s own file; without a text, take it out.

    False where it says so already. Raises UsageError for what does not fit.
    """
    one = setting(name)
    value = None if text is None else one.parse(text)
    if value is not None:
        _require_named(context, name)
    return _set_user(context, one, value) if user else _set_store(context, one, value)


def _require_named(context: Context, name: str) -> None:
    """Raise for a kind or scope that there is not: what was meant would be judged by the general threshold."""
    _, level, which = narrowed(name) or ("", "", "")
    if level == "kind":
        context.kinds.get(which)
    elif level == "scope" and not which.startswith("agents."):  # those come by themselves
        known_scope(context, which.replace(".", "/", 1))


def number(context: Context, name: str) -> int:
    """A setting that is a number. Raises UsageError for another."""
    value = explain(context, name).value
    if not isinstance(value, int):
        raise UsageError(f"{name} is no number", f"gitmem config explain {name}")
    return value


def thresholds(context: Context) -> Callable[[str], list[int]]:
    """What pruning asks for its thresholds: the values of a setting in the first layer that has any; several are concurrent."""
    config, user = context.store.read_config(), user_settings(context)

    def values(name: str) -> list[int]:
        outside = _from_environment(context, setting(name)) if context.env else None
        if isinstance(outside, int):
            return [outside]
        own = user.get(name)
        return numbers(config, name) or ([own] if isinstance(own, int) else [])

    return values


def user_file(context: Context) -> Path:
    """Where the user's own settings lie: `gitmem/config.yaml` under the XDG configuration directory."""
    from gitmem.crypto.lookup import config_file, own_home

    return config_file(context.env, Path(context.env.get("HOME") or own_home())).with_name("config.yaml")


def user_settings(context: Context) -> dict[str, str | int]:
    """What the user's own file sets. Raises InvalidRecord for what is no setting, naming the file."""
    import yaml

    file = user_file(context)
    data = read_bounded(file, _MAX_FILE)
    try:
        found = yaml.safe_load((data or b"").decode("utf-8")) or {}
    except (ValueError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict):
        raise InvalidRecord(f"{file} is no list of settings", f"each line of it is NAME: VALUE; correct {file}")
    try:
        return {name: _personal(setting(str(name))).parse(str(value)) for name, value in found.items()}
    except UsageError as error:
        raise InvalidRecord(f"{file}: {error.message}", error.hint) from None


def _layers(context: Context, one: Setting, store: dict[str, Json], user: dict[str, str | int]) -> list[Layer]:
    said = store.get(one.name)
    layers = [
        Layer(STORE, CONFIG, said if isinstance(said, str | int) else None),
        Layer(DEFAULT, "gitmem", one.default),
    ]
    if is_personal(one):
        layers.insert(0, Layer(ENVIRONMENT, _variable(one), _from_environment(context, one)))
        layers.insert(2, Layer(USER, str(user_file(context)), user.get(one.name)))
    return layers


def _from_environment(context: Context, one: Setting) -> str | int | None:
    text = context.env.get(_variable(one)) if is_personal(one) else None
    try:
        return None if text is None else one.parse(text)
    except UsageError as error:
        raise UsageError(f"{_variable(one)}: {error.message}", f"unset {_variable(one)}, or correct it") from None


def _variable(one: Setting) -> str:
    return "GITMEM_" + one.name.upper().replace(".", "_").replace("-", "_")


def _personal(one: Setting) -> Setting:
    if not is_personal(one):
        raise UsageError(f"{one.name} belongs to the store alone", f"gitmem config set {one.name} VALUE")
    return one


def _set_store(context: Context, one: Setting, value: str | int | None) -> bool:
    store = context.store
    with store.lock:
        store.refresh()
        store.config = load_config(store.root)
        register = store.config.state.fields.get(one.name, {})
        if [*register.values()] == ([] if value is None else [value]):
            return False
        said = f"{one.name} {'unset' if value is None else value}"
        write_settings(context, {one.name: value}, f"policy: {said}", {"policy": said})
    return True


def _set_user(context: Context, one: Setting, value: str | int | None) -> bool:
    file, found = user_file(context), user_settings(context)
    if found.get(_personal(one).name) == value:
        return False
    found = {name: known for name, known in (found | {one.name: value}).items() if known is not None}
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(file, "".join(f"{name}: {known}\n" for name, known in sorted(found.items())).encode(), durable=True)
    return True
