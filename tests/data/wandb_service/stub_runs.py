"""Runs as a validator's client leaves them on the service: whole rows, and media files."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.data.wandb_service.stub_service import StubRun

Json = dict[str, Any]

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
_SERIES = {"predictions": "predictions", "rewards": "rewards"} | {
    name: f"miner_image_{name}"
    for name in ("accuracy", "auc", "f1_score", "mcc", "precision", "recall")
}


def stub_run(
    run_id: str, records: Sequence[Json], first_step: int = 0, **attributes: Any
) -> StubRun:
    """A run that logged these records, one a minute."""
    run = StubRun(run_id, **attributes)
    for place, record in enumerate(records):
        add_challenge(run, record, first_step + place)
    return run


def add_challenge(run: StubRun, record: Json, step: int) -> None:
    """Log one more record: a row of the history, and a media file."""
    content = f'<base target="_blank"><pre>{json.dumps(record)}</pre>'.encode()
    digest = hashlib.sha256(content).hexdigest()
    name = f"media/html/metadata_{step}_{digest[:20]}.html"
    row: Json = {
        "_step": step,
        "_timestamp": STARTED.timestamp() + 60 * step,
        "_runtime": 60 * step,
        "label": record["label"],
        "metadata": {
            "_type": "html-file",
            "path": name,
            "sha256": digest,
            "size": len(content),
        },
    }
    for slot, uid in enumerate(record["miner_uids"]):
        for series, key in _SERIES.items():
            row[f"miner_{series}/uid_{uid}"] = record[key][slot]
        row[f"miner_scores/uid_{uid}"] = record["scores"][uid]
    run.rows.append(row)
    run.files[name] = content
