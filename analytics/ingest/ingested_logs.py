"""The relation `logs`: which logs were ingested, and the name of each in `media.file`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import duckdb

from analytics.ingest.known_logs import LogToRead, reader_digest
from analytics.warehouse import rows
from analytics.warehouse.statements import statements
from data.logs.file_names import file_names, path_text
from data.logs.log_kind import LogFile


@dataclass(frozen=True)
class _RegisteredLog:
    """A row of `logs`; `replaced` numbers older contents of its path, None: the present one."""

    file: str
    path: str
    sha256: str
    bytes: int | None
    records: int | None
    kind: str
    state: str
    reader: str
    replaced: int | None


def register_logs(
    connection: duckdb.DuckDBPyConnection, logs: Sequence[LogToRead]
) -> tuple[dict[LogFile, str], bool]:
    """Register logs that are to be read, and name each.

    A copy of a known log gets its name. Where two names clash, both logs are renamed. Logs whose
    path held something else before may have been rotated: they are staged as `stage_rewritten`.

    Args:
        connection: of the warehouse that is written.
        logs: those that are to be read.

    Returns:
        The name of each log, and whether one that was known before was renamed.
    """
    columns = ", ".join(field.name for field in fields(_RegisteredLog))
    register = [
        _RegisteredLog(*row)
        for row in connection.execute(f"SELECT {columns} FROM logs ORDER BY ALL").fetchall()  # noqa: S608
    ]
    known = {log.path: log for log in register if log.replaced is None}
    digests = {log.log: log.sha256 for log in logs}
    paths = {log.log: path_text(log.log.path.resolve()) for log in logs}
    rewritten = [known[paths[log.log]] for log in logs if log.is_rewritten]
    owners = _owners(paths, digests, known, {log.path for log in rewritten})
    read = [path for log, path in paths.items() if owners[log] == path]
    every = [*known, *(path for path in read if path not in known)]
    names = dict(zip(every, file_names([Path(path) for path in every]), strict=True))
    renamed = {
        log.file: new
        for log in register
        if log.file != (new := _name(log.path, log.replaced, names))
    }
    _stage(connection, renamed, rewritten, register, names)
    of_path = {paths[log.log]: log for log in logs}
    _stage_read({path: of_path[path] for path in read}, names, connection)
    connection.execute(statements("analytics/ingest/names"))
    return {log: names[owner] for log, owner in owners.items()}, bool(renamed)


def _stage_read(
    read: dict[str, LogToRead], names: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> None:
    """Stage the logs that are read, by path, and how far those that grew are known."""
    staged = [
        {
            "file": names[path],
            "path": path,
            "sha256": log.sha256,
            "bytes": log.bytes,
            "kind": log.log.kind,
            "state": log.state,
            "reader": reader_digest(),
        }
        for path, log in read.items()
    ]
    grown = [
        {"file": names[path], "records": log.reached.position}
        for path, log in read.items()
        if log.reached is not None
    ]
    rows.append_rows(connection, "stage_logs", staged)
    rows.append_rows(connection, "stage_grown", grown)


def _owners(
    paths: dict[LogFile, str],
    digests: dict[LogFile, str],
    known: dict[str, _RegisteredLog],
    rewritten: set[str],
) -> dict[LogFile, str]:
    """The path whose name each log gets: its own, or that of a log of equal content."""
    path_of_content = {log.sha256: path for path, log in known.items() if path not in rewritten}
    return {
        log: path if path in known else path_of_content.setdefault(digests[log] or path, path)
        for log, path in paths.items()
    }


def _name(path: str, replaced: int | None, names: dict[str, str]) -> str:
    name = names.get(path, path)
    return name if replaced is None else f"{name}#{replaced}"


def _stage(
    connection: duckdb.DuckDBPyConnection,
    renamed: dict[str, str],
    rewritten: Sequence[_RegisteredLog],
    register: Sequence[_RegisteredLog],
    names: dict[str, str],
) -> None:
    """Stage new names of known logs, and every log whose challenges may be in another file now."""
    renames = [{"old_name": old, "new_name": new} for old, new in renamed.items()]
    rows.append_rows(connection, "stage_renames", renames)
    numbers: dict[str, int] = {}
    for log in register:
        numbers[log.path] = max(numbers.get(log.path, 0), log.replaced or 0)
    staged = [
        {
            **asdict(log),
            "file": names[log.path],
            "replaced": numbers[log.path] + 1,
            "older_name": _name(log.path, numbers[log.path] + 1, names),
        }
        for log in rewritten
    ]
    rows.append_rows(connection, "stage_rewritten", staged)
