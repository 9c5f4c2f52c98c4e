"""What a provider's configuration is: a typed struct, read with every key that is wrong found at once.

Pure; a configuration belongs to the provider that reads it. Each key is looked at by itself, so one that
is wrong hides no other. Where references to secrets stand and nobody knows the values, a text
:class:`Unknown` takes their place: all that is judged of it is that it is a text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType, UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, Self, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from actorhost.errors import ActorhostError, ConfigFault, ConfigRefused, ProviderRefused

_SHOWN: Final = 10
"""Faults that one message names."""
_LONGEST: Final = 60
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_PLACE: Final = re.compile(r" - at `[^`]*`\Z")
_EXPECTED: Final = re.compile(r"Expected (.*?)(?:, got `[^`]*`)?")
_NOT_A_TEXT: Final = ", got `str`"
_UNKNOWN_KEY: Final = "unknown key"

Path = tuple[str | int, ...]
Rule = Callable[[Any], object]
"""What refuses a value by raising an :class:`~actorhost.errors.ActorhostError`."""


@dataclass(frozen=True, slots=True)
class Each:
    """A rule for each item of a list or value of a map by itself, and one for the keys of a map.

    Each that is wrong is found at its own place; references among them are not judged.
    """

    item: Rule
    key: Rule | None = None


Rules = Mapping[str, Rule | Each]
"""What refuses a value, by its key."""


class Unknown(str):
    """Stands for a text that is not known here; its own text is the reference to it."""

    __slots__ = ()


_ANY: Final[tuple[object, ...]] = ({}, [], [Unknown("?")], True, 1.0, 1, Unknown("?"))
"""One of these is of any type that a key is likely to have; the last that fits is taken."""


class Wrong:
    """Stands for a value that was found to be wrong: what reads it takes any that would be right."""


WRONG: Final = Wrong()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a provider's configuration: unknown keys are refused.

    `rules` are what types cannot say, by key: each is given the value of its key, or with :class:`Each`
    one item of it. Those of a struct within another are not looked at.
    """

    rules: ClassVar[Rules] = MappingProxyType({})

    @classmethod
    def read(cls, config: Mapping[str, object], owner: str) -> Self:
        """Return `config` as this type.

        Raises :class:`~actorhost.errors.ConfigRefused`, which names `owner` and each key that is wrong.
        """
        try:
            read = msgspec.convert(dict(config), cls)
        except msgspec.ValidationError as error:
            return cls._refused(config, owner, str(error))
        if cls.rules and (faults := list(_of_struct(cls, config, (), cls.rules))):
            raise refusal(owner, faults, faults[0].hint)
        return read

    @classmethod
    def _refused(cls, config: Mapping[str, object], owner: str, why: str) -> Self:
        """Raise what is wrong; if that may be only what is not known here, read the rest."""
        if any(value is WRONG for value in config.values()):
            return cls.read(_righted(cls, config), owner)
        if faults := list(_of_struct(cls, config, (), cls.rules)):
            raise refusal(owner, faults, _keys(cls))
        fields = _fields(cls)
        unfit = {key for key, each in config.items() if holds_unknown(each) and not _fits(fields[key], each)}
        if not unfit or any(fields[key].required for key in unfit):
            raise ProviderRefused(f"configuration of {owner}: {why}", hint=_keys(cls))
        return cls.read({key: each for key, each in config.items() if key not in unfit}, owner)


def refusal(owner: str, faults: Iterable[ConfigFault], hint: str = "") -> ConfigRefused:
    """Return the error that names `owner`, and each of `faults` by its key."""
    found = tuple(faults)
    told = "; ".join(f"{spelled(one.path)}: {one.message}".removeprefix(": ") for one in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ConfigRefused(f"configuration of {owner}: {told}{more}", faults=found, hint=hint or found[0].hint)


def spelled(path: Path) -> str:
    """Return the key path `path` as people write it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += "." * bool(text) + (step if _PLAIN.fullmatch(step) else repr(step[:_LONGEST]))
    return text


def holds_unknown(value: object) -> bool:
    """Whether anything in `value` is a text that is not known here."""
    if isinstance(value, Mapping):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_unknown, value))
    return isinstance(value, Unknown)


def _fields(cls: type[Config]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(cls)}


def _righted(cls: type[Config], config: Mapping[str, object]) -> dict[str, object]:
    """Return `config` without what is wrong, or with a value that fits where there must be one."""
    right = {key: value for key, value in config.items() if value is not WRONG}
    for key, field in _fields(cls).items():
        if config.get(key) is WRONG and field.required:
            right.update((key, value) for value in _ANY if _fits(field, value))
    return right


def _fits(field: FieldInfo, value: object) -> bool:
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        return False
    return True


def _of_struct(
    cls: type[Config], config: Mapping[str, object], path: Path, rules: Rules
) -> Iterator[ConfigFault]:
    fields = _fields(cls)
    for key, value in config.items():
        if (field := fields.get(key)) is None:
            yield ConfigFault((*path, key), _UNKNOWN_KEY, _nearest(key, cls))
            continue
        faults = list(_of_value(field.type, value, (*path, key)))
        if (rule := rules.get(key)) is not None:
            faults += _of_rules(rule, field.type, value, (*path, key), {one.path for one in faults})
        otherwise = "" if field.required else f", or leave {key} out"
        for one in faults:
            yield ConfigFault(one.path, one.message, one.hint or f"write {_expected(one)}{otherwise}")
    for key, field in fields.items():
        if field.required and key not in config:
            yield ConfigFault((*path, key), f"the key {key} is missing", f"add {key}; {_keys(cls)}")


def _of_rules(
    rule: Rule | Each, kind: Any, value: object, path: Path, wrong: set[Path]
) -> Iterator[ConfigFault]:
    """Yield what `rule` refuses in `value`, which is of type `kind` but for its parts at `wrong`."""
    if path in wrong:
        return
    if not isinstance(rule, Each):
        if not wrong and not holds_unknown(value):
            yield from _of_rule(rule, msgspec.convert(value, kind), path)
        return
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    within = {each[: len(path) + 1] for each in wrong}
    for key, item in items:
        if (*path, key) in within:
            continue
        if rule.key is not None:
            yield from _of_rule(rule.key, key, (*path, key))
        if not holds_unknown(item):
            yield from _of_rule(rule.item, item, (*path, key))


def _of_rule(rule: Rule, value: object, path: Path) -> Iterator[ConfigFault]:
    try:
        rule(value)
    except ActorhostError as error:
        yield ConfigFault(path, error.message, error.hint)


def _of_value(kind: Any, value: object, path: Path) -> Iterator[ConfigFault]:
    """Yield what is wrong in `value` by its type: in its parts, or else as a whole."""
    inner = [fault for each in _parts(kind, value, path) for fault in each]
    yield from inner or _of_whole(kind, value, path)


def _parts(kind: Any, value: object, path: Path) -> Iterator[Iterator[ConfigFault]]:
    for each in _alternatives(kind):
        origin, types = get_origin(each), get_args(each)
        if isinstance(value, Mapping) and isinstance(each, type) and issubclass(each, Config):
            yield _of_struct(each, value, path, {})
        elif not types or not isinstance(origin, type):
            continue
        elif isinstance(value, Mapping) and issubclass(origin, Mapping):
            yield from (_of_value(types[1], one, (*path, str(key))) for key, one in value.items())
        elif isinstance(value, list | tuple) and not issubclass(origin, Mapping):
            yield from (_of_value(types[0], one, (*path, at)) for at, one in enumerate(value))


def _of_whole(kind: Any, value: object, path: Path) -> Iterator[ConfigFault]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, places = _PLACE.subn("", str(error))
        message = message[:200]
        if isinstance(value, Unknown):
            if message.endswith(_NOT_A_TEXT):
                yield ConfigFault(path, message, "a reference stands for a text: write the value itself")
        elif not places or not holds_unknown(value):
            # What is wrong within may be only what is not known; what is wrong with all of it is not.
            yield ConfigFault(path, message, _choices(kind))


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types that `kind` allows, without what is said about them."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    return get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)


def _choices(kind: Any) -> str:
    """Return the hint for a value of `kind`, if that is a choice."""
    found: list[object] = []
    for each in _alternatives(kind):
        if isinstance(each, type) and issubclass(each, Enum):
            found += [one.value for one in each]
        elif get_origin(each) is Literal:
            found += get_args(each)
    return f"use one of {', '.join(map(str, found))}" if found else ""


def _expected(fault: ConfigFault) -> str:
    found = _EXPECTED.fullmatch(fault.message)
    return found[1] if found else "what it takes"


def _nearest(key: str, cls: type[Config]) -> str:
    guess = difflib.get_close_matches(key[:_LONGEST], cls.__struct_encode_fields__, n=1)
    return f"did you mean {guess[0]}? {_keys(cls)}" if guess else _keys(cls)


def _keys(cls: type[Config]) -> str:
    return f"it may hold: {', '.join(cls.__struct_encode_fields__) or 'nothing'}"
