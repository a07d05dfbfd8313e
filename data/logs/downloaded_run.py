"""Read a run that was downloaded from W&B file by file: `media/html` and settings, no `.wandb`.

The run's id is that in a folder name such as `run-20260101_120000-ab12cd34`, else the folder's
name. Challenges are in order of the step in their media files' names; their times are unknown, as
only the history held them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from data.logs.file_names import path_text
from data.logs.media_html import media_files, read_media_html
from data.logs.resumed_runs import with_parts
from data.records.types import LogItem, Origin, Reject, Run
from data.validators.run_config import config_text, plain_config, validator_of

_FILES = "files"
_MEDIA = Path("media/html")
_SUMMARY, _METADATA, _CONFIG = "wandb-summary.json", "wandb-metadata.json", "config.yaml"
_RUN_NAME = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-([A-Za-z0-9_-]{1,64})", re.ASCII)
# What W&B itself makes up as an id.
_OWN_ID = re.compile(r"[a-z0-9]{8}", re.ASCII)
# Real settings have a few kB; the YAML parser takes a second for 100 kB.
_MAX_SETTINGS_BYTES = 128 * 2**10


def has_media(folder: Path) -> bool:
    """True if a folder holds a run's media, and may be entered."""
    try:
        return (folder / _MEDIA).is_dir()
    except OSError:
        return False


def has_settings(folder: Path) -> bool:
    """True if a folder holds a run's settings as W&B writes them, and may be entered."""
    try:
        return any((folder / name).is_file() for name in (_SUMMARY, _METADATA))
    except OSError:
        return False


def is_of_run(name: str) -> bool:
    """True for the name of a file or folder that belongs to such a run, and is no log by itself."""
    return name in ("media", _CONFIG) or is_settings(name)


def is_settings(name: str) -> bool:
    """True for the name of a file of W&B's own about a run, which is no log in any folder."""
    return name in (_SUMMARY, _METADATA, "wandb-events.jsonl")


def read_downloaded_run(folder: Path, file: str) -> Iterator[LogItem]:
    """Read a run's folder: the run itself, then its challenges by step.

    Args:
        folder: the run's folder.
        file: its name in the store.
    """
    run_id, id_is_known = _run_id(folder)
    settings: dict[str, Any] = {}
    for item in _settings(folder, Origin(file, None, run_id)):
        if isinstance(item, Reject):
            yield item
        else:
            settings = item
    config = plain_config(settings)
    validator = validator_of(config, run_id, id_is_known=id_is_known)
    yield Run(
        run_id=run_id,
        file=file,
        name=None,
        project=None,
        config=config_text(config),
        started=_started(folder / _METADATA),
        finished=False,
        exit_code=None,
        steps=0,
        **asdict(validator),
    )
    try:
        media = media_files(folder / _MEDIA)
        problem = "no file of a challenge"
    except OSError as error:
        media, problem = {}, str(error.strerror)
    if not media:
        expected = f"{_MEDIA}/metadata_<step>_<hash>.html, or the run's .wandb file"
        reason = f"media: found {problem}; expected {expected}"
        yield Reject(Origin(file, None, run_id), reason, "")
    yield from with_parts(
        (step, [read_media_html(path, file, step, run_id=run_id, step=step) for path in paths])
        for step, paths in sorted(media.items())
    )


def _run_id(folder: Path) -> tuple[str, bool]:
    """The run's id, and whether its folder says so: another name may be one that a person gave."""
    resolved = folder.resolve()
    named = resolved.parent if resolved.name == _FILES else resolved
    match = _RUN_NAME.fullmatch(named.name)
    if match:
        return match[1], True
    return path_text(Path(named.name)), _OWN_ID.fullmatch(named.name) is not None


def _settings(folder: Path, origin: Origin) -> Iterator[dict[str, Any] | Reject]:
    """The contents of `config.yaml`, or a reject of it where it is damaged."""
    path = folder / _CONFIG
    if not path.is_file():
        return
    try:
        config = yaml.load(_text(path), Loader=_PlainLoader)  # noqa: S506  (a SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        yield Reject(origin, f"{_CONFIG}: found {problem}; expected the settings of a run", "")
        return
    if isinstance(config, dict):
        yield config
    elif config is not None:
        problem = type(config).__name__
        yield Reject(origin, f"{_CONFIG}: found {problem}; expected the settings of a run", "")


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


def _started(path: Path) -> datetime | None:
    """When the run's process began, where W&B says so."""
    try:
        started = datetime.fromisoformat(json.loads(_text(path))["startedAt"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
    # W&B writes UTC, older versions of it without a Z
    return started.replace(tzinfo=UTC) if started.tzinfo is None else started
