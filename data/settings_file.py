"""A TOML file of settings: a table for each stage, with the names of the settings' fields as keys.

    [optimizer]
    lr = 0.0003
    layer_decay = "auto"

`auto` stands for None, which TOML lacks: what it means is in the setting's help.
"""

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.atomic_files import write_atomic
from data.errors import RunError
from data.settings import Setting, settings_of, shown_value
from data.text import printable

AUTO = "auto"
"""None, in a file and on the command line."""


def settable(kind: type) -> dict[str, Setting]:
    """The fields of a settings dataclass that a person can set, by name."""
    return {described.name: described for described in settings_of(kind) if described.flag}


def expected_words(described: Setting) -> str:
    """What a person may give for a setting."""
    return described.expected + (f", or {AUTO}" if described.optional else "")


def read_settings(path: Path, tables: Mapping[str, type]) -> dict[str, dict[str, Any]]:
    """The values that a file gives, by table and by field.

    Args:
        path: a TOML file.
        tables: the settings dataclass of each table.

    Raises:
        RunError: it cannot be read, is no TOML, or has an unknown table, an unknown key, or a value
            of another type or out of its range.
    """
    content = _parse(path)
    return {name: _read_table(path, name, content[name], tables) for name in content}


def write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write all settings that a person can set, so that the file can be given by `--settings`.

    Args:
        path: the file; an earlier one is replaced.
        settings: an instance of a settings dataclass for each table.

    Raises:
        WriteError: it cannot be written; an earlier file is as it was.
    """
    write_atomic(path, settings_toml(settings).encode())


def settings_toml(settings: Mapping[str, Any]) -> str:
    """The text of such a file, for an instance of a settings dataclass for each table."""
    tables = []
    for name, values in settings.items():
        lines = [f"{key} = {_toml(getattr(values, key))}\n" for key in settable(type(values))]
        tables.append(f"[{name}]\n" + "".join(lines))
    return "\n".join(tables)


def _parse(path: Path) -> dict[str, Any]:
    try:
        # Windows' editors begin UTF-8 with a mark that TOML's reader does not know
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        found = error.strerror or str(error)
    except RecursionError:
        found = "values nested too deep"
    except ValueError as error:
        found = f"no TOML: {printable(str(error), 200)}"
    raise RunError(f"settings file {path}", found=found, expected="a TOML file of settings")


def _read_table(
    path: Path, name: str, values: object, tables: Mapping[str, type]
) -> dict[str, Any]:
    if name not in tables:
        raise RunError(
            f"settings file {path}",
            found=f"an unknown {'table' if isinstance(values, dict) else 'key'} {_shown(name)}",
            expected=_expected_name(name, tables),
        )
    if not isinstance(values, dict):
        raise RunError(
            f"settings file {path}",
            found=f"{name} = {shown_value(values)}",
            expected=f"a table [{name}]",
        )
    return {key: _read_value(path, name, key, values[key], tables) for key in values}


def _read_value(path: Path, name: str, key: str, value: object, tables: Mapping[str, type]) -> Any:
    known = settable(tables[name])
    if key not in known:
        raise RunError(
            f"table [{name}] of settings file {path}",
            found=f"an unknown key {_shown(key)}",
            expected=_expected_key(key, name, tables),
        )
    read = _from_toml(known[key], value)
    if not known[key].accepts(read):
        raise RunError(
            f"{key} in table [{name}] of settings file {path}",
            found=shown_value(value),
            expected=expected_words(known[key]),
        )
    return read


def _expected_name(name: str, tables: Mapping[str, type]) -> str:
    """What should stand in place of an unknown name outside all tables."""
    owners = [table for table, kind in tables.items() if name in settable(kind)]
    close = owners or difflib.get_close_matches(name, tables, n=1)
    return "one of the tables " * (len(close) != 1) + ", ".join(
        f"{'it in ' if owners else ''}[{table}]" for table in close or tables
    )


def _expected_key(key: str, name: str, tables: Mapping[str, type]) -> str:
    """What should stand in place of an unknown key of a table."""
    known = settable(tables[name])
    flag = "--" + key.replace("_", "-")
    flags = [field for field, described in known.items() if described.flag == flag]
    close = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
    owners = [table for table, kind in tables.items() if key in settable(kind)]
    if flags or close:
        return (flags or close)[0]
    if owners:
        return " or ".join(f"it in table [{table}]" for table in owners)
    return f"one of {', '.join(known)}"


def _shown(name: str) -> str:
    return printable(name, 40)


def _from_toml(described: Setting, value: Any) -> Any:
    """A TOML value as the setting's type where it can be, else as it is."""
    if value == AUTO and described.optional:
        return None
    if described.kind is float:
        return _as_float(value)
    if described.kind is tuple and isinstance(value, list):
        return tuple(map(_as_float, value))
    if described.choices and value in described.choices:
        return described.kind(value)
    return value


def _as_float(value: Any) -> Any:
    """A whole number as a float: 1 and 1.0 are one setting; other values as they are."""
    if type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:
        return value


def _toml(value: Any) -> str:
    """A value of a setting in TOML."""
    if value is None:
        value = AUTO
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        # TOML's escapes are JSON's, and it wants one where JSON does not
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)
