"""Histories of runs as tables, as W&B's exports and `run.history()` give them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

Json = dict[str, Any]

_SERIES = {"predictions": "predictions", "rewards": "rewards"} | {
    name: f"miner_image_{name}"
    for name in ("accuracy", "auc", "f1_score", "mcc", "precision", "recall")
}


def history_frame(records: Sequence[Json], first_step: int = 0) -> pd.DataFrame:
    """A row a record: `_step`, `_timestamp` a minute apart, a column a series and uid."""
    return pd.DataFrame([_row(record, first_step + place) for place, record in enumerate(records)])


def _row(record: Json, step: int) -> Json:
    row = {"_step": step, "_timestamp": 1767225600.0 + 60 * step, "label": record["label"]}
    for slot, uid in enumerate(record["miner_uids"]):
        for series, key in _SERIES.items():
            row[f"miner_{series}/uid_{uid}"] = record[key][slot]
        row[f"miner_scores/uid_{uid}"] = record["scores"][uid]
    return row


def long_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with a row a value: `_step`, `uid`, `series`, `value`."""
    cells = frame.drop(columns=["_timestamp", "label"]).melt("_step").dropna()
    cells["uid"] = cells["variable"].str.extract(r"uid_(\d+)").astype(int)
    cells["series"] = cells["variable"].str.extract(r"miner_(\w+)/")
    return cells[["_step", "uid", "series", "value"]].reset_index(drop=True)


def only(frame: pd.DataFrame, *series: str) -> pd.DataFrame:
    """The columns of these series, as one panel exports them."""
    kept = [
        name
        for name in map(str, frame)
        if name.startswith(tuple(f"miner_{one}/" for one in series))
    ]
    return frame.loc[:, ["_step", *kept]]
