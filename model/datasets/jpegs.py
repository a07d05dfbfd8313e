"""The JPEGs of samples, rebuilt from source rows in threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from data.sources.shards import Shards
from model.datasets.challenge_draws import Sample
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from replay.settings import Arithmetic

JpegOrError = bytes | CannotRebuildError
"""The JPEG that is sent, or why there is none."""


def build_jpegs(
    samples: Sequence[Sample],
    shards: Shards,
    seed: int,
    threads: int,
    on_progress: Callable[[int], object] = lambda _: None,
    arithmetic: Arithmetic = Arithmetic.AVX2,
) -> list[JpegOrError]:
    """The JPEG of each sample, some 10 KB each.

    Args:
        samples: in order of shard and row, all of a row's side by side.
        shards: their sources; every thread opens them anew.
        seed: of the noise of level 3.
        threads: decoding and encoding release Python's lock; threads change no byte.
        on_progress: called with 1 for each image done, from any thread.
        arithmetic: of the validator's processor.
    """

    def build(part: Sequence[Sample]) -> list[JpegOrError]:
        rebuilder = Rebuilder(Shards(shards.folder), seed, arithmetic=arithmetic)
        jpegs = []
        for sample in part:
            jpegs.append(_jpeg(rebuilder, sample))
            on_progress(1)
        return jpegs

    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(build, _split_by_row(samples, threads))
        return [jpeg for part in parts for jpeg in part]


def _jpeg(rebuilder: Rebuilder, sample: Sample) -> JpegOrError:
    try:
        return rebuilder.rebuild(sample.challenge, sample.variant).jpeg
    except CannotRebuildError as error:
        return error


def _split_by_row(samples: Sequence[Sample], count: int) -> list[Sequence[Sample]]:
    """At most `count` parts of about equal length; no row is in two of them."""
    row_starts = [
        index
        for index, sample in enumerate(samples)
        if index == 0 or sample.row != samples[index - 1].row
    ]
    rows, parts = len(row_starts), min(count, len(row_starts))
    starts = [row_starts[rows * part // parts] for part in range(parts)]
    ends = [*starts[1:], len(samples)] if samples else []
    return [samples[start:end] for start, end in zip(starts, ends, strict=True)]
