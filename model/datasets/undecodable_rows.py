"""Rows whose image cannot be decoded whole, found before a training instead of in its middle."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from data.sources.shards import Shards
from model.datasets.challenge_draws import draw_challenge
from model.datasets.settings import DatasetSettings, Era
from model.rows.streets import name_order
from model.rows.training_row import TrainingRow
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder


def undecodable_rows(
    shards: Shards,
    rows: Sequence[TrainingRow],
    threads: int,
    on_progress: Callable[[int], object] = lambda _: None,
    era: Era = "crop",
) -> dict[int, Reason]:
    """Indices of the rows of which no challenge can be rebuilt, each with the reason.

    Every row's challenge of level 0 is rebuilt as a training rebuilds it, whole image and all: what
    passes here does not fail there unless a file changes.

    Args:
        shards: the rows' sources; every thread opens them anew.
        rows: in any order; they are read in that of shard and row.
        threads: decoding and encoding release Python's lock.
        on_progress: called with 1 for each row done, from any thread.
        era: a letterbox cannot show an image over 224 times as wide as it is high.
    """
    undistorted = DatasetSettings(era=era, level_shares=(1.0, 0.0, 0.0, 0.0))

    def failures(indices: Sequence[int]) -> dict[int, Reason]:
        rebuilder = Rebuilder(Shards(shards.folder))
        reasons = {}
        for index in indices:
            try:
                rebuilder.pixels(draw_challenge(rows[index], index, 0, 0, undistorted).challenge)
            except CannotRebuildError as error:
                reasons[index] = error.reason
            on_progress(1)
        return reasons

    order = name_order(rows)
    bounds = [len(order) * part // threads for part in range(threads + 1)]
    parts = [order[start:end] for start, end in pairwise(bounds)]
    with ThreadPoolExecutor(threads) as pool:
        reason_by_row = [pair for part in pool.map(failures, parts) for pair in part.items()]
    return dict(sorted(reason_by_row))
