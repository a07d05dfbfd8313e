"""Options of a command made of settings dataclasses, so that each is written once.

A setting is taken from the command line, else from the file of `--settings`, else from the defaults
of the command.
"""

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand
from typer.models import OptionInfo

from data.errors import RunError
from data.settings import Setting, shown_value
from data.settings_file import AUTO, expected_words, read_settings, settable

Command = Callable[..., None]

_TYPES = {int: "int", float: "float", str: "text", tuple: "float,..."}
_SETTINGS = "settings"  # the parameter of a command, and its option

SettingsFileOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="<file>",
        help="A TOML file of the settings below, in tables as they are here; an option goes before "
        "it. A setting's key is its option's name with underscores, where no other is told.",
    ),
]


@dataclass(frozen=True)
class Settings:
    """The settings of a command, an instance of a dataclass for each table."""

    tables: Mapping[str, Any]


class SettingsCommand(TyperCommand):
    """A command whose help lists the options of each table of settings by themselves."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel of options."""
        sections: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                own = "Arguments" if parameter.param_type_name == "argument" else "Options"
                sections[getattr(parameter, "rich_help_panel", None) or own].append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def with_settings(**defaults: Any) -> Callable[[Command], Command]:
    """Give a command an option for each setting, and `--settings FILE`.

    The command takes the chosen `Settings` as its parameter `settings`. Put this below
    `app.command(cls=SettingsCommand)`, whose help lists the options by table.

    Args:
        defaults: an instance of a settings dataclass for each table of the file, by the table's
            name: the values where neither command line nor file gives any.

    Raises:
        ValueError: two options of one name: a mistake in the program.
    """

    def decorate(command: Command) -> Command:
        parameters = [*_own_parameters(command), *_parameters(defaults)]
        _check_flags(parameters)

        @functools.wraps(command)
        def run(**given: Any) -> None:
            file = given.pop(_SETTINGS)
            chosen = {table: _chosen(table, values, given) for table, values in defaults.items()}
            command(**given, settings=_settle(defaults, file, chosen))

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _own_parameters(command: Command) -> Iterator[inspect.Parameter]:
    """The parameters of a command, the one for its settings made an option."""
    hints = get_type_hints(command, include_extras=True)
    for name, own in inspect.signature(command).parameters.items():
        if name != _SETTINGS:
            yield own.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
    yield _parameter(_SETTINGS, SettingsFileOption)


def _parameters(defaults: Mapping[str, Any]) -> Iterator[inspect.Parameter]:
    """A parameter for each setting; None is one that is not given."""
    for table, values in defaults.items():
        for name, described in settable(type(values)).items():
            option = _option(described, getattr(values, name), f"Options of [{table}]")
            kind = bool if described.kind is bool else str
            yield _parameter(_parameter_name(table, name), Annotated[kind | None, option])


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=annotation)


def _parameter_name(table: str, name: str) -> str:
    return f"{table}__{name}"  # a name that no command's own parameter has


def _option(described: Setting, default: Any, panel: str) -> OptionInfo:
    """A setting's option; its value is checked as the command line is read."""
    text = f"{described.help} [{_help_notes(described, default)}]"
    if described.kind is bool:
        both = f"{described.flag}/--no-{described.flag.removeprefix('--')}"
        flag: OptionInfo = typer.Option(both, help=text, rich_help_panel=panel)
        return flag
    option: OptionInfo = typer.Option(
        described.flag,
        help=text,
        rich_help_panel=panel,
        metavar=f"<{'|'.join(described.choices) or _TYPES[described.kind]}>",
        parser=functools.partial(_read_text, described),
    )
    return option


def _help_notes(described: Setting, default: Any) -> str:
    """The default, limits, and the key in a file where it is not that of the flag."""
    if default is None:
        shown = described.unset or AUTO
    elif isinstance(default, tuple):
        shown = ",".join(map(str, default))
    else:
        shown = str(default).lower() if isinstance(default, bool) else str(default)
    notes = [f"default: {shown}"]
    if described.limits:
        notes.append(described.limits)
    if described.flag != f"--{described.name.replace('_', '-')}":
        notes.append(f"key: {described.name}")
    return "; ".join(notes)


def _read_text(described: Setting, text: str) -> Any:
    """The value that a text on the command line means; `AUTO` itself for None.

    Raises:
        typer.BadParameter: it is of another type, or out of its range.
    """
    if text == AUTO and described.optional:
        return text
    value = _parse_text(described, text)
    if not described.accepts(value):
        raise typer.BadParameter(f"found {shown_value(text)}; expected {expected_words(described)}")
    return value


def _parse_text(described: Setting, text: str) -> Any:
    """The text as the setting's type where it can be, else as it is."""
    try:
        if described.kind is tuple:
            return tuple(float(part) for part in text.split(","))
        return described.kind(text)
    except ValueError:
        return text


def _check_flags(parameters: list[inspect.Parameter]) -> None:
    """Refuse two options of one name."""
    owners = {"--help": "help"}
    for parameter in parameters:
        for flag in _flags(parameter):
            if flag in owners:
                raise ValueError(f"{flag} is of both {owners[flag]} and {parameter.name}")
            owners[flag] = parameter.name


def _flags(parameter: inspect.Parameter) -> Iterator[str]:
    for option in get_args(parameter.annotation)[1:]:
        if isinstance(option, OptionInfo):
            # in `Annotated`, typer takes an option's first name for its default
            for names in (option.default, *(option.param_decls or ())):
                yield from str(names).split("/")


def _chosen(table: str, values: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The values of a table that the command line gives, taken out of all its parameters."""
    texts = {name: given.pop(_parameter_name(table, name)) for name in settable(type(values))}
    return {
        name: None if value == AUTO and settable(type(values))[name].optional else value
        for name, value in texts.items()
        if value is not None
    }


def _settle(
    defaults: Mapping[str, Any], file: Path | None, chosen: Mapping[str, dict[str, Any]]
) -> Settings:
    """The settings of defaults, a file and the command line, each before the last.

    Raises:
        RunError: what `read_settings` refuses, or values in the file that do not go together.
        typer.BadParameter: values of the command line that do not go together.
    """
    kinds = {table: type(values) for table, values in defaults.items()}
    written = {} if file is None else read_settings(file, kinds)
    settled = {}
    for table, values in defaults.items():
        try:
            settled[table] = replace(values, **written.get(table, {}) | chosen[table])
        except RunError as error:
            if chosen[table]:
                raise typer.BadParameter(str(error)) from None
            raise RunError(f"table [{table}] of settings file {file}: {error}") from None
    return Settings(settled)
