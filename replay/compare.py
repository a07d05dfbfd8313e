"""A candidate beside every logged miner, each on exactly the challenges that both have."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.bootstrap import BootstrapSettings, mcc_difference_interval
from analytics.metrics import accuracy, mcc, predicted_class
from analytics.warehouse import statements
from data.errors import RunError

LATEST = "latest"


@dataclass(frozen=True)
class Score:
    """Answers compared, and how right they were.

    `accuracy` in 0..1 and `mcc` in -1..1 (signed) are of classes by the validator's rounding (half
    to even); `validator_mcc` is the same with the validator's floor of 0.
    """

    n: int
    accuracy: float
    mcc: float
    validator_mcc: float


@dataclass(frozen=True)
class MinerComparison:
    """One miner and the candidate on their shared challenges.

    `mcc_difference` is candidate minus miner, `interval` its 95% interval over source images, None
    for too few of them. `left_out` counts the miner's other answers by reason.
    """

    uid: int
    hotkey: str
    n: int
    accuracy: float
    mcc: float
    validator_mcc: float
    candidate: Score
    mcc_difference: float
    interval: tuple[float, float] | None
    left_out: dict[str, int]


@dataclass(frozen=True)
class Comparison:
    """A replay compared with the logged miners, best miner by MCC first.

    `without_shared` counts miners that share no challenge with the replay.
    """

    run_id: str
    model: str
    uses_metadata: bool
    candidate: Score
    left_out: dict[str, int]
    miners: list[MinerComparison]
    without_shared: int


def find_run(connection: duckdb.DuckDBPyConnection, run: str) -> dict[str, Any]:
    """The row of `replay_runs` that `run` names; `latest` is the one finished last.

    Raises:
        RunError: there is no such run in this store.
    """
    result = connection.execute("SELECT * FROM replay_runs ORDER BY finished DESC, run_id")
    names = [column[0] for column in result.description]
    runs = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    for found in runs:
        if run in (LATEST, found["run_id"]):
            return found
    raise RunError(
        f"run {run}",
        found=f"{len(runs)} finished replays, none of that name",
        expected="the run id of a replay of this store, or latest",
        remedy="run `streetreplay replay --model orange`",
    )


def compare(
    connection: duckdb.DuckDBPyConnection,
    run: str,
    settings: BootstrapSettings = BootstrapSettings(),
) -> Comparison:
    """Compare a finished replay with every logged miner, a (uid, hotkey) pair.

    Args:
        connection: of a warehouse.
        run: a run id, or `latest`.
        settings: of the intervals.

    Raises:
        RunError: there is no such run.
    """
    found = find_run(connection, run)
    candidate = _frame(connection, "candidate_answers", found["run_id"])
    predicted = candidate.filter(pl.col("probability").is_not_null())
    answers = _frame(connection, "shared_answers", found["run_id"])
    groups = answers.partition_by("uid", "hotkey", maintain_order=True)
    miners = [one for group in groups if (one := _miner(group, settings)) is not None]
    return Comparison(
        run_id=found["run_id"],
        model=found["model"],
        uses_metadata=found["uses_metadata"],
        candidate=_score(predicted, "probability"),
        left_out=_counts(candidate.filter(pl.col("probability").is_null())["reason"]),
        miners=sorted(miners, key=lambda m: (-m.mcc, -m.n, m.uid, m.hotkey)),
        without_shared=len(groups) - len(miners),
    )


def _frame(connection: duckdb.DuckDBPyConnection, name: str, run_id: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(statements(name), params={"run_id": run_id}).pl()
    return frame


def _miner(answers: pl.DataFrame, settings: BootstrapSettings) -> MinerComparison | None:
    shared = answers.filter(pl.col("left_out").is_null())
    if shared.is_empty():
        return None
    miner, candidate = _score(shared, "prediction"), _score(shared, "probability")
    return MinerComparison(
        uid=answers["uid"][0],
        hotkey=answers["hotkey"][0],
        n=miner.n,
        accuracy=miner.accuracy,
        mcc=miner.mcc,
        validator_mcc=miner.validator_mcc,
        candidate=candidate,
        mcc_difference=candidate.mcc - miner.mcc,
        interval=mcc_difference_interval(
            shared["probability"].to_numpy(),
            shared["prediction"].to_numpy(),
            shared["label"].to_numpy().astype(np.int64),
            shared["source_image"].to_numpy(),
            settings,
        ),
        left_out=_counts(answers["left_out"].drop_nulls()),
    )


def _score(answers: pl.DataFrame, column: str) -> Score:
    classes = predicted_class(answers[column].to_numpy())
    labels = answers["label"].to_numpy().astype(np.int64)
    signed = mcc(classes, labels) if len(labels) else 0.0
    return Score(len(labels), accuracy(classes, labels), signed, max(0.0, signed))


def _counts(reasons: pl.Series) -> dict[str, int]:
    return dict(Counter(reasons.to_list()).most_common())
