"""What is true of all matching challenges of a list: how many, and who is right how often."""

import math
from dataclasses import dataclass
from typing import Any

import duckdb

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.comparison.intervals import Interval, clustered_wilson_interval, student_quantile
from analytics.queries.challenge_answers import AnswerOutcome
from analytics.warehouse.statements import named_rows, statements


@dataclass(frozen=True)
class RightShare:
    """Of `answered` answers `correct` are right, to challenges of `images` source images.

    The 95% `interval` of the share is clustered by source image; None with fewer than 10.
    """

    correct: int
    answered: int
    images: int
    interval: Interval | None

    @property
    def share(self) -> float | None:
        """0..1; None without an answer."""
        return self.correct / self.answered if self.answered else None


@dataclass(frozen=True)
class WrongShares:
    """Challenges whose share of wrong answers of miners is near `share`, by candidate's outcome.

    `share` is a multiple of 0.1; None where nobody answered.
    """

    share: float | None
    candidate: AnswerOutcome
    challenges: int


@dataclass(frozen=True)
class ListSummary:
    """The matching challenges of a list.

    Of `matching` out of `total` challenges `candidate` is of the replay's answers, None without a
    replay, and `miners` of answers of all or of the named miner. With a replay miners' answers are
    those to the challenges that the candidate answered too; `difference` is the candidate's share
    less theirs, with a 95% interval. `left_out` counts challenges without an answer of the
    candidate by why, and `silent` answers of miners that are -1 or not finite.
    """

    matching: int
    total: int
    candidate: RightShare | None
    miners: RightShare
    difference: float | None
    difference_interval: Interval | None
    left_out: dict[str, int]
    silent: int
    wrong_shares: list[WrongShares]


def list_summary(connection: duckdb.DuckDBPyConnection, *, with_candidate: bool) -> ListSummary:
    """Count the matching challenges and the right answers to them.

    Args:
        connection: of `ChallengeList.matching`.
        with_candidate: whether the list is beside a replay.
    """
    row = _rows(connection, "shares", {"paired": with_candidate})[0]
    miners = RightShare(
        row["correct"],
        row["answered"],
        row["images"],
        _interval(row["correct"], row["answered"], row["images"], row["squares"]),
    )
    candidate = None
    if with_candidate:
        right, answered = row["candidate_right"], row["candidate_answered"]
        images, squares = row["candidate_images"], row["candidate_squares"]
        interval = _interval(right, answered, images, squares)
        candidate = RightShare(right, answered, images, interval)
    difference, ends = _difference(
        candidate, miners, row["either_images"], row["difference_squares"]
    )
    counted = _rows(connection, "sizes")[0]
    return ListSummary(
        matching=counted["matching"],
        total=counted["total"],
        candidate=candidate,
        miners=miners,
        difference=difference,
        difference_interval=ends,
        left_out=_left_out(connection) if with_candidate else {},
        silent=row["asked"] - row["answered"],
        wrong_shares=_wrong_shares(connection),
    )


def _interval(correct: int, answered: int, images: int, squares: float | None) -> Interval | None:
    if images < MIN_IMAGES:
        return None
    variance = (squares or 0.0) * images / (images - 1)
    return clustered_wilson_interval(correct, answered, variance, images)


def _difference(
    candidate: RightShare | None, miners: RightShare, images: int, squares: float | None
) -> tuple[float | None, Interval | None]:
    """The candidate's share less that of miners, and its linearised interval."""
    if candidate is None or candidate.share is None or miners.share is None:
        return None, None
    difference = candidate.share - miners.share
    if images < MIN_IMAGES:
        return difference, None
    error = math.sqrt((squares or 0.0) * images / (images - 1))
    half = student_quantile(0.95, images - 1) * error
    return difference, (difference - half, difference + half)


def _left_out(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return {row["why"]: row["challenges"] for row in _rows(connection, "left_out")}


def _wrong_shares(connection: duckdb.DuckDBPyConnection) -> list[WrongShares]:
    return [
        WrongShares(
            None if row["tenths"] is None else row["tenths"] / 10,
            AnswerOutcome(row["candidate"]),
            row["challenges"],
        )
        for row in _rows(connection, "wrong_shares")
    ]


def _rows(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, bool] | None = None
) -> list[dict[str, Any]]:
    return named_rows(connection.execute(statements(f"analytics/listing/{name}"), parameters))
