"""GPS clusters of challenges and source rows: every count told again from the rows themselves."""

import numpy as np
import polars as pl
import pytest
from geopy.distance import geodesic

from analytics.regions.gps_clusters import ClusterReport, gps_clusters
from data.errors import QueryError
from tests.analytics.regions.drawn_positions import around_cities

CHALLENGES = {"phoenix": 60, "boston": 20}
SOURCES = {"phoenix": 10, "boston": 30, "chicago": 40}


def frame(counts: dict[str, int], seed: int, *, names: bool = False) -> pl.DataFrame:
    """Rows around cities, every third with label 1, with two strays and three without GPS."""
    latitudes, longitudes, cities = around_cities(counts, seed=seed)
    north = [*latitudes.tolist(), 48.0, 47.0, None, None, None]
    east = [*longitudes.tolist(), -120.0, -100.0, None, None, None]
    columns = {
        "latitude": pl.Series(north, dtype=pl.Float64),
        "longitude": pl.Series(east, dtype=pl.Float64),
        "label": pl.Series([int(k % 3 == 0) for k in range(len(north))]),
        "city": pl.Series([*cities.tolist(), *["nowhere"] * 5]),
    }
    if names:
        columns["challenge_id"] = pl.Series([f"c{k}" for k in range(len(north))])
    return pl.DataFrame(columns)


@pytest.fixture(scope="module")
def rows() -> tuple[pl.DataFrame, pl.DataFrame]:
    return frame(CHALLENGES, 1, names=True), frame(SOURCES, 2)


@pytest.fixture(scope="module")
def report(rows: tuple[pl.DataFrame, pl.DataFrame]) -> ClusterReport:
    return gps_clusters(*rows)


def test_counts_shares_and_labels_are_those_of_the_rows(
    rows: tuple[pl.DataFrame, pl.DataFrame], report: ClusterReport
) -> None:
    challenges, sources = rows
    assert [cluster.name for cluster in report.clusters] == ["phoenix", "boston", "chicago"]
    for cluster in report.clusters:
        asked = challenges.filter(pl.col("city") == cluster.name)
        known = sources.filter(pl.col("city") == cluster.name)
        assert (cluster.n, cluster.source_rows) == (asked.height, known.height)
        assert cluster.share == pytest.approx(asked.height / 82)
        assert cluster.source_share == pytest.approx(known.height / 82)
        # of no challenge there is no label balance
        assert cluster.roadwork_share == (asked["label"].mean() if asked.height else None)
        assert cluster.source_roadwork_share == pytest.approx(known["label"].mean())
        assert cluster.positions == asked.height + known.height


def test_the_radius_holds_95_percent_of_the_positions(
    rows: tuple[pl.DataFrame, pl.DataFrame], report: ClusterReport
) -> None:
    for cluster in report.clusters:
        centre = cluster.latitude, cluster.longitude
        places = [
            (latitude, longitude)
            for part in rows
            for latitude, longitude, city in part.select("latitude", "longitude", "city").rows()
            if city == cluster.name
        ]
        within = [geodesic(centre, place).km <= cluster.radius_km * 1.0057 for place in places]
        assert 0.94 <= np.mean(within) < 1


def test_what_is_in_no_cluster_is_counted(report: ClusterReport) -> None:
    assert vars(report.challenges) == {"n": 85, "without_position": 3, "elsewhere": 2}
    assert vars(report.sources) == {"n": 85, "without_position": 3, "elsewhere": 2}


def test_members_are_the_challenges_of_the_clusters(
    rows: tuple[pl.DataFrame, pl.DataFrame], report: ClusterReport
) -> None:
    cities = rows[0].filter(pl.col("city") != "nowhere").select("challenge_id", cluster="city")
    assert report.members.sort("challenge_id").equals(cities.sort("challenge_id"))


def test_repeats_change_shares_but_no_place(rows: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    challenges, sources = rows
    boston = challenges.filter(pl.col("city") == "boston")
    once = gps_clusters(challenges, sources)
    often = gps_clusters(pl.concat([challenges, *[boston] * 9]), sources)
    places = [{(c.name, c.latitude, c.longitude, c.radius_km) for c in r.clusters}
              for r in (once, often)]  # fmt: skip
    assert places[0] == places[1]
    assert often.clusters[0].name == "boston"
    assert often.clusters[0].n == 200


def test_challenges_alone_have_clusters(rows: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    alone = gps_clusters(rows[0])
    assert [cluster.name for cluster in alone.clusters] == ["phoenix", "boston"]
    assert {cluster.source_share for cluster in alone.clusters} == {None}
    assert alone.sources.n == 0


def test_no_position_at_all_is_one_clear_line(rows: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    nowhere = rows[0].filter(pl.col("latitude").is_null())
    with pytest.raises(QueryError, match="a GPS position in none of 3 challenges and 0 source"):
        gps_clusters(nowhere)
