"""Every miner's finite answers as flat arrays, in order of validators' lives."""

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.lives.order import EVERYONE, Choice, Life, put_in_order
from analytics.scoring.metrics import Floats
from analytics.scoring.predicted_class import predicted_class
from analytics.warehouse.statements import named_rows, statements
from data.errors import QueryError

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Miner:
    """A (uid, hotkey) pair: another hotkey on a uid is another miner."""

    uid: int
    hotkey: str


@dataclass(frozen=True)
class MinerAnswers:
    """Finite answers, those outside 0..1 among them, in order of validators' lives.

    At most one for each challenge and miner. Unanswered (-1) and non-finite ones are left out.

    The arrays have an entry for each answer, sorted by challenge, then by miner: `miner` and
    `challenge` (indices into `miners` and `challenges`), and `prediction` (as answered).

    `challenges` has a row for each challenge in order, one life after the other: `challenge_id`,
    `label` (0 or 1), `life` (its number), `image` (the number of its source image), `source_image`
    (its name) and `names_row` (False: it names no row of a shard and counts as an image of its
    own).
    """

    miners: list[Miner]
    challenges: pl.DataFrame
    miner: Indices
    challenge: Indices
    prediction: Floats

    @property
    def label(self) -> Indices:
        """(n,), the scored label of each answer's challenge, 0 or 1."""
        return self.challenges["label"].to_numpy().astype(np.int64)[self.challenge]

    @property
    def image(self) -> Indices:
        """(n,), the number of each answer's source image."""
        return self.challenges["image"].to_numpy().astype(np.int64)[self.challenge]

    @property
    def life(self) -> Indices:
        """(n,), the number of the validator's life that each answer belongs to."""
        return self.challenges["life"].to_numpy().astype(np.int64)[self.challenge]

    @property
    def right(self) -> Flags:
        """(n,), whether the class by the validator's rounding is the label."""
        right: Flags = predicted_class(self.prediction) == self.label
        return right

    def only(self, kept: Flags) -> "MinerAnswers":
        """The answers where `kept`, (n,), is True; numbers keep their meaning."""
        return MinerAnswers(
            self.miners,
            self.challenges,
            self.miner[kept],
            self.challenge[kept],
            self.prediction[kept],
        )


def stage(connection: duckdb.DuckDBPyConnection, choice: Choice = EVERYONE) -> list[Life]:
    """Number challenges and miners in temporary tables of this connection; returns the lives.

    Args:
        connection: to a warehouse.
        choice: whose challenges.

    Raises:
        QueryError: the store holds no answer, or no such validator or run.
    """
    lives = put_in_order(connection, choice)
    connection.execute(statements("analytics/miners/stage")).fetchall()
    if connection.execute("SELECT count(*) FROM stage_miners").fetchall() == [(0,)]:
        raise QueryError(
            "miners",
            found="no answer in this store",
            expected="an ingested log",
            remedy="run `streetreplay ingest LOG`",
        )
    return lives


def asked_miners(connection: duckdb.DuckDBPyConnection) -> list[Miner]:
    """Every miner that was asked, in order of its number; `stage` comes before it."""
    return [
        Miner(**row)
        for row in named_rows(connection.execute(statements("analytics/miners/miners")))
    ]


def miner_answers(connection: duckdb.DuckDBPyConnection) -> MinerAnswers:
    """All answers of a warehouse; `stage` comes before it."""
    answers = connection.sql(statements("analytics/miners/answers")).pl()
    return MinerAnswers(
        miners=asked_miners(connection),
        challenges=connection.sql(statements("analytics/miners/challenges")).pl(),
        miner=answers["miner"].to_numpy().astype(np.int64),
        challenge=answers["challenge"].to_numpy().astype(np.int64),
        prediction=answers["prediction"].to_numpy(),
    )
