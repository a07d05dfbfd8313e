"""A candidate beside every logged miner, each on exactly the challenges that both have."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from analytics.bootstrap import BootstrapSettings, ImageBootstrap
from analytics.metrics import Floats, Labels, answer_tables, mcc_of_tables, predicted_class
from analytics.warehouse import statements
from data.errors import RunError

LATEST = "latest"


@dataclass(frozen=True)
class Score:
    """Answers compared, and how right they were; NaN for none.

    `accuracy` in 0..1 and `mcc` in -1..1 (signed) are of classes by the validator's rounding (half
    to even); `floored_mcc` is the same with the validator's floor of 0. Where a challenge's image
    is a distribution, a candidate's answer counts by the share of images on either side: expected
    counts, never one lucky draw.
    """

    n: int
    accuracy: float
    mcc: float
    floored_mcc: float


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
    floored_mcc: float
    candidate: Score
    mcc_difference: float
    interval: tuple[float, float] | None
    left_out: dict[str, int]


@dataclass(frozen=True)
class Comparison:
    """A replay compared with the logged miners, best miner by MCC first.

    `exact` and `distributions` are the candidate's n by fidelity; `without_shared` counts miners
    that share no challenge with the replay.
    """

    run_id: str
    model: str
    uses_metadata: bool
    candidate: Score
    exact: int
    distributions: int
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
    answered = pl.col("positive_share").is_not_null()
    predicted = candidate.filter(answered)
    answers = _frame(connection, "shared_answers", found["run_id"])
    groups = answers.partition_by("uid", "hotkey", maintain_order=True)
    bootstrap = ImageBootstrap(predicted["source_image"].to_numpy(), settings)
    miners = [one for group in groups if (one := _miner(group, bootstrap)) is not None]
    return Comparison(
        run_id=found["run_id"],
        model=found["model"],
        uses_metadata=found["uses_metadata"],
        candidate=_score(_candidate_tables(predicted)),
        exact=predicted.filter(pl.col("fidelity") == "exact").height,
        distributions=predicted.filter(pl.col("fidelity") == "distribution").height,
        left_out=_counts(candidate.filter(~answered)["reason"]),
        miners=sorted(miners, key=lambda m: (-m.mcc, -m.n, m.uid, m.hotkey)),
        without_shared=len(groups) - len(miners),
    )


def _frame(connection: duckdb.DuckDBPyConnection, name: str, run_id: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(statements(name), params={"run_id": run_id}).pl()
    return frame


def _miner(answers: pl.DataFrame, bootstrap: ImageBootstrap) -> MinerComparison | None:
    shared = answers.filter(pl.col("left_out").is_null())
    if shared.is_empty():
        return None
    ours, theirs = _candidate_tables(shared), _miner_tables(shared)
    candidate, miner = _score(ours), _score(theirs)
    return MinerComparison(
        uid=answers["uid"][0],
        hotkey=answers["hotkey"][0],
        n=miner.n,
        accuracy=miner.accuracy,
        mcc=miner.mcc,
        floored_mcc=miner.floored_mcc,
        candidate=candidate,
        mcc_difference=candidate.mcc - miner.mcc,
        interval=bootstrap.mcc_difference(ours, theirs, shared["source_image"].to_numpy()),
        left_out=_counts(answers["left_out"].drop_nulls()),
    )


def _candidate_tables(answers: pl.DataFrame) -> Floats:
    return answer_tables(_labels(answers), answers["positive_share"].to_numpy())


def _miner_tables(answers: pl.DataFrame) -> Floats:
    classes = predicted_class(answers["prediction"].to_numpy())
    # a class such as round(1.7) is wrong whatever the label
    neither = (classes != 0) & (classes != 1)
    return answer_tables(_labels(answers), (classes == 1).astype(float), neither.astype(float))


def _labels(answers: pl.DataFrame) -> Labels:
    return answers["label"].to_numpy().astype(np.int64)


def _score(tables: Floats) -> Score:
    table = tables.sum(axis=0)
    correct = float(np.trace(table))
    signed = float(mcc_of_tables(table))
    if not len(tables):
        return Score(0, math.nan, math.nan, math.nan)
    return Score(len(tables), correct / len(tables), signed, max(0.0, signed))


def _counts(reasons: pl.Series) -> dict[str, int]:
    return dict(Counter(reasons.to_list()).most_common())
