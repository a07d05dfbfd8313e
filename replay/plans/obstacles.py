"""Why no image of a challenge can be rebuilt, as far as that is known before an image is read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import SourceError
from data.sources.shards import Shards
from replay.rebuilding.fidelity import Reason

# Images that are rows of no public data set.
_UNSHARED_SOURCES = {"synthetic": Reason.SYNTHETIC, "api": Reason.API}


@dataclass(frozen=True)
class Obstacle:
    """Why there is no image; `detail` says for a person what the reason is about."""

    reason: Reason
    detail: str | None = None


@dataclass(frozen=True, eq=False)
class Obstacles:
    """The obstacles of many challenges: each one's index in `distinct`, -1 where nothing hinders.

    A rebuild may still find that an image is damaged or another one.
    """

    distinct: tuple[Obstacle, ...]
    indices: npt.NDArray[np.int32]


def obstacles_of(challenges: pa.Table, shards: Shards) -> Obstacles:
    """The obstacles of challenges (`stored_challenges.SCHEMA`); each source is looked up once."""
    indices = np.full(challenges.num_rows, -1, np.int32)
    distinct: list[Obstacle] = []

    def hinder(where: npt.NDArray[np.bool_], obstacle: Obstacle) -> None:
        indices[where & (indices < 0)] = len(distinct)
        distinct.append(obstacle)

    for source, reason in _UNSHARED_SOURCES.items():
        hinder(_true(pc.equal(challenges["source"], source)), Obstacle(reason))
    unnamed = pc.or_(pc.is_null(challenges["parquet"]), pc.is_null(challenges["row"]))
    hinder(_true(unnamed), Obstacle(Reason.UNNAMED))
    hinder(_true(pc.is_null(challenges["geometry"])), Obstacle(Reason.PARAMETERS))
    named = np.flatnonzero(indices < 0)
    sources, source_of = distinct_sources(challenges, named)
    of_source = np.full(len(sources), -1, np.int32)
    for place, (parquet, row) in enumerate(sources):
        if (missing := _missing(parquet, row, shards)) is not None:
            of_source[place] = len(distinct)
            distinct.append(missing)
    indices[named] = of_source[source_of]
    return Obstacles(tuple(distinct), indices)


@dataclass(frozen=True)
class SameSource:
    """How many challenges of one kind name one source image, and their common obstacle if any."""

    source: str | None
    parquet: str | None
    row: int | None
    obstacle: Obstacle | None
    challenges: int


def count_by_source(challenges: pa.Table, shards: Shards) -> list[SameSource]:
    """Count challenges (`stored_challenges.SCHEMA`) by what they name and what hinders them."""
    obstacles = obstacles_of(challenges, shards)
    named = challenges.select(["source", "parquet", "row"])
    keyed = named.append_column("obstacle", pa.array(obstacles.indices))
    grouped = keyed.group_by(keyed.column_names, use_threads=False).aggregate([([], "count_all")])
    return [
        SameSource(
            group["source"],
            group["parquet"],
            group["row"],
            None if group["obstacle"] < 0 else obstacles.distinct[group["obstacle"]],
            group["count_all"],
        )
        for group in grouped.to_pylist()
    ]


def distinct_sources(
    challenges: pa.Table, positions: npt.NDArray[np.int64]
) -> tuple[list[tuple[str, int]], npt.NDArray[np.int64]]:
    """The different (shard, row) that the challenges at some positions name, and which is whose.

    Args:
        challenges: of `stored_challenges.SCHEMA`.
        positions: of challenges that name both.

    Returns:
        The sources, and for each position the index of its own.
    """
    named = challenges.select(["parquet", "row"]).take(pa.array(positions)).combine_chunks()
    if not named.num_rows:
        return [], np.empty(0, np.int64)
    shards, rows = named["parquet"].chunk(0), named["row"].chunk(0).dictionary_encode()
    pairs = shards.indices.to_numpy() * np.int64(len(rows.dictionary)) + rows.indices.to_numpy()
    encoded = pa.array(pairs).dictionary_encode()
    names, labels = shards.dictionary.to_pylist(), rows.dictionary.to_pylist()
    sources = [
        (names[pair // len(labels)], labels[pair % len(labels)])
        for pair in encoded.dictionary.to_pylist()
    ]
    return sources, encoded.indices.to_numpy().astype(np.int64)


def _missing(parquet: str, row: int, shards: Shards) -> Obstacle | None:
    if (parquet, row) in shards.cached:
        return None
    if parquet not in shards:
        unfinished = shards.unfinished_download(parquet)
        begun = "" if unfinished is None else f": {unfinished.name} is an unfinished download of it"
        return Obstacle(Reason.SHARD_MISSING, parquet + begun)
    try:
        if shards.locations(parquet, row):
            return None
        rows = shards[parquet].rows
    except SourceError as error:
        return Obstacle(Reason.BYTES, str(error))
    return Obstacle(Reason.ROW_MISSING, f"row {row} of {rows} in {parquet}")


def _true(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a column is true; a NULL is not."""
    true: npt.NDArray[np.bool_] = pc.fill_null(values, False).to_numpy()
    return true
