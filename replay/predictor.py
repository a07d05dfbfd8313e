"""What a candidate must be to be replayed: anything that turns a batch of images into answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""One decoded JPEG: uint8, (H, W, 3) RGB, any size."""


class LazyImages(Sequence[Image]):
    """Images that are rebuilt when first looked at: cached features make that needless."""

    def __init__(self, builders: Sequence[Callable[[], Image]]) -> None:
        self._builders = builders
        self._built: dict[int, Image] = {}

    def __len__(self) -> int:
        return len(self._builders)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        if index not in self._built:
            self._built[index] = self._builders[index]()
        return self._built[index]

    def __iter__(self) -> Iterator[Image]:
        return (self[i] for i in range(len(self)))


@dataclass(frozen=True)
class Batch:
    """A batch to predict: parallel sequences, one entry an image.

    `metadata` is None unless the predictor asked for it: the deployed model never sees any.
    """

    challenge_ids: Sequence[str]
    images: Sequence[Image]
    metadata: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Predictions:
    """Answers of a batch: `probability` of roadwork, float64 (B,) in 0..1, and optional columns.

    `columns` are further values an image, such as gates, each of shape (B, ...).
    """

    probability: npt.NDArray[np.float64]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


class Predictor(Protocol):
    """A candidate. `name` is for people; `fingerprint` changes whenever its answers could."""

    @property
    def name(self) -> str:
        """What the candidate is called in reports."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that determines the answers (weights, settings, code version)."""

    @property
    def wants_metadata(self) -> bool:
        """True for a metadata-fed run, which is labelled and never the headline."""

    def predict(self, batch: Batch) -> Predictions:
        """The probabilities of a batch."""
