"""The images of a replay's parts, built in this process or ahead of it in several others."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path

import cv2

from data.machine.processes import Work, processes
from data.sources.shards import Shards
from replay.candidates.predictor import Image
from replay.plans.plan import Planned
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from replay.rebuilding.variants import Variant
from replay.settings import Arithmetic

PlannedImage = tuple[Planned, Variant]
"""One image: of which challenge, and which of its possible ones."""

Built = Image | CannotRebuildError

_WORK = Work("rebuilding images", "what was done is kept: run the same again with --workers 1")


class PartImages(ABC):
    """The images of one part. All are built at the first look at one of them, or ahead of that.

    So it is known what cannot be had before a candidate has worked for an answer.
    """

    wanted = False
    """True once an image was asked for: a candidate with cached features asks for none."""

    def image(self, index: int) -> Image:
        """The decoded JPEG of the image at `index`.

        Raises:
            CannotRebuildError: it is not to be had.
            RunError: a worker process died.
        """
        self.wanted = True
        built = self._built[index]
        if isinstance(built, CannotRebuildError):
            raise built
        return built

    @cached_property
    def failures(self) -> Mapping[str, CannotRebuildError]:
        """By challenge, why its images are not to be had; all images are built for that.

        Raises:
            RunError: a worker process died.
        """
        self.wanted = True
        errors = (one for one in self._built if isinstance(one, CannotRebuildError))
        return {error.challenge_id: error for error in errors}

    @cached_property
    @abstractmethod
    def _built(self) -> Sequence[Built]:
        """Each image, or why it is not to be had."""

    @abstractmethod
    def build_ahead(self) -> None:
        """Begin to build them all, where that can be done beside other work."""


ImageBuilder = Callable[[Sequence[PlannedImage]], PartImages]
"""From the images of a part to where they can be had."""


@contextmanager
def image_builder(
    shards: Shards, seed: int, workers: int, arithmetic: Arithmetic = Arithmetic.AVX2
) -> Iterator[ImageBuilder]:
    """Where images are built: here for fewer than two `workers`, else in so many processes.

    Args:
        shards: the source images.
        seed: of the noise of level 3.
        workers: processes; each takes seconds to start and about 1 GB of memory.
        arithmetic: of the validator's processor.

    Raises:
        RunError: a process died, in its work or between two parts.
    """
    if workers <= 1:
        yield partial(_Here, Rebuilder(shards, seed, arithmetic=arithmetic))
        return
    with processes(workers, _start, shards.folder, seed, arithmetic, work=_WORK) as pool:
        yield partial(_InProcesses, pool, workers)


class _Here(PartImages):
    def __init__(self, rebuilder: Rebuilder, wanted: Sequence[PlannedImage]) -> None:
        self._rebuilder, self._images = rebuilder, wanted

    @cached_property
    def _built(self) -> Sequence[Built]:
        return _build_all(self._rebuilder, self._images)

    def build_ahead(self) -> None:
        """There is nobody beside us to build them."""


class _InProcesses(PartImages):
    """Each process builds one stretch of the part, so that it decodes each source once."""

    def __init__(
        self, pool: ProcessPoolExecutor, workers: int, wanted: Sequence[PlannedImage]
    ) -> None:
        self._pool = pool
        self._stretches = _stretches(wanted, workers)
        self._begun: list[Future[list[Built]]] = []

    @cached_property
    def _built(self) -> Sequence[Built]:
        self.build_ahead()
        with _WORK.raising_run_error():
            return [one for stretch in self._begun for one in stretch.result()]

    def build_ahead(self) -> None:
        if not self._begun:
            with _WORK.raising_run_error():
                self._begun = [self._pool.submit(_build, stretch) for stretch in self._stretches]


def _stretches(wanted: Sequence[PlannedImage], count: int) -> list[Sequence[PlannedImage]]:
    """At most `count` runs of whole challenges, about equally many images in each."""
    starts = [0]
    for index in range(1, len(wanted)):
        whole = wanted[index][0] is not wanted[index - 1][0]
        if whole and index * count >= len(starts) * len(wanted):
            starts.append(index)
    ends = [*starts[1:], len(wanted)]
    return [wanted[start:end] for start, end in zip(starts, ends, strict=True) if end > start]


_rebuilder: Rebuilder | None = None


def _start(folder: Path, seed: int, arithmetic: Arithmetic) -> None:
    """In a new process: its own sources, and one thread, for the others have theirs."""
    global _rebuilder  # noqa: PLW0603  (a process pool gives its tasks no other place)
    cv2.setNumThreads(1)
    _rebuilder = Rebuilder(Shards(folder), seed, arithmetic=arithmetic)


def _build(wanted: Sequence[PlannedImage]) -> list[Built]:
    if _rebuilder is None:
        raise RuntimeError("a worker builds images before it was started")
    return _build_all(_rebuilder, wanted)


def _build_all(rebuilder: Rebuilder, wanted: Sequence[PlannedImage]) -> list[Built]:
    """Every image; a challenge whose source failed once is not tried for its other images."""
    built: list[Built] = []
    failed: dict[str, CannotRebuildError] = {}
    for item, variant in wanted:
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
