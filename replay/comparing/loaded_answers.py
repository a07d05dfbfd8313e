"""A finished replay's answers beside those of the logged miners, out of the warehouse."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Answers, Challenges, PairedAnswers
from analytics.leaks.training_overlap import challenge_overlap
from analytics.lives.order import EVERYONE, Choice, Life
from analytics.miners.answers import asked_miners, stage
from analytics.warehouse.statements import named_rows, statements
from data.errors import RunError
from data.records.eras import EXPONENTS

LATEST = "latest"
TRAINED_ON = "overlaps with training rows"
_BATCH_ROWS = 500_000


@dataclass(frozen=True)
class RunChallenges:
    """What a finished replay answered, in order of validators' lives.

    `predicted` has a row a predicted challenge: ordinal, life, challenge_id, label, era, image,
    positive_share, fidelity; `variants` a row a variant: ordinal, weight, probability.
    `left_out` counts challenges without a prediction by reason.
    """

    run: dict[str, Any]
    predicted: pl.DataFrame
    variants: pl.DataFrame
    left_out: dict[str, int]

    def only(self, kept: pl.DataFrame) -> "RunChallenges":
        """Those whose `ordinal` is among `kept`'s."""
        predicted, variants = (
            frame.join(kept, on="ordinal", how="semi", maintain_order="left")
            for frame in (self.predicted, self.variants)
        )
        return RunChallenges(self.run, predicted, variants, self.left_out)

    def challenges(self) -> Challenges:
        """The same as flat arrays; images are numbered among these challenges."""
        ordinals = self.predicted["ordinal"].to_numpy()
        ends = np.searchsorted(self.variants["ordinal"].to_numpy(), ordinals, side="right")
        exponents = self.predicted["era"].replace_strict(EXPONENTS, return_dtype=pl.Int8)
        # images of these challenges only, from 0 on: the bootstrap draws among them
        _, images = np.unique(self.predicted["image"].to_numpy(), return_inverse=True)
        return Challenges(
            labels=self.predicted["label"].to_numpy().astype(np.int8),
            images=images.astype(np.int32),
            exponents=exponents.to_numpy(),
            starts=np.concatenate([[0], ends]).astype(np.int64),
            probabilities=_copied(self.variants["probability"]),
            weights=_copied(self.variants["weight"]),
            lives=_copied(self.predicted["life"]),
        )


@dataclass(frozen=True)
class RunAnswers:
    """What a comparison or a slice of it needs; numbers of `paired` stand for rows here.

    `lives` are the validators' whose predicted challenges these are. `challenges` has a row a
    predicted challenge in order of lives: ordinal, life, challenge_id, label, era, image,
    positive_share, fidelity. `miners` are (uid, hotkey) pairs. `left_out` counts challenges
    without a prediction by reason, `miners_left_out` each miner's answers that MCC leaves out.
    """

    run: dict[str, Any]
    lives: list[Life]
    challenges: pl.DataFrame
    paired: PairedAnswers
    miners: list[tuple[int, str]]
    left_out: dict[str, int]
    miners_left_out: list[dict[str, int]]


def find_run(connection: duckdb.DuckDBPyConnection, run: str) -> dict[str, Any]:
    """The row of `replay_runs` that `run` names; `latest` is the one finished last.

    Raises:
        RunError: there is no such run in this store.
    """
    query = "SELECT * FROM replay_runs ORDER BY finished DESC, run_id"
    runs = named_rows(connection.execute(query))
    for row in runs:
        if run in (LATEST, row["run_id"]):
            return row
    raise RunError(
        f"run {run}",
        found=f"{len(runs)} finished replays, none of that name",
        expected="the run id of a replay of this store, or latest",
        remedy="run `streetreplay replay --model orange`",
    )


def run_challenges(
    connection: duckdb.DuckDBPyConnection,
    run: dict[str, Any],
    training: pl.DataFrame | None = None,
) -> RunChallenges:
    """Read what a finished replay answered; `analytics.miners.answers.stage` comes before it.

    Args:
        connection: of a warehouse.
        run: as `find_run` gives it.
        training: rows that the candidate was trained on; challenges that overlap with one by row,
            video or place are left out.
    """
    replayed = _frame(connection, "replay/comparing/challenges", run)
    if training is not None:
        replayed = _without_trained(replayed, challenge_overlap(connection, training))
    predicted = replayed.filter(pl.col("left_out").is_null())
    left_out = dict(Counter(replayed["left_out"].drop_nulls().to_list()).most_common())
    variants = _frame(connection, "replay/comparing/variants", run)
    replayed_challenges = RunChallenges(run, predicted, variants, left_out)
    return replayed_challenges.only(predicted.select("ordinal"))


def run_answers(
    connection: duckdb.DuckDBPyConnection,
    run: str,
    training: pl.DataFrame | None = None,
    choice: Choice = EVERYONE,
) -> RunAnswers:
    """Read a finished replay and every miner's answers to the challenges that it predicted.

    Args:
        connection: of a warehouse.
        run: a run id, or `latest`.
        training: rows that the candidate was trained on; challenges that overlap with one by row,
            video or place are left out.
        choice: whose challenges.

    Raises:
        RunError: there is no such run, or no miner was asked what it predicted.
        QueryError: the store holds no answer, or no such validator or logged run.
    """
    run_row = find_run(connection, run)
    lives = stage(connection, choice)
    replayed = run_challenges(connection, run_row, training)
    predicted = replayed.predicted
    miners = [(miner.uid, miner.hotkey) for miner in asked_miners(connection)]
    answers = _answers(connection, run_row, predicted["ordinal"].to_numpy(), len(miners))
    if not len(answers.challenge):
        _refuse(run_row, predicted.height, replayed.left_out)
    reasons: list[dict[str, int]] = [{} for _ in miners]
    for miner, reason, count in _frame(
        connection, "replay/comparing/left_out", run_row
    ).iter_rows():
        reasons[miner][reason] = count
    return RunAnswers(
        run=run_row,
        lives=predicted_lives(lives, predicted),
        challenges=predicted,
        paired=PairedAnswers(replayed.challenges(), answers),
        miners=miners,
        left_out=replayed.left_out,
        miners_left_out=reasons,
    )


def predicted_lives(lives: list[Life], predicted: pl.DataFrame) -> list[Life]:
    """Lives of which something was predicted, with how many of these challenges are theirs."""
    counts = Counter(predicted["life"].to_list())
    return [replace(life, challenges=counts[life.number]) for life in lives if counts[life.number]]


def _frame(connection: duckdb.DuckDBPyConnection, name: str, run: dict[str, Any]) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(statements(name), params={"run_id": run["run_id"]}).pl()
    return frame


def _without_trained(replayed: pl.DataFrame, overlap: pl.DataFrame) -> pl.DataFrame:
    """The same rows, those of training rows left out for that."""
    overlaps = overlap.select("challenge_id", "overlaps")
    trained = pl.col("left_out").is_null() & pl.col("overlaps").fill_null(value=False)
    return (
        replayed.join(overlaps, on="challenge_id", how="left", maintain_order="left")
        .with_columns(left_out=pl.when(trained).then(pl.lit(TRAINED_ON)).otherwise("left_out"))
        .drop("overlaps")
    )


def _refuse(run: dict[str, Any], predicted: int, left_out: dict[str, int]) -> None:
    reasons = "".join(f", {count} {reason}" for reason, count in left_out.items())
    raise RunError(
        f"comparison of {run['run_id']}",
        found=f"0 answers of miners to its {predicted} predicted challenges "
        f"({sum(left_out.values())} more without a prediction{reasons})",
        expected="challenges that the candidate predicted and a miner was asked about",
        remedy="replay more of the log, or ingest logs that hold answers",
    )


def _answers(
    connection: duckdb.DuckDBPyConnection,
    run: dict[str, Any],
    ordinals: NDArray[np.int32],
    miners: int,
) -> Answers:
    """Every miner's answers to the challenges of these ordinals, which ascend, by miner.

    They come in batches, miner by miner: 16 bytes an answer are kept of them.
    """
    text, counts = statements("replay/comparing/answers"), np.zeros(miners, np.int64)
    parts: list[tuple[NDArray[Any], ...]] = []
    result = connection.sql(text, params={"run_id": run["run_id"]})
    for batch in result.to_arrow_reader(_BATCH_ROWS):
        owner, ordinal, spell, prediction = (column.to_numpy() for column in batch.columns)
        challenge = np.searchsorted(ordinals, ordinal).astype(np.int32)
        # one that is left out, such as what the candidate was trained on, is not among them
        kept = np.append(ordinals, -1)[challenge] == ordinal
        counts += np.bincount(owner[kept], minlength=miners)
        parts.append((challenge[kept], spell[kept], prediction[kept]))
    nothing = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))
    challenge, spell, prediction = map(np.concatenate, zip(nothing, *parts, strict=True))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Answers(starts, challenge, spell, prediction)


def _copied(column: pl.Series) -> NDArray[Any]:
    """Compiled code wants arrays that it may write to, which a frame's own are not."""
    return np.array(column.to_numpy())
