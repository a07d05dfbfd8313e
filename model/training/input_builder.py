"""Builds a split's training inputs: images, or the features of a frozen backbone."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import torch

from data.errors import RunError
from data.sources.shards import Shards
from model.backbone.backbone import Backbone
from model.backbone.features import FeatureMaker, open_cache
from model.backbone.free_memory import available_bytes
from model.datasets.challenge_draws import Sample, decode_jpeg, draw_samples
from model.datasets.jpegs import JpegOrError, build_jpegs
from model.datasets.training_row import TrainingRow
from model.training.inputs import FeatureInputs, TrainingInputs, ViewInputs
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
    """Builds training inputs of rows."""

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
        """Take what determines the inputs.

        Args:
            shards: the sources.
            backbone: frozen, or in training.
            images: challenges drawn of each row.
            seed: of the draws.
            threads: that rebuild images.
            cache: folder of a frozen backbone's features; None keeps none.
            arithmetic: of the validator's processor.
        """
        self._shards, self._backbone = shards, backbone
        self._images, self._seed, self._threads = images, seed, threads
        self._cache, self._arithmetic = cache, arithmetic
        self.left_out: Counter[str] = Counter()

    def build(
        self, rows: Sequence[TrainingRow], on_progress: OnProgress = lambda _: None
    ) -> TrainingInputs:
        """Inputs of rows; `left_out` counts rows without an image by reason.

        Raises:
            RunError: too little memory for them, or no row has an image.
        """
        self._check_memory(len(rows))
        samples = [
            sample
            for index, row in enumerate(rows)
            for sample in draw_samples(row, index, self._images, self._seed)
        ]
        inputs: TrainingInputs
        if self._backbone.settings.frozen:
            inputs = self._feature_inputs(samples, on_progress)
        else:
            inputs = self._view_inputs(samples, on_progress)
        if not inputs.samples:
            reasons = ", ".join(f"{reason} {n}" for reason, n in self.left_out.items())
            raise RunError(f"images of {len(rows)} rows", found=reasons, expected="some")
        return inputs

    def _view_inputs(self, samples: Sequence[Sample], on_progress: OnProgress) -> ViewInputs:
        built = self._jpegs(samples, on_progress)
        complete = self._of_complete_rows(samples, built)
        rows = {sample.row for sample in complete}
        jpegs = [
            jpeg
            for sample, jpeg in zip(samples, built, strict=True)
            if sample.row in rows and isinstance(jpeg, bytes)
        ]
        return ViewInputs(complete, jpegs, self._backbone)

    def _feature_inputs(self, samples: Sequence[Sample], on_progress: OnProgress) -> FeatureInputs:
        cache = None if self._cache is None else open_cache(self._cache, self._backbone)
        maker = FeatureMaker(self._backbone, cache)
        keys = ImageKeys(self._shards, self._seed, self._arithmetic)
        complete: list[Sample] = []
        features: list[torch.Tensor] = []
        step = _ROWS_AT_ONCE * self._images
        for start in range(0, len(samples), step):
            part, part_features = self._part_features(maker, keys, samples[start : start + step])
            complete += part
            features += part_features
            on_progress(len(part))
        return FeatureInputs(complete, torch.cat(features) if features else torch.empty(0))

    def _part_features(
        self, maker: FeatureMaker, keys: ImageKeys, part: Sequence[Sample]
    ) -> tuple[Sequence[Sample], list[torch.Tensor]]:
        """The samples of a part that have features, and their features: none, or one tensor."""
        while part:
            images = _PartImages(partial(self._jpegs, part))
            image_keys = [keys.key(sample.challenge, sample.variant) for sample in part]
            try:
                return part, [maker.features(images.sequence(len(part)), image_keys)]
            except CannotRebuildError:
                part = self._of_complete_rows(part, images.jpegs)
        return part, []

    def _jpegs(
        self, samples: Sequence[Sample], on_progress: OnProgress = lambda _: None
    ) -> list[JpegOrError]:
        return build_jpegs(
            samples, self._shards, self._seed, self._threads, on_progress, self._arithmetic
        )

    def _of_complete_rows(
        self, samples: Sequence[Sample], jpegs: Sequence[JpegOrError]
    ) -> list[Sample]:
        """The samples of rows whose images could all be built; counts the other rows."""
        failed = {
            sample.row: str(jpeg.reason)
            for sample, jpeg in zip(samples, jpegs, strict=True)
            if isinstance(jpeg, CannotRebuildError)
        }
        self.left_out.update(failed.values())
        return [sample for sample in samples if sample.row not in failed]

    def _check_memory(self, rows: int) -> None:
        frozen = self._backbone.settings.frozen
        image_bytes = 4 * VIEWS * self._backbone.width if frozen else _JPEG_BYTES
        needed, free = rows * self._images * image_bytes, available_bytes(torch.device("cpu"))
        if needed > free:
            raise RunError(
                f"{self._images} images of {rows} rows",
                found=f"{free / 2**20:.0f} MiB of free memory",
                expected=f"{needed / 2**20:.0f} MiB",
                remedy="draw fewer of each row (--images)",
            )


class _PartImages:
    """Images of a part of the samples: all are built, in threads, when the first is asked for."""

    def __init__(self, build: Callable[[], list[JpegOrError]]) -> None:
        self._build = build

    @cached_property
    def jpegs(self) -> list[JpegOrError]:
        return self._build()

    def sequence(self, count: int) -> LazySequence[Image]:
        return LazySequence([partial(self._image, index) for index in range(count)])

    def _image(self, index: int) -> Image:
        jpeg = self.jpegs[index]
        if isinstance(jpeg, CannotRebuildError):
            raise jpeg
        return decode_jpeg(jpeg)
