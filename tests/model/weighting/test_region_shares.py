"""Shares of regions against geopy's distances."""

import numpy as np
import polars as pl
import pytest
from geopy.distance import great_circle

from data.errors import RunError
from model.weighting.evidence import Evidence, source_rows
from model.weighting.policy import GpsPolicy, WeightPolicy
from model.weighting.region_shares import region_shares
from model.weighting.sample_weights import weigh
from tests.model.weighting.weighing_world import rows_of, sources

CENTRES = {"denver": (39.7392, -104.9903), "boston": (42.3601, -71.0589)}


def evidence() -> Evidence:
    clusters = [(name, *centre) for name, centre in CENTRES.items()]
    logged = [CENTRES["denver"]] * 90 + [CENTRES["boston"]] * 10
    return Evidence(
        rows=source_rows(rows_of(sources())).sample(fraction=1.0, shuffle=True, seed=1),
        logged=pl.DataFrame(logged, schema=["latitude", "longitude"], orient="row"),
        clusters=pl.DataFrame(clusters, schema=["name", "latitude", "longitude"], orient="row"),
    )


def test_weights_near_each_centre_are_summed() -> None:
    world = evidence()
    weight = weigh(world).table["weight"].to_numpy()
    shares = region_shares(world, weight, GpsPolicy())

    rows = world.rows.sort("source", "row").with_columns(weight=pl.Series(weight))
    known = rows.drop_nulls("latitude")
    assert known.height < rows.height
    assert [one.name for one in shares] == ["denver", "boston"]
    for one in shares:
        near = [
            great_circle((row["latitude"], row["longitude"]), CENTRES[one.name]).km <= 50
            for row in known.iter_rows(named=True)
        ]
        assert one.rows == sum(near) > 0
        assert one.row_share == pytest.approx(sum(near) / known.height)
        weights = known["weight"].to_numpy()
        expected = weights[near].sum() / weights.sum()
        assert one.weight_share == pytest.approx(expected)
        assert one.with_gps == known.height
    assert shares[0].is_target
    assert shares[0].weight_share > shares[0].row_share
    assert (shares[0].log_share, shares[1].log_share) == (0.9, 0.1)


def test_equal_weights_change_no_share() -> None:
    world = evidence()
    for one in region_shares(world, np.ones(world.rows.height), GpsPolicy()):
        assert one.weight_share == pytest.approx(one.row_share)


def test_places_of_the_policy_have_no_share_of_the_log() -> None:
    policy = GpsPolicy(latitudes=(CENTRES["boston"][0],), longitudes=(CENTRES["boston"][1],))
    world = evidence()
    weight = weigh(world, WeightPolicy(gps=policy)).table["weight"].to_numpy()
    [one] = region_shares(world, weight, policy)
    assert one.log_share is None
    assert one.weight_share > one.row_share


def test_rows_without_gps() -> None:
    world = evidence()
    no_gps = world.rows.with_columns(latitude=pl.lit(None, pl.Float64))
    with pytest.raises(RunError, match="GPS of 240 source rows"):
        region_shares(Evidence(rows=no_gps), np.ones(240), GpsPolicy())


def test_weights_of_nought() -> None:
    world = evidence()
    shares = region_shares(world, np.zeros(world.rows.height), GpsPolicy())
    assert {one.weight_share for one in shares} == {0.0}
