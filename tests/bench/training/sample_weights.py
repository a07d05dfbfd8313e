"""A million source rows weighed by every factor, against geopy's loop for the distances alone."""

import time

import numpy as np
import polars as pl
from geopy.distance import geodesic

from data.machine.processes import cores
from data.records.cities import CITIES
from data.terminal import print_table, say
from model.weighting.evidence import Evidence
from model.weighting.policy import GpsPolicy, WeightPolicy
from model.weighting.sample_weights import weigh
from model.weighting.targets import Place, nearest_km

ROWS = 1_000_000
LOOPED = 300
TARGETS = 6
REPEATS = 3


def evidence(count: int) -> Evidence:
    """Rows of all cities, a tenth without GPS, and something for every factor."""
    rng = np.random.default_rng(0)
    names = np.array(list(CITIES))
    city = rng.integers(len(names), size=count)
    centres = np.array(list(CITIES.values()))[city] + rng.normal(0, 0.2, (count, 2))
    known = rng.random(count) > 0.1
    number = np.arange(count)
    rows = pl.DataFrame(
        {
            "source": [f"train-{shard:05d}.parquet" for shard in number // 4000],
            "row": number % 4000,
            "label": rng.integers(2, size=count),
            "scene": pl.Series(number // 2).cast(pl.String),
            "latitude": pl.Series(np.where(known, centres[:, 0], np.nan)).fill_nan(None),
            "longitude": pl.Series(np.where(known, centres[:, 1], np.nan)).fill_nan(None),
            "city": names[city],
            "daytime": rng.choice(["Light", "Dark", "Twilight"], count),
            "environment": rng.choice(["Urban", "Rural", "Highway"], count),
            "weather": pl.Series(rng.choice(["Sunny", "Wet", "Fog"], count))
            .reshape((count, 1))
            .arr.to_list(),
            "image size": rng.choice(["1920 x 1080", "4032 x 3024"], count),
            "null_pattern": rng.choice(["", "gps null", "gps null, city absent"], count),
        }
    )
    logged = rows.sample(count // 20, seed=0).select("source", "row")
    pairs = {
        "city": list(CITIES),
        "daytime": ["Dark", "Light"],
        "environment": ["Rural", "Urban"],
        "weather": ["Wet", "Sunny"],
        "image size": ["4032 x 3024", "1920 x 1080"],
    }
    slices = pl.DataFrame(
        [
            {"field": field, "value": value, "n": 500, "share": 0.1, "right": 300, "wrong": 200}
            | {"cost": cost, "low": cost - 0.002, "high": cost + 0.002}
            for field, values in pairs.items()
            for value, cost in zip(values, [0.02, 0.0] * (len(values) // 2), strict=True)
        ]
    )
    changes = slices.with_columns(view=pl.lit(1), difference=pl.lit(0.2)).with_columns(
        low=pl.lit(0.15), high=pl.lit(0.25)
    )
    return Evidence(
        rows=rows,
        slice_losses=slices,
        gate_changes=changes,
        difficulties=logged.with_columns(difficulty=pl.Series(rng.normal(0, 1, logged.height))),
        doubtful=logged.head(100),
    )


def _targets() -> list[Place]:
    found = list(CITIES.items())[:TARGETS]
    return [Place(name, *place, None, None, 0.1, is_target=True) for name, place in found]


def _geopy_seconds(rows: pl.DataFrame, targets: list[Place]) -> float:
    """Of one row, by the loop that it would be."""
    places = rows.select("latitude", "longitude").drop_nulls().head(LOOPED).rows()
    started = time.perf_counter()
    for place in places:
        min(geodesic(place, (target.latitude, target.longitude)).km for target in targets)
    return (time.perf_counter() - started) / len(places)


def main() -> None:
    """Print seconds for a million rows, and how many times as fast as geopy's loop that is."""
    found, targets = evidence(ROWS), _targets()
    policy = WeightPolicy(
        gps=GpsPolicy(
            latitudes=tuple(target.latitude for target in targets),
            longitudes=tuple(target.longitude for target in targets),
        )
    )
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        weighted = weigh(found, policy)
        middle = time.perf_counter()
        nearest_km(found.rows, targets)
        times.append((middle - started, time.perf_counter() - middle))
    whole, distances = np.median(np.array(times), axis=0).tolist()
    looped = ROWS * _geopy_seconds(found.rows, targets)
    print_table(
        f"{ROWS} rows, {TARGETS} targets, {cores()} cores, medians of {REPEATS}",
        ("what", "seconds", "geopy's loop, seconds", "ratio"),
        [
            ("weights by all factors", whole, looped, looped / whole),
            ("distances alone", distances, looped, looped / distances),
        ],
    )
    say(f"geopy: a geodesic a row and target, of {LOOPED} rows; not used: {list(weighted.reasons)}")


if __name__ == "__main__":
    main()
