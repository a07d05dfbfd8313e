"""The interface of a candidate: a predictor turns a batch of images into probabilities."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from data.errors import RunError

Image = npt.NDArray[np.uint8]
"""One decoded JPEG: uint8, (H, W, 3) RGB, any size."""


TRAINING_ROWS = "training_rows.parquet"
"""What a candidate was trained on: the file's name in a checkpoint's folder, and in a run's."""

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """A sequence whose entries are computed on access: with cached features they may never be."""

    def __init__(self, makers: Sequence[Callable[[], T]]) -> None:
        self._makers = makers

    def __len__(self) -> int:
        return len(self._makers)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [make() for make in self._makers[index]]
        return self._makers[index]()

    def __iter__(self) -> Iterator[T]:
        return (make() for make in self._makers)


@dataclass(frozen=True)
class Batch:
    """A batch of images to predict: parallel sequences, one entry per image.

    `image_keys` name the images by all that determines them, so that a predictor with cached
    features need not look at them, see `known_keys`; equal keys are equal pixels. `metadata` is
    None unless the predictor asked for it: the deployed model never sees any.
    """

    challenge_ids: Sequence[str]
    images: Sequence[Image]
    metadata: Sequence[Mapping[str, Any]] | None = None
    image_keys: Sequence[str] | None = None


@dataclass(frozen=True)
class Predictions:
    """Answers to a batch: `probability` of roadwork, float64 (B,) in 0..1, and optional columns.

    `gates`, where the model has some: float32 (B, views) in 0..1, kept as `replay_gates`. A view's
    share is taken to be its gate divided by the sum of its image's gates.
    """

    probability: npt.NDArray[np.float64]
    gates: npt.NDArray[np.float32] | None = None


class BegunPredictions(Protocol):
    """Answers that a device may still be computing; a `concurrent.futures.Future` is one."""

    def done(self) -> bool:
        """Whether `result` would give them without waiting."""

    def result(self) -> Predictions:
        """The answers, waited for.

        Raises:
            StreetReplayError: as `Predictor.predict`.
        """


class Predictor(Protocol):
    """A candidate. `name` is for people; `fingerprint` changes whenever its answers could.

    Attributes that may be left out: `training_rows`, `precision`, `batch_size`, `begin_predict`,
    `checkpoint_sha256` and `known_keys`, see the functions of that name.
    """

    @property
    def name(self) -> str:
        """What the candidate is called in reports."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that determines the answers (weights, settings, code version)."""

    @property
    def wants_metadata(self) -> bool:
        """True if it is to be given metadata; such a run is marked and never the main result."""

    def predict(self, batch: Batch) -> Predictions:
        """The probabilities of a batch."""


def training_rows(predictor: Predictor) -> Path | None:
    """The file of the rows that a candidate was trained on; None where it names none.

    It is the optional attribute `training_rows` of a predictor, a `Path` or None, of a file that
    `analytics.leaks.training_rows.read_training_rows` reads. A replay keeps a copy, and `compare`
    leaves out what overlaps with it.

    Raises:
        RunError: the attribute is something else.
    """
    file = getattr(predictor, "training_rows", None)
    if file is None or isinstance(file, Path):
        return file
    raise RunError(
        f"training_rows of {predictor.name}",
        found=f"a {type(file).__name__}",
        expected="a pathlib.Path, or None",
    )


def precision(predictor: Predictor) -> str:
    """What a candidate's floats are, such as `bfloat16`, as `run.json` tells it.

    It is the optional attribute `precision` of a predictor; without it, float32.

    Raises:
        RunError: the attribute is no text.
    """
    floats = getattr(predictor, "precision", "float32")
    if isinstance(floats, str):
        return floats
    raise RunError(
        f"precision of {predictor.name}", found=f"a {type(floats).__name__}", expected="text"
    )


def batch_size(predictor: Predictor) -> int:
    """How many images cost as much as one: a candidate that fills up its batches asks for several.

    It is the optional attribute `batch_size` of a predictor; without it, 1.
    """
    size = getattr(predictor, "batch_size", 1)
    return size if isinstance(size, int) and size > 0 else 1


def begin_predict(predictor: Predictor, batch: Batch) -> BegunPredictions:
    """Let a candidate begin with a batch, so that the next one is prepared while it computes.

    It is the optional method `begin_predict` of a predictor whose device computes by itself. All
    that is wanted of the batch has been looked at when it returns, and further batches may be begun
    before the first is waited for. Without it, `predict` answers at once.

    Raises:
        StreetReplayError: as `Predictor.predict`.
    """
    begin: Callable[[Batch], BegunPredictions] | None = getattr(predictor, "begin_predict", None)
    if begin is not None:
        return begin(batch)
    answered: Future[Predictions] = Future()
    answered.set_result(predictor.predict(batch))
    return answered


def known_keys(predictor: Predictor) -> Callable[[Sequence[str]], Collection[str]] | None:
    """Which of some image keys a candidate needs no image for, as it has features of them.

    It is the optional method `known_keys(image_keys)` of a predictor; another thread may call it
    while `predict` runs. The images of all other keys are rebuilt before `predict` is called; that
    of a known key where `predict` looks at it after all. Without the method, all are rebuilt.
    """
    ask: Callable[[Sequence[str]], Collection[str]] | None
    ask = getattr(predictor, "known_keys", None)
    return ask


def checkpoint_sha256(predictor: Predictor) -> str | None:
    """The hash of the checkpoint's weights that a candidate answers by, as a miner would be served.

    It is the optional attribute `checkpoint_sha256` of a predictor; None for other candidates, and
    for a checkpoint that is asked in another way, such as with fewer views or with metadata.
    """
    sha256 = getattr(predictor, "checkpoint_sha256", None)
    return sha256 if isinstance(sha256, str) else None
