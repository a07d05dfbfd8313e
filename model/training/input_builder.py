"""Inputs of a training made of source rows: images, or the features of a frozen backbone."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import torch

from data.errors import RunError
from data.sources.shards import Shards
from model.backbone.backbone import Backbone
from model.backbone.batch_size import available_bytes
from model.backbone.features import FeatureMaker, open_cache
from model.training.inputs import FeatureInputs, TrainingInputs, ViewInputs
from model.training.jpegs import JpegOrError, build_jpegs
from model.training.samples import Sample, decode_jpeg, draw_samples
from model.training.training_row import TrainingRow
from model.views.views import VIEWS
from replay.candidates.predictor import Image, LazySequence
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError
from replay.settings import Arithmetic

OnProgress = Callable[[int], object]

# A JPEG of 224 x 224 pixels has 5 to 20 KB.
_JPEG_BYTES = 20_000
# Rows whose images are in memory at once while features are made of them.
_ROWS_AT_ONCE = 64


class InputBuilder:
    """Builds the inputs of rows."""

    def __init__(
        self,
        shards: Shards,
        backbone: Backbone,
        images: int,
        seed: int,
        threads: int,
        cache: Path | None = None,
        arithmetic: Arithmetic = Arithmetic.AVX2,
    ) -> None:
        """Take what decides them.

        Args:
            shards: the sources.
            backbone: frozen, or in training.
            images: challenges drawn of a row.
            seed: of the draws.
            threads: that rebuild images.
            cache: folder of a frozen backbone's features; None keeps none.
            arithmetic: of the validator's processor.
        """
        self._shards, self._backbone = shards, backbone
        self._images, self._seed, self._threads = images, seed, threads
        self._cache, self._arithmetic = cache, arithmetic
        self.left_out: Counter[str] = Counter()

    def make(
        self, rows: Sequence[TrainingRow], on_progress: OnProgress = lambda _: None
    ) -> TrainingInputs:
        """Inputs of rows, `left_out` counting those without an image.

        Raises:
            RunError: too little memory for them, or no image could be had.
        """
        self._check_memory(len(rows))
        samples = [
            one
            for index, row in enumerate(rows)
            for one in draw_samples(row, index, self._images, self._seed)
        ]
        frozen = self._backbone.settings.frozen
        inputs: TrainingInputs = (self._features if frozen else self._views)(samples, on_progress)
        if not inputs.samples:
            reasons = ", ".join(f"{reason} {n}" for reason, n in self.left_out.items())
            raise RunError(f"images of {len(rows)} rows", found=reasons, expected="some")
        return inputs

    def _views(self, samples: Sequence[Sample], on_progress: OnProgress) -> ViewInputs:
        built = self._build(samples, on_progress)
        kept = self._kept(samples, built)
        rows = {sample.row for sample in kept}
        both = zip(samples, built, strict=True)
        jpegs = [one for sample, one in both if sample.row in rows and isinstance(one, bytes)]
        return ViewInputs(kept, jpegs, self._backbone)

    def _features(self, samples: Sequence[Sample], on_progress: OnProgress) -> FeatureInputs:
        cache = None if self._cache is None else open_cache(self._cache, self._backbone)
        maker = FeatureMaker(self._backbone, cache)
        keys = ImageKeys(self._shards, self._seed, self._arithmetic)
        kept: list[Sample] = []
        made: list[torch.Tensor] = []
        step = _ROWS_AT_ONCE * self._images
        for start in range(0, len(samples), step):
            part = samples[start : start + step]
            while part:
                images = _LazyImages(partial(self._build, part))
                named = [keys.key(one.challenge, one.variant) for one in part]
                try:
                    made.append(maker.features(images.lazily(len(part)), named))
                    break
                except CannotRebuildError:
                    part = self._kept(part, images.built)
            kept += part
            on_progress(len(part))
        return FeatureInputs(kept, torch.cat(made) if made else torch.empty(0))

    def _build(
        self, samples: Sequence[Sample], on_progress: OnProgress = lambda _: None
    ) -> list[JpegOrError]:
        return build_jpegs(
            samples, self._shards, self._seed, self._threads, on_progress, self._arithmetic
        )

    def _kept(self, samples: Sequence[Sample], built: Sequence[JpegOrError]) -> list[Sample]:
        failed = {
            sample.row: str(one.reason)
            for sample, one in zip(samples, built, strict=True)
            if isinstance(one, CannotRebuildError)
        }
        self.left_out.update(failed.values())
        return [sample for sample in samples if sample.row not in failed]

    def _check_memory(self, rows: int) -> None:
        frozen = self._backbone.settings.frozen
        each = 4 * VIEWS * self._backbone.width if frozen else _JPEG_BYTES
        needed, free = rows * self._images * each, available_bytes(torch.device("cpu"))
        if needed > free:
            raise RunError(
                f"{self._images} images of {rows} rows",
                found=f"{free / 2**20:.0f} MiB of free memory",
                expected=f"{needed / 2**20:.0f} MiB",
                remedy="draw fewer of each row (--images)",
            )


class _LazyImages:
    """Images of a part: all are built, in threads, when the first is looked at."""

    def __init__(self, build: Callable[[], list[JpegOrError]]) -> None:
        self._build = build

    @cached_property
    def built(self) -> list[JpegOrError]:
        return self._build()

    def lazily(self, count: int) -> LazySequence[Image]:
        return LazySequence([partial(self._image, place) for place in range(count)])

    def _image(self, place: int) -> Image:
        one = self.built[place]
        if isinstance(one, CannotRebuildError):
            raise one
        return decode_jpeg(one)
