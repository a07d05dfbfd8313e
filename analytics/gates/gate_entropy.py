"""How spread a model's views are over the log: the entropy of their shares."""

import datetime as dt
from dataclasses import dataclass

import duckdb

from analytics.comparison.intervals import Interval, clustered_mean_interval
from analytics.warehouse.statements import statements

MOST_BINS = 60


@dataclass(frozen=True)
class EntropyBin:
    """The mean entropy of the shares of one part of the log, bits.

    0 is a single view that says all; the most is log2 of the number of views, all alike. Of the
    `number`th of 60 parts of equal length of time, from 0, with times of its first and last
    challenge, UTC; where no challenge has a time, of the log's order. `interval` (95%) holds
    repeats of a source image together; None of fewer than two images.
    """

    number: int
    first_time: dt.datetime | None
    last_time: dt.datetime | None
    challenges: int
    images: int
    entropy: float
    interval: Interval | None


def gate_entropy(
    connection: duckdb.DuckDBPyConnection, run_id: str, label: int | None = None
) -> list[EntropyBin]:
    """The mean entropy over the log; challenges without a time are left out where others have one.

    Args:
        connection: that `block_sums.stage_gates` prepared.
        run_id: a finished replay.
        label: only challenges of this scored label, 0 or 1; None is both.
    """
    rows = connection.execute(
        statements("analytics/gates/entropy"),
        {"run": run_id, "label": label, "bins": MOST_BINS},
    ).fetchall()
    return [
        EntropyBin(
            number=number,
            first_time=first,
            last_time=last,
            challenges=count,
            images=images,
            entropy=total / count,
            interval=clustered_mean_interval(images, total, count, *sums),
        )
        for number, first, last, count, images, total, *sums in rows
    ]
