"""Read a validator's W&B run folder: series from the transaction log, challenges from its media.

`wandb/run-*/` (live) and `wandb/offline-run-*/` have the same form. Paths in the log are never
opened: media files are found by listing `files/media/html` and matched by the step in their names.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.columnar.clean_record import CleanRecord
from data.columnar.line_reader import CleanLineReader
from data.errors import is_of_the_machine
from data.json_text.decoder import nests_deeper
from data.logs.file_names import path_text
from data.logs.history_rows import (
    MAX_STEP,
    MEDIA_KEY,
    TIME_KEY,
    finite_or_nan,
    logged_time,
    series_of,
)
from data.logs.media_html import media_files, read_media_html
from data.logs.wandb_transactions import Damage, read_transactions
from data.records.types import LogItem, Origin, Reject, Run, SeriesStep
from data.text import printable
from data.validators.run_config import config_text, plain_config, validator_of

_MEDIA = Path("files/media/html")
_MOST_DEPTH = 100  # of a setting: real ones nest about three deep
_PLAIN = frozenset({float, int})


@dataclass
class _Contents:
    """What is kept of a transaction log while its steps are read: nothing of their series.

    `times` has every step, and None where its time is unknown.
    """

    run_id: str
    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    finished: bool = False
    exit_code: int | None = None
    is_behind: bool = False
    """Whether what is read is another run's, behind this one."""
    times: dict[int, datetime | None] = field(default_factory=dict)
    with_media: set[int] = field(default_factory=set)


def read_wandb_run(
    log: Path, file: str, clean: CleanLineReader | None = None
) -> Iterator[LogItem | CleanRecord]:
    """Read a run: its series step by step, the run itself, its challenges, and what is missing.

    Args:
        log: the `run-<id>.wandb` file; media are looked for beside it.
        file: its name in the store.
        clean: takes the records that it can; they are then `CleanRecord`.

    Raises:
        LogError: the log cannot be opened or is no transaction log.
    """
    contents = _Contents(run_id=path_text(Path(log.stem)).removeprefix("run-"))
    try:
        yield from _read_transactions(log, file, contents)
    except OSError as error:
        reason = f"transaction log: found {error.strerror}; expected a whole file; the rest is lost"
        origin = Origin(file, None, contents.run_id)
        yield Reject(origin, printable(reason), "", is_passing=is_of_the_machine(error))
    yield _run(file, contents)
    yield from _challenges(log, file, contents, clean)


def _read_transactions(log: Path, file: str, contents: _Contents) -> Iterator[LogItem]:
    """The series of each step, and stretches of the log that are damaged; fills `contents`."""
    last_step = -1
    for record in read_transactions(log):
        if isinstance(record, Damage):
            # The first step that may be missing is the one after the last that was read.
            yield _damaged(record, Origin(file, last_step + 1, contents.run_id, last_step + 1))
            continue
        kind = record.WhichOneof("record_type")
        if kind == "history":
            step = _read_history(record.history, contents)
            if step is not None:
                yield step
            last_step = -1 if step is None else step.step
        elif kind == "run":
            if reject := _take_run(record.run, file, contents):
                yield reject
        elif contents.is_behind:
            continue
        elif kind == "config":
            # the validator signs the run's id once it has one
            _update(contents.config, record.config)
        elif kind == "exit":
            contents.finished, contents.exit_code = True, record.exit.exit_code


def _damaged(damage: Damage, origin: Origin) -> Reject:
    cut = "; the run is still being written, or was cut off" if damage.torn else ""
    reason = f"transaction log at byte {damage.byte}: found {damage.reason}{cut}"
    return Reject(origin, printable(reason), "")


def _take_run(run: Any, file: str, contents: _Contents) -> Reject | None:
    """Take what a record says of the run; a reject where steps before it are another run's."""
    known, named = contents.run_id, run.run_id or contents.run_id
    contents.is_behind = bool(contents.times) and known != named
    if contents.is_behind:
        reason = (
            f"transaction log: found run {named!r} behind steps of run {known!r}; expected one run "
            "a log; all steps are kept as the latter's, with its settings"
        )
        return Reject(Origin(file, None, known), printable(reason), "")
    contents.run_id, contents.run = named, run
    _update(contents.config, run.config)
    return None


def _read_history(history: Any, contents: _Contents) -> SeriesStep | None:
    """The series of one history row, with the rest added to `contents`; None without a step."""
    step = int(history.step.num)
    if not 0 <= step < MAX_STEP:
        return None
    contents.times.setdefault(step, None)
    logged: list[tuple[str, int]] = []
    texts: list[str] = []
    for item in history.item:
        key = item.key or (item.nested_key[0] if item.nested_key else "")
        if key == MEDIA_KEY:
            contents.with_media.add(step)
        elif key == TIME_KEY:
            contents.times[step] = logged_time(_number(item.value_json))
        elif series := series_of(key):
            logged.append(series)
            texts.append(item.value_json)
    values: dict[int, dict[str, float]] = {}
    for (series_name, uid), number in zip(logged, _numbers(texts), strict=True):
        values.setdefault(uid, {})[series_name] = number
    return SeriesStep(contents.run_id, step, values)


def _numbers(texts: list[str]) -> list[float]:
    """Logged numbers, each NaN where it is not finite."""
    try:
        # one call for all: as many plain numbers as texts can only be one of each text
        parsed = json.loads(f"[{','.join(texts)}]")
        if len(parsed) == len(texts) and _PLAIN.issuperset(map(type, parsed)):
            numbers = list(map(float, parsed))
            return numbers if all(map(math.isfinite, numbers)) else list(map(finite_or_nan, parsed))
    except (ValueError, OverflowError, RecursionError):
        pass  # of one of them: each by itself
    return list(map(_number, texts))


def _number(value_json: str) -> float:
    """A logged number, NaN where it is not finite."""
    try:
        return finite_or_nan(json.loads(value_json))
    except (ValueError, RecursionError):
        return math.nan


def _run(file: str, contents: _Contents) -> Run:
    run_id, run_record = contents.run_id, contents.run
    config = plain_config(contents.config)
    return Run(
        run_id=run_id,
        file=file,
        name=run_record.display_name if run_record else None,
        project=run_record.project if run_record else None,
        config=config_text(config),
        started=_started(run_record),
        finished=contents.finished,
        exit_code=contents.exit_code,
        steps=len(contents.times),
        **asdict(validator_of(config, run_id)),
    )


def _started(run_record: Any) -> datetime | None:
    try:
        if run_record is None or not run_record.HasField("start_time"):
            return None
        started: datetime = run_record.start_time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        return None
    return started


def _update(config: dict[str, Any], change: Any) -> None:
    """Bring the operator's settings up to date."""
    for item in change.update:
        config[item.key or "/".join(item.nested_key)] = _setting(item.value_json)
    for item in change.remove:
        config.pop(item.key or "/".join(item.nested_key), None)


def _setting(value_json: str) -> Any:
    """A setting; one that is no JSON, or nests too deeply to be written again, stays text."""
    try:
        return value_json if nests_deeper(value_json, _MOST_DEPTH) else json.loads(value_json)
    except ValueError:
        return value_json


def _challenges(
    log: Path, file: str, contents: _Contents, clean: CleanLineReader | None
) -> Iterator[LogItem | CleanRecord]:
    run_id = contents.run_id
    try:
        media = media_files(log.parent / _MEDIA)
    except OSError as error:
        reason = f"media of the run: found {error.strerror}; expected {_MEDIA} that may be read"
        yield Reject(Origin(file, None, run_id), reason, "")
        return
    for step in sorted(media.keys() | contents.with_media):
        origin = Origin(file, step, run_id, step, contents.times.get(step))
        if step not in media:
            reason = (
                f"media of step {step}: found no file; expected {_MEDIA}/metadata_{step}_*.html"
            )
            yield Reject(origin, reason, "")
        for path in media.get(step, ()):
            yield read_media_html(
                path,
                file,
                step,
                run_id=run_id,
                step=step,
                time=contents.times.get(step),
                clean=clean,
            )
