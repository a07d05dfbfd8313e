"""Champion and challenger in each GPS cluster: before and after by place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.bootstrap import MIN_IMAGES, BootstrapSettings, image_repeats
from analytics.comparison.image_confusion import ImageConfusion, image_confusion
from analytics.comparison.intervals import Interval, simultaneous_intervals
from analytics.comparison.paired_answers import CANDIDATE, Challenges, Flags, without_miners
from analytics.regions.cluster_centres import Centres, nearest_cluster
from analytics.regions.gps_clusters import ClusterReport, gps_clusters
from analytics.regions.relation import ELSEWHERE, NO_POSITION
from analytics.scoring.metrics import Floats, mcc_of_tables
from data.errors import QueryError
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.settings import GateSettings


@dataclass(frozen=True)
class ClusterChange:
    """MCC of champion and challenger, -1..1, in a cluster, elsewhere, or where no place is known.

    On `n` challenges of `images` source images; `left_out` others are of the place too. MCC is 0
    where all have one label. `interval`, of the difference, holds for all places at once; None for
    too few images.
    """

    name: str
    n: int
    images: int
    left_out: int
    champion: float
    challenger: float
    difference: float
    interval: Interval | None


def cluster_changes(
    evidence: Evidence, positions: pl.DataFrame, settings: GateSettings = GateSettings()
) -> list[ClusterChange]:
    """Both models in every cluster of challenges, those with most challenges first.

    Args:
        evidence: with positions.
        positions: of all challenges, those left out among them: challenge_id, label, and latitude
            and longitude in degrees or null.
        settings: level and draws of the intervals.
    """
    if evidence.positions is None:
        return []
    places = _places(evidence.positions, positions)
    repeats = _repeats(evidence.champion.image_count, settings.bootstrap)
    scores_by_place = [_scores(evidence, place.members, repeats) for place in places]
    images = [len(np.unique(evidence.champion.images[place.members])) for place in places]
    large = [index for index, count in enumerate(images) if count >= MIN_IMAGES]
    intervals: dict[int, Interval] = {}
    if large:
        differences = np.stack([scores_by_place[index].differences for index in large], axis=1)
        ends = simultaneous_intervals(differences[0], differences[1:], settings.slice_level)
        intervals = {
            index: (float(low), float(high)) for index, (low, high) in zip(large, ends, strict=True)
        }
    return [
        ClusterChange(
            name=place.name,
            n=int(place.members.sum()),
            images=images[index],
            left_out=place.challenges - int(place.members.sum()),
            champion=scores.champion,
            challenger=scores.challenger,
            difference=scores.challenger - scores.champion,
            interval=intervals.get(index),
        )
        for index, (place, scores) in enumerate(zip(places, scores_by_place, strict=True))
    ]


@dataclass(frozen=True)
class _Place:
    """Which of C challenges are of a place, (C,), and how many there are with those left out."""

    name: str
    members: Flags
    challenges: int


def _places(positions: Floats, everything: pl.DataFrame) -> list[_Place]:
    try:
        report = gps_clusters(everything)
    except QueryError:
        # nothing has a position
        return [_Place(NO_POSITION, np.ones(len(positions), np.bool_), everything.height)]
    numbers = _numbers(positions, report)
    counts = [cluster.n for cluster in report.clusters]
    places = [
        _Place(cluster.name, numbers == number, counts[number])
        for number, cluster in enumerate(report.clusters)
    ]
    unknown = np.isnan(positions.sum(axis=1))
    left_out = report.challenges
    places.append(_Place(ELSEWHERE, (numbers < 0) & ~unknown, left_out.elsewhere))
    places.append(_Place(NO_POSITION, unknown, left_out.without_position))
    return [place for place in places if place.challenges]


def _numbers(positions: Floats, report: ClusterReport) -> NDArray[np.int64]:
    """The number of each position's cluster in the report, (C,), negative for none."""
    clusters = report.clusters
    centres = Centres(
        np.array([cluster.latitude for cluster in clusters]),
        np.array([cluster.longitude for cluster in clusters]),
        tuple(cluster.name for cluster in clusters),
    )
    known = ~np.isnan(positions.sum(axis=1))
    numbers = np.full(len(positions), -1, np.int64)
    numbers[known] = nearest_cluster(centres, *positions[known].T)
    return numbers


@dataclass(frozen=True)
class _Scores:
    """MCC of both; `differences`, (1 + draws,), as observed and over resampled source images."""

    champion: float
    challenger: float
    differences: Floats


def _repeats(images: int, settings: BootstrapSettings) -> list[NDArray[np.uint8]]:
    """How often each source image counts: as observed, then in each draw; alike in all places."""
    drawn = [image_repeats(images, settings, draw) for draw in range(settings.draws)]
    return [np.ones(images, np.uint8), *drawn]


def _scores(evidence: Evidence, members: Flags, repeats: list[NDArray[np.uint8]]) -> _Scores:
    sides = [_confusion(side, members) for side in (evidence.champion, evidence.challenger)]
    before, after = (
        mcc_of_tables(np.stack([side.summed(repeat)[0, CANDIDATE] for repeat in repeats]))
        for side in sides
    )
    return _Scores(float(before[0]), float(after[0]), after - before)


def _confusion(side: Challenges, members: Flags) -> ImageConfusion:
    return image_confusion(without_miners(side).within(members), side.positive_shares())


def shown_positions(rows: Sequence[tuple[float, float] | None], repeats: int) -> pl.DataFrame:
    """Positions of challenges that are drawn of source rows, so many of each."""
    gps = [pair or (None, None) for pair in rows for _ in range(repeats)]
    return pl.DataFrame(
        {
            "challenge_id": [str(number) for number in range(len(gps))],
            "label": [None] * len(gps),
            "latitude": [pair[0] for pair in gps],
            "longitude": [pair[1] for pair in gps],
        },
        schema={
            "challenge_id": pl.String,
            "label": pl.Int64,
            "latitude": pl.Float64,
            "longitude": pl.Float64,
        },
    )
