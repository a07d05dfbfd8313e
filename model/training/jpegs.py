"""The JPEGs of samples, rebuilt of source rows in threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from data.sources.shards import Shards
from model.training.samples import Sample
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
    """The JPEG of each sample, some 10 KB; samples come in order of shard and row.

    Args:
        samples: all of a row's side by side.
        shards: their sources; every thread opens them anew.
        seed: of the noise of level 3.
        threads: decoding and encoding let others run; they change no byte.
        on_progress: called with 1 for each image done, from any thread.
        arithmetic: of the validator's processor.
    """

    def build(run: Sequence[Sample]) -> list[JpegOrError]:
        rebuilder = Rebuilder(Shards(shards.folder), seed, arithmetic=arithmetic)
        built = []
        for sample in run:
            built.append(_jpeg(rebuilder, sample))
            on_progress(1)
        return built

    with ThreadPoolExecutor(threads) as pool:
        return [one for run in pool.map(build, _runs(samples, threads)) for one in run]


def _jpeg(rebuilder: Rebuilder, sample: Sample) -> JpegOrError:
    try:
        return rebuilder.rebuild(sample.challenge, sample.variant).jpeg
    except CannotRebuildError as error:
        return error


def _runs(samples: Sequence[Sample], count: int) -> list[Sequence[Sample]]:
    """At most `count` runs of whole rows, about equally long."""
    firsts = [k for k, one in enumerate(samples) if k == 0 or one.row != samples[k - 1].row]
    starts = [firsts[len(firsts) * k // count] for k in range(min(count, len(firsts)))]
    return [samples[a:b] for a, b in zip(starts, [*starts[1:], len(samples)], strict=True)]
