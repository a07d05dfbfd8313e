"""Read a run that was downloaded from W&B file by file: `media/html` and settings, no `.wandb`.

The run's id is that in its `run.json` or in a folder name such as `run-20260101_120000-ab12cd34`,
else the folder's name. Challenges are in order of the step in their media files' names; their times
are those of a history beside them, in whole rows or in a table, and unknown without one.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from data.columnar.clean_record import CleanRecord
from data.columnar.line_reader import CleanLineReader
from data.logs.history_rows import read_history_rows
from data.logs.media_html import media_files, media_step, read_media_html
from data.logs.resumed_runs import with_parts
from data.logs.run_folder import (
    CONFIG,
    DESCRIPTION,
    HISTORY,
    MEDIA,
    METADATA,
    SUMMARY,
    describe_run,
    left_out_media,
)
from data.logs.table_logs import is_table_name, read_table
from data.records.types import LogItem, Origin, Reject, Run, SeriesStep
from data.text import printable
from data.validators.run_config import config_text, plain_config, validator_of

_WHY_SHOWN = 100
# Real settings have a few kB; the YAML parser takes a second for 100 kB.
_MAX_SETTINGS_BYTES = 128 * 2**10


def has_media(folder: Path) -> bool:
    """True if a folder holds a run's media, and may be entered."""
    try:
        return (folder / MEDIA).is_dir()
    except OSError:
        return False


def has_settings(folder: Path) -> bool:
    """True if a folder holds a run's settings as W&B writes them, and may be entered."""
    try:
        return any((folder / name).is_file() for name in (SUMMARY, METADATA))
    except OSError:
        return False


def is_of_run(name: str) -> bool:
    """True for the name of a file or folder that belongs to such a run, and is no log by itself."""
    return name in ("media", CONFIG, DESCRIPTION, HISTORY) or is_settings(name)


def tables_of(folder: Path) -> list[Path]:
    """The tables directly in a folder, CSV and Parquet, in order of name."""
    try:
        return sorted(
            entry for entry in folder.iterdir() if is_table_name(entry.name) and entry.is_file()
        )
    except OSError:
        return []


def is_settings(name: str) -> bool:
    """True for the name of a file of W&B's own about a run, which is no log in any folder."""
    return name in (SUMMARY, METADATA, "wandb-events.jsonl")


def read_downloaded_run(
    folder: Path, file: str, clean: CleanLineReader | None = None
) -> Iterator[LogItem | CleanRecord]:
    """Read a run's folder: the run itself, then its challenges by step.

    Args:
        folder: the run's folder.
        file: its name in the store.
        clean: takes the records that it can; they are then `CleanRecord`.
    """
    run = describe_run(folder)
    run_id = run.run_id
    settings: dict[str, Any] = {}
    for item in _settings(folder, Origin(file, None, run_id)):
        if isinstance(item, Reject):
            yield item
        else:
            settings = item
    config = plain_config(settings)
    yield Run(
        run_id=run_id,
        file=file,
        name=run.name,
        project=run.project,
        config=config_text(config),
        started=run.started,
        finished=run.finished,
        exit_code=None,
        steps=_line_count(folder / HISTORY),
        **asdict(validator_of(config, run_id, id_is_known=run.id_is_known)),
    )
    history = _History()
    yield from _read_history(folder, file, run_id, history)
    times = history.times
    try:
        media = media_files(folder / MEDIA)
        problem = "no file of a challenge"
    except OSError as error:
        media, problem = {}, str(error.strerror)
    if not media:
        expected = f"{MEDIA}/metadata_<step>_<hash>.html, or the run's .wandb file"
        reason = f"media: found {problem}; expected {expected}"
        yield Reject(Origin(file, None, run_id), reason, "")
    told: set[int] = set()
    for name, why in left_out_media(folder).items():
        step = media_step(name)
        if step is not None and not (folder / MEDIA / name).is_file():
            told.add(step)
            found = printable(why, _WHY_SHOWN)
            reason = f"media of step {step}: found {found} in the service; expected {MEDIA}/{name}"
            yield Reject(Origin(file, step, run_id, step, times.get(step)), reason, "")
    for step in sorted(history.with_media - media.keys() - told if media else ()):
        reason = f"media of step {step}: found no file; expected {MEDIA}/metadata_{step}_*.html"
        yield Reject(Origin(file, step, run_id, step, times.get(step)), reason, "")
    yield from with_parts(
        (step, [_challenge(path, file, run_id, step, times.get(step), clean) for path in paths])
        for step, paths in sorted(media.items())
    )


@dataclass
class _History:
    """What a history says of challenges: when each step was logged, and which have media."""

    times: dict[int, datetime] = field(default_factory=dict)
    with_media: set[int] = field(default_factory=set)


def _read_history(folder: Path, file: str, run_id: str, history: _History) -> Iterator[LogItem]:
    """The series of a run's folder, from whole rows and from tables; fills `history`."""
    if (folder / HISTORY).is_file():
        for row in read_history_rows(folder / HISTORY, file, run_id):
            if isinstance(row, Reject):
                yield row
                continue
            if row.time is not None:
                history.times[row.step] = row.time
            if row.has_media:
                history.with_media.add(row.step)
            yield SeriesStep(run_id, row.step, row.values, row.time)
    for table in tables_of(folder):
        for read in read_table(table, file, run_id):
            if isinstance(read, SeriesStep) and read.run_id == run_id and read.time is not None:
                history.times.setdefault(read.step, read.time)
            if not (isinstance(read, Run) and read.run_id == run_id):
                yield read


def _challenge(
    path: Path,
    file: str,
    run_id: str,
    step: int,
    time: datetime | None,
    clean: CleanLineReader | None,
) -> LogItem | CleanRecord:
    return read_media_html(path, file, step, run_id=run_id, step=step, time=time, clean=clean)


def _line_count(path: Path) -> int:
    """How many rows a history has; 0 without one."""
    try:
        with path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(partial(stream.read, 2**20), b""))
    except OSError:
        return 0


def _settings(folder: Path, origin: Origin) -> Iterator[dict[str, Any] | Reject]:
    """The contents of `config.yaml`, or a reject of it where it is damaged."""
    path = folder / CONFIG
    if not path.is_file():
        return
    try:
        config = yaml.load(_text(path), Loader=_PlainLoader)  # noqa: S506  (a SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        yield Reject(origin, f"{CONFIG}: found {problem}; expected the settings of a run", "")
        return
    if isinstance(config, dict):
        yield config
    elif config is not None:
        problem = type(config).__name__
        yield Reject(origin, f"{CONFIG}: found {problem}; expected the settings of a run", "")


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
    """A YAML loader of plain values without aliases, a few of which could expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(parent, index)


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        raw = stream.read(_MAX_SETTINGS_BYTES + 1)
    if len(raw) > _MAX_SETTINGS_BYTES:
        raise ValueError(f"more than {_MAX_SETTINGS_BYTES} bytes")
    return raw.decode("utf-8-sig")
