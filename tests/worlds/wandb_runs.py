"""W&B run folders as the validator's client leaves them, written without the client."""

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2

Json = dict[str, Any]

_BLOCK = 32 * 1024
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SERIES = {"predictions": "predictions", "rewards": "rewards"} | {
    name: f"miner_image_{name}"
    for name in ("accuracy", "auc", "f1_score", "mcc", "precision", "recall")
}


def write_run(
    folder: Path,
    run_id: str,
    records: Sequence[Json],
    *,
    started: datetime,
    first_step: int = 0,
    config: Json | None = None,
    config_changes: Sequence[Json] = (),
) -> Path:
    """A folder with the log of a run, `run-<id>.wandb`, and its media; a challenge a minute.

    `config_changes` are what `wandb.config.update` was called with once the run had begun.
    """
    media = folder / "files" / "media" / "html"
    media.mkdir(parents=True)
    messages = [_run(run_id, started, config or {}), *map(_config_change, config_changes)]
    for place, record in enumerate(records):
        step = first_step + place
        messages.append(_history(record, step, started + timedelta(minutes=place)))
        write_media(media, step, record)
    log = folder / f"run-{run_id}.wandb"
    log.write_bytes(_framed(message.SerializeToString() for message in messages))
    return folder


def write_media(folder: Path, step: int, record: Json) -> Path:
    """A media file of one record."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record)
    path = folder / f"metadata_{step}_{zlib.crc32(text.encode()):08x}.html"
    path.write_text(f'<base target="_blank"><pre>{text}</pre>', encoding="utf-8")
    return path


def write_media_files(folder: Path, records: Sequence[Json]) -> None:
    """A media file of each record, steps counted from 0."""
    for step, record in enumerate(records):
        write_media(folder, step, record)


def _run(run_id: str, started: datetime, config: Json) -> Any:
    message = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
    message.run.run_id = run_id
    message.run.start_time.FromDatetime(started)
    for key, value in config.items():
        message.run.config.update.add(key=key, value_json=json.dumps(value))
    return message


def _config_change(change: Json) -> Any:
    message = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
    for key, value in change.items():
        message.config.update.add(key=key, value_json=json.dumps(value))
    return message


def _history(record: Json, step: int, time: datetime) -> Any:
    message = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
    message.history.step.num = step
    items: Json = {"metadata": {"_type": "html-file"}, "_timestamp": time.timestamp()}
    for slot, uid in enumerate(record["miner_uids"]):
        for series, key in _SERIES.items():
            items[f"miner_{series}/uid_{uid}"] = record[key][slot]
        items[f"miner_scores/uid_{uid}"] = record["scores"][uid]
    for key, value in items.items():
        message.history.item.add(key=key, value_json=json.dumps(value))
    return message


def _framed(records: Iterable[bytes]) -> bytes:
    """Records as LevelDB's log format has them, after W&B's own header."""
    log = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for record in records:
        rest, first = record, True
        while first or rest:
            room = _BLOCK - len(log) % _BLOCK
            if room < 7:
                log += b"\0" * room
                room = _BLOCK
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = (_FULL if not rest else _FIRST) if first else (_LAST if not rest else _MIDDLE)
            checksum = zlib.crc32(piece, zlib.crc32(bytes([kind])))
            log += struct.pack("<IHB", checksum, len(piece), kind) + piece
            first = False
    return bytes(log)
