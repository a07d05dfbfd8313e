"""The images of a replay's parts, built in this process or ahead of it in several others."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, cached_property, partial

import cv2

from data.machine.processes import Work, processes
from data.sources.shards import Shards
from data.sources.source_path import SourcePath
from replay.candidates.predictor import Image
from replay.plans.plan import Planned
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from replay.rebuilding.variants import Variant
from replay.settings import Arithmetic

PlannedImage = tuple[Planned, Variant]
"""One image to rebuild: its challenge, and which of the challenge's variants it is."""

Built = Image | CannotRebuildError
"""A decoded image, or why it cannot be rebuilt."""

_WORK = Work("rebuilding images", "what was done is kept: run the same again with --workers 1")


class PartImages(ABC):
    """Some images of one part. All are built at the first look at one of them, or ahead of that.

    So it is known what cannot be rebuilt before a candidate is asked about the rest.
    """

    def image(self, index: int) -> Image:
        """The decoded JPEG of the image at `index`.

        Raises:
            CannotRebuildError: it cannot be rebuilt.
            RunError: a worker process died.
        """
        built = self._built[index]
        if isinstance(built, CannotRebuildError):
            raise built
        return built

    @cached_property
    def failures(self) -> Mapping[str, CannotRebuildError]:
        """By challenge, why its images cannot be rebuilt; all images are built for that.

        Raises:
            RunError: a worker process died.
        """
        return {
            built.challenge_id: built
            for built in self._built
            if isinstance(built, CannotRebuildError)
        }

    @property
    def awaited(self) -> bool:
        """Whether others are building them, so that a look would have to wait."""
        return False

    @cached_property
    @abstractmethod
    def _built(self) -> Sequence[Built]:
        """Each image, or why it cannot be rebuilt."""

    @abstractmethod
    def build_ahead(self) -> None:
        """Begin to build them all, where that can be done beside other work."""


ImageBuilder = Callable[[Sequence[PlannedImage]], PartImages]
"""Makes the `PartImages` of some images of a part."""


@contextmanager
def image_builder(
    shards: Shards, seed: int, workers: int, arithmetic: Arithmetic = Arithmetic.AVX2
) -> Iterator[ImageBuilder]:
    """Build images in this process for fewer than two `workers`, else in so many others.

    Args:
        shards: the source images.
        seed: of the noise of level 3.
        workers: processes; each takes seconds to start and about 1 GB of memory.
        arithmetic: of the validator's processor.

    Raises:
        RunError: a process died, in its work or between two parts.
    """
    if workers <= 1:
        yield partial(_ImagesOfThisProcess, Rebuilder(shards, seed, arithmetic=arithmetic))
        return
    with processes(workers, _start, shards.folder, seed, arithmetic, work=_WORK) as pool:
        yield partial(_ImagesOfWorkers, pool, workers)


class _ImagesOfThisProcess(PartImages):
    def __init__(self, rebuilder: Rebuilder, planned_images: Sequence[PlannedImage]) -> None:
        self._rebuilder, self._planned_images = rebuilder, planned_images

    @cached_property
    def _built(self) -> Sequence[Built]:
        return _build_all(self._rebuilder, self._planned_images)

    def build_ahead(self) -> None:
        """Nothing: this process builds them itself, at the first look."""


class _ImagesOfWorkers(PartImages):
    """Each process builds one chunk of the part, so that it decodes each source once."""

    def __init__(
        self, pool: ProcessPoolExecutor, workers: int, planned_images: Sequence[PlannedImage]
    ) -> None:
        self._pool = pool
        self._chunks = _chunks(planned_images, workers)
        self._futures: list[Future[list[Built]]] = []

    @cached_property
    def _built(self) -> Sequence[Built]:
        self.build_ahead()
        with _WORK.raising_run_error():
            return [built for future in self._futures for built in future.result()]

    @property
    def awaited(self) -> bool:
        return not all(future.done() for future in self._futures)

    def build_ahead(self) -> None:
        if not self._futures:
            with _WORK.raising_run_error():
                self._futures = [self._pool.submit(_build, chunk) for chunk in self._chunks]


def _chunks(planned_images: Sequence[PlannedImage], count: int) -> list[Sequence[PlannedImage]]:
    """At most `count` runs of undivided challenges, about equally many images in each."""
    starts = [0]
    for index in range(1, len(planned_images)):
        challenge_begins = planned_images[index][0] is not planned_images[index - 1][0]
        if challenge_begins and index * count >= len(starts) * len(planned_images):
            starts.append(index)
    ends = [*starts[1:], len(planned_images)]
    return [
        planned_images[start:end] for start, end in zip(starts, ends, strict=True) if end > start
    ]


_rebuilder: Callable[[], Rebuilder] | None = None


def _start(folder: SourcePath, seed: int, arithmetic: Arithmetic) -> None:
    """In a new process: its own sources, and one thread, for the others have theirs."""
    global _rebuilder  # noqa: PLW0603  (a process pool gives its tasks nothing else to keep it in)
    cv2.setNumThreads(1)
    # made by the first task, which can tell an error of a server: here it would be a trace
    _rebuilder = cache(lambda: Rebuilder(Shards(folder), seed, arithmetic=arithmetic))


def _build(planned_images: Sequence[PlannedImage]) -> list[Built]:
    if _rebuilder is None:
        raise RuntimeError("a worker builds images before it was started")
    return _build_all(_rebuilder(), planned_images)


def _build_all(rebuilder: Rebuilder, planned_images: Sequence[PlannedImage]) -> list[Built]:
    """Every image; a challenge whose source failed once is not tried for its other images."""
    built: list[Built] = []
    failed: dict[str, CannotRebuildError] = {}
    for item, variant in planned_images:
        challenge_id = item.challenge.challenge_id
        if challenge_id in failed:
            built.append(failed[challenge_id])
            continue
        try:
            built.append(_decoded(rebuilder, item, variant))
        except CannotRebuildError as error:
            failed[challenge_id] = error
            built.append(error)
    return built


def _decoded(rebuilder: Rebuilder, item: Planned, variant: Variant) -> Image:
    return rebuilder.rebuild(item.challenge, variant).decoded()
