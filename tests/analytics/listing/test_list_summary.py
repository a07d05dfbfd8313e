"""Shares of right answers of a list and their clustered intervals, against NumPy over the rows."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats

from analytics.listing.challenge_filter import ChallengeFilter
from analytics.listing.challenge_list import ChallengeList
from analytics.listing.list_summary import ListSummary, list_summary
from analytics.warehouse.connection import reading
from data.store import Store
from tests.analytics.listing.listed_world import RUN, fill_listed_world


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("summary"))
    fill_listed_world(store)
    return store


@pytest.fixture(scope="module")
def listed(store: Store) -> Iterator[ChallengeList]:
    listed = ChallengeList(store, RUN)
    yield listed
    listed.close()


@pytest.fixture(scope="module")
def challenges(store: Store) -> pl.DataFrame:
    """A row a challenge: image, label, candidate's outcome, and miners' answers counted."""
    with reading(store) as connection:
        media: pl.DataFrame = connection.sql("FROM media").pl()
        responses: pl.DataFrame = connection.sql("FROM responses").pl()
        replayed: pl.DataFrame = connection.sql("FROM replay_predictions").pl()
    classed = responses.join(media.select("challenge_id", "label"), on="challenge_id").filter(
        pl.col("prediction").is_not_null() & (pl.col("prediction") != -1)
    )
    right = [round(p) == label for p, label in classed.select("prediction", "label").iter_rows()]
    answered = (
        classed.with_columns(pl.Series("right", right))
        .group_by("challenge_id")
        .agg(answered=pl.len(), correct=pl.col("right").sum())
    )
    asked = responses.group_by("challenge_id").agg(asked=pl.len())
    candidate = replayed.filter(pl.col("run_id") == RUN).select("challenge_id", "probability")
    challenges: pl.DataFrame = (
        media.join(asked, on="challenge_id", how="left")
        .join(answered, on="challenge_id", how="left")
        .join(candidate, on="challenge_id", how="left")
        .with_columns(pl.col("asked", "answered", "correct").fill_null(0))
        .with_columns(
            image=pl.when(pl.col("parquet").is_null())
            .then(pl.col("challenge_id"))
            .otherwise(pl.col("row").cast(pl.String)),
            known=pl.col("probability").is_finite().fill_null(value=False)
            & (pl.col("probability") != -1),
        )
        .with_columns(
            right=pl.col("known")
            & ((pl.col("probability") > 0.5).cast(pl.Int8) == pl.col("label")),
        )
    )
    return challenges


def total(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].to_numpy().sum())


def clustered(frame: pl.DataFrame, part: str, whole: str) -> np.ndarray:
    """Linearised residuals of the share by image, over all images that have answers."""
    sums = frame.group_by("image").agg(pl.col(part, whole).cast(pl.Float64).sum())
    share = total(sums, part) / total(sums, whole)
    return (sums[part] - share * sums[whole]).to_numpy() / total(sums, whole)


def summary(listed: ChallengeList, chosen: ChallengeFilter) -> ListSummary:
    with listed.matching(chosen) as connection:
        return list_summary(connection, with_candidate=True)


def test_counts_and_shares_are_those_of_the_rows(
    listed: ChallengeList, challenges: pl.DataFrame
) -> None:
    for chosen, rows in (
        (ChallengeFilter(), challenges),
        (ChallengeFilter(eras=("E7",)), challenges.filter(pl.col("era") == "E7")),
        (
            ChallengeFilter(label=1, levels=(2, 3)),
            challenges.filter((pl.col("label") == 1) & pl.col("aug_level").is_in([2, 3])),
        ),
    ):
        found, known = summary(listed, chosen), rows.filter("known")
        assert (found.matching, found.total) == (rows.height, challenges.height)
        assert found.candidate is not None
        assert found.candidate.answered == known.height
        assert found.candidate.correct == total(known, "right")
        assert found.candidate.images == known["image"].n_unique()
        assert found.miners.answered == total(known, "answered")
        assert found.miners.correct == total(known, "correct")
        assert found.miners.images == known.filter(pl.col("answered") > 0)["image"].n_unique()
        assert found.silent == total(known, "asked") - total(known, "answered")
        assert sum(found.left_out.values()) == rows.height - known.height
        drawn = sum(one.challenges for one in found.wrong_shares)
        assert drawn == rows.height


def test_intervals_are_clustered_by_source_image(
    listed: ChallengeList, challenges: pl.DataFrame
) -> None:
    found, known = summary(listed, ChallengeFilter()), challenges.filter("known")
    assert found.candidate is not None
    rows = known.with_columns(one=pl.lit(1))
    residuals = clustered(rows, "right", "one")
    images = len(residuals)
    variance = (residuals**2).sum() * images / (images - 1)
    share = known["right"].mean()
    assert isinstance(share, float)
    # Wilson's interval solves |p - share| = t sqrt(p (1 - p) / effective)
    effective = min(known.height, share * (1 - share) / variance)
    quantile = stats.t.ppf(0.975, images - 1)

    def excess(p: float) -> float:
        return float(abs(p - share) - quantile * math.sqrt(p * (1 - p) / effective))

    ends = (optimize.brentq(excess, 1e-9, share), optimize.brentq(excess, share, 1 - 1e-9))
    assert found.candidate.interval == pytest.approx(ends, abs=1e-9)


def test_the_difference_is_paired_by_source_image(
    listed: ChallengeList, challenges: pl.DataFrame
) -> None:
    found = summary(listed, ChallengeFilter())
    known = challenges.filter("known").with_columns(one=pl.lit(1)).sort("image")
    sums = known.group_by("image").agg(pl.col("right", "one", "correct", "answered").sum())
    both = (sums["right"] - total(sums, "right") / total(sums, "one") * sums["one"]) / sums[
        "one"
    ].sum()
    theirs = sums["correct"] - total(sums, "correct") / total(sums, "answered") * sums["answered"]
    squares = ((both - theirs / total(sums, "answered")) ** 2).sum()
    half = stats.t.ppf(0.975, sums.height - 1) * math.sqrt(
        squares * sums.height / (sums.height - 1)
    )
    assert found.difference_interval is not None
    assert found.difference is not None
    assert found.difference_interval == pytest.approx(
        (found.difference - half, found.difference + half), abs=1e-9
    )
    assert found.candidate is not None
    assert found.difference == pytest.approx(
        found.candidate.correct / found.candidate.answered
        - found.miners.correct / found.miners.answered
    )


def test_of_a_named_miner_only_its_answers_count(listed: ChallengeList, store: Store) -> None:
    found = summary(listed, ChallengeFilter(miner="3:5a"))
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT prediction, label FROM responses JOIN media USING (challenge_id) "
            "JOIN replay_predictions AS r USING (challenge_id) WHERE uid = 3 AND hotkey = '5a' "
            "AND r.run_id = 'replay-a' AND isfinite(r.probability) AND r.probability <> -1"
        ).fetchall()
    known = [(p, label) for p, label in rows if p is not None and p != -1]
    assert found.miners.answered == len(known) > 0
    assert found.miners.correct == sum(round(p) == label for p, label in known)


def test_few_images_give_no_interval_and_nothing_is_no_error(listed: ChallengeList) -> None:
    few = summary(listed, ChallengeFilter(eras=("E5",), cities=("none",), label=1))
    assert few.candidate is not None
    assert 0 < few.candidate.images < 10
    assert few.candidate.interval is None
    nothing = summary(listed, ChallengeFilter(id_prefix="zz"))
    assert (nothing.matching, nothing.miners.share, nothing.difference) == (0, None, None)


def test_without_a_replay_there_is_no_candidate(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill_listed_world(store)
    listed = ChallengeList(store, None)
    with listed.matching(ChallengeFilter()) as connection:
        found = list_summary(connection, with_candidate=False)
    listed.close()
    assert found.candidate is None
    assert found.left_out == {}
    assert found.miners.answered > 0
