"""From a stack file to a `Stack`, or to an error that names the file and the key."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import ValidationError

from himari.stack.errors import StackFileError
from himari.stack.model import NAME, Provider, Role, Stack
from himari.stack.nearest import did_you_mean
from himari.stack.paths import INVENTORIES
from himari.stack.rules import problems
from himari.stack.tables import keyed, places

_FILE = "a stack file that you may read, in UTF-8"
_HELP = "himari schema explains each key"
_NAME = "a name: a lower-case letter, then lower-case letters, digits and dashes, at most 31"
_TYPES = {
    "object": "a table",
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "array": "a list",
    "bool": "true or false",
}
_WORDS = {"role": tuple(Role), "provider": tuple(Provider)}


def load_stack(name_or_path: str | Path) -> Stack:
    """The stack in `inventories/NAME.toml`, or in the file at a path that ends in .toml.

    Raises StackFileError: no such file, not TOML, an unknown key, a wrong type, or what the rules refuse."""
    path = stack_path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        hint = "a copy of a shipped one makes a start: `cp inventories/vps-brain.toml inventories/tokyo.toml`"
        raise StackFileError(f"the stack file cannot be read: {reason}", str(path), _FILE, hint) from None
    stack = parse_stack(text, str(path))
    if not str(name_or_path).endswith(".toml") and stack.name != name_or_path:
        raise StackFileError(f"the stack calls itself {stack.name!r}", f"{path}: stack.name", repr(str(name_or_path)))
    return stack


def stack_path(name_or_path: str | Path) -> Path:
    """The file of a stack. Raises StackFileError, with the nearest name, when there is none of that name."""
    if str(name_or_path).endswith(".toml"):
        return Path(name_or_path)
    path = INVENTORIES / f"{name_or_path}.toml"
    known = sorted(file.stem for file in INVENTORIES.glob("*.toml"))
    if path.exists():
        return path
    raise StackFileError(
        f"there is no stack {name_or_path!r}",
        str(INVENTORIES),
        f"one of {', '.join(known)}, or a path to a .toml file",
        did_you_mean(str(name_or_path), known),
    )


def parse_stack(text: str, where: str) -> Stack:
    """The stack that `text` says; errors name `where` and the key."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), where) from None
    if not tables:
        raise StackFileError("the stack file says nothing", where, "[stack], [venues.NAME] and [hosts.NAME]", _HELP)
    _refuse_no_tables(tables, where)
    _refuse_unknown_keys(tables, where)
    try:
        stack = msgspec.convert(tables, Stack, strict=True)
    except ValidationError as error:
        raise _wrong_value(str(error), tables, where) from None
    for problem in problems(stack):
        raise StackFileError(problem.what, f"{where}: {problem.key}", problem.expected, problem.hint)
    return stack


def _not_toml(message: str, where: str) -> StackFileError:
    line = re.search(r"line (\d+)", message)
    place = f"{where}:{line[1]}" if line else where
    twice = re.search(r"Cannot declare \((.*?),?\) twice|Cannot overwrite a value", message)
    if twice and twice[1]:
        key = ".".join(re.findall(r"'([^']*)'", twice[1]))
        return StackFileError(
            f"[{key}] is there twice", place, "each table once", "rename one of the two, or merge them"
        )
    return StackFileError(f"not TOML: {message}", place, "a TOML file", "himari schema shows an example")


def _refuse_no_tables(tables: Mapping[str, Any], where: str) -> None:
    """What stands for a table must be one, and a host's or venue's name possible; msgspec names neither."""
    for key, said in places(tables):
        if not isinstance(said, Mapping):
            raise StackFileError(f"{said!r} is no table", f"{where}: {key}", f"[{key}] and its keys below", _HELP)
        name = key.partition(".")[2]
        if name and not NAME.fullmatch(name):
            raise StackFileError(f"{name!r} is no possible name", f"{where}: {key}", _NAME)


def _refuse_unknown_keys(tables: Mapping[str, Any], where: str) -> None:
    for key, said, table in keyed(tables):
        known = table.__struct_fields__
        for field in said:
            if field not in known:
                path = f"{key}.{field}" if key else field
                raise StackFileError(
                    f"unknown key {field!r}",
                    f"{where}: {path}",
                    f"one of {', '.join(known)}",
                    did_you_mean(field, known) or _HELP,
                )


def _wrong_value(message: str, tables: Mapping[str, Any], where: str) -> StackFileError:
    """The error again, by table, as the whole file's does not name the host or the venue."""
    for key, said, table in keyed(tables):
        if table is not Stack:
            try:
                msgspec.convert(said, table, strict=True)
            except ValidationError as error:
                return _told(str(error), where, key, said)
    return _told(message, where, "", tables)


def _expected(says: str) -> str:
    """msgspec's words in the file's: its types are Python's."""
    if "matching regex '^[a-z]" in says:
        return _NAME
    return re.sub(r"`(\w+)( \| null)?`", lambda found: _TYPES.get(found[1], found[0]), says.removeprefix("Expected "))


def _told(message: str, where: str, table: str, said: Mapping[str, Any]) -> StackFileError:
    says, _, place = message.partition(" - at ")
    key = re.sub(r"`|\$\.?", "", place).strip()
    missing = re.search(r"missing required field `(\w+)`", says)
    path = ".".join(part for part in (table, key, missing[1] if missing else "") if part)
    if missing:
        return StackFileError("the key is missing", f"{where}: {path}", f"a value for {missing[1]}", _HELP)
    if wrong := re.search(r"Invalid enum value '(.*)'", says):
        kind = "role" if "roles" in key else "provider"
        return StackFileError(
            f"unknown {kind} {wrong[1]!r}",
            f"{where}: {path}",
            " or ".join(_WORDS[kind]),
            did_you_mean(wrong[1], _WORDS[kind]),
        )
    found = said.get(key.partition("[")[0])
    what = f"{found!r} is not possible" if found is not None else "the value is not possible"
    return StackFileError(what, f"{where}: {path or 'top level'}", _expected(says), _HELP)
