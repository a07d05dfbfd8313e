"""The images of a replay's parts, built in this process or ahead of it in several others."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import cv2

from data.errors import RunError
from data.processes import processes
from data.sources import Shards
from replay.plan import Planned
from replay.predictor import Image
from replay.rebuild import CannotRebuildError, Rebuilder
from replay.settings import Arithmetic
from replay.variants import Drawn

Wanted = tuple[Planned, Drawn]
"""One image: of which challenge, and which of its possible ones."""

Built = Image | CannotRebuildError


class PartImages(Protocol):
    """The images of one part; each is built when first asked for, or ahead of that."""

    def image(self, index: int) -> Image:
        """The decoded JPEG of the image at `index`.

        Raises:
            CannotRebuildError: it is not to be had.
        """

    @property
    def wanted(self) -> bool:
        """True once an image was asked for: a candidate with cached features asks for none."""

    def build_ahead(self) -> None:
        """Begin to build them all, where that can be done beside other work."""


Builder = Callable[[Sequence[Wanted]], PartImages]
"""From the images of a part to where they can be had."""


@contextmanager
def builder(
    shards: Shards, seed: int, workers: int, arithmetic: Arithmetic = Arithmetic.AVX2
) -> Iterator[Builder]:
    """Where images are built: here for fewer than two `workers`, else in so many processes.

    Args:
        shards: the source images.
        seed: of the noise of level 3.
        workers: processes; each takes seconds to start and about 1 GB of memory.
        arithmetic: of the validator's processor.
    """
    if workers <= 1:
        yield partial(_Here, Rebuilder(shards, seed, arithmetic=arithmetic))
        return
    with processes(workers, _start, shards.folder, seed, arithmetic) as pool:
        yield partial(_InProcesses, pool, workers)


class _Here:
    def __init__(self, rebuilder: Rebuilder, wanted: Sequence[Wanted]) -> None:
        self._built = [cache(partial(_decoded, rebuilder, *one)) for one in wanted]
        self.wanted = False

    def image(self, index: int) -> Image:
        self.wanted = True
        return self._built[index]()

    def build_ahead(self) -> None:
        """There is nobody beside us to build them."""


class _InProcesses:
    """Each process builds one stretch of the part, so that it decodes each source once."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int, wanted: Sequence[Wanted]) -> None:
        self._pool = pool
        self._stretches = _stretches(wanted, workers)
        self._begun: list[Future[list[Built]]] = []
        self._places = [
            (number, place)
            for number, stretch in enumerate(self._stretches)
            for place in range(len(stretch))
        ]
        self.wanted = False

    def image(self, index: int) -> Image:
        self.wanted = True
        self.build_ahead()
        number, place = self._places[index]
        try:
            built = self._begun[number].result()[place]
        except BrokenProcessPool:
            raise RunError(
                "rebuilding images",
                found="a worker process that died, perhaps for want of memory",
                remedy="try again with --workers 1",
            ) from None
        if isinstance(built, CannotRebuildError):
            raise built
        return built

    def build_ahead(self) -> None:
        if not self._begun:
            self._begun = [self._pool.submit(_build, stretch) for stretch in self._stretches]


def _stretches(wanted: Sequence[Wanted], count: int) -> list[Sequence[Wanted]]:
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


def _build(wanted: Sequence[Wanted]) -> list[Built]:
    if _rebuilder is None:
        raise RuntimeError("a worker builds images before it was started")
    built: list[Built] = []
    for item, drawn in wanted:
        try:
            built.append(_decoded(_rebuilder, item, drawn))
        except CannotRebuildError as error:
            built.append(error)
    return built


def _decoded(rebuilder: Rebuilder, item: Planned, drawn: Drawn) -> Image:
    return rebuilder.rebuild(item.challenge, drawn).decoded()
