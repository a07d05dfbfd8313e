"""Rebuilds the images of planned challenges: the pixels and the JPEG that miners were sent."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data.errors import SourceError
from data.records.stored_challenge import StoredChallenge
from data.sources.shard import SourceRow
from data.sources.shards import Shards, SourceLocation
from replay.augmentation.augment import (
    SIDE,
    CropOutsideError,
    Pixels,
    UnusableParametersError,
    augment,
    is_rotated,
)
from replay.augmentation.self_check import check_this_machine
from replay.image_regions.frames import SourceFrame
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.source_matching import difference, matching_location
from replay.rebuilding.variant_builder import VariantBuilder
from replay.rebuilding.variants import UNDISTORTED, Variant
from replay.settings import Arithmetic


class CannotRebuildError(SourceError):
    """A planned image cannot be rebuilt after all, for `reason`."""

    def __init__(self, challenge_id: str, reason: Reason, detail: str) -> None:
        super().__init__(f"challenge {challenge_id}", found=f"{reason}: {detail}")
        self.challenge_id, self.reason, self.detail = challenge_id, reason, detail

    def __reduce__(self) -> tuple[type["CannotRebuildError"], tuple[str, Reason, str]]:
        """Pickled as constructed: worker processes send it."""
        return type(self), (self.challenge_id, self.reason, self.detail)


def pixels_sha256(pixels: Pixels) -> str:
    """SHA-256 of the row-major pixel bytes."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class RebuiltImage:
    """What miners were sent: the pixels before the last JPEG encoding, and the JPEG.

    JPEG bytes depend on the libjpeg in use; the pixels do not.
    """

    pixels: Pixels
    jpeg: bytes

    @property
    def pixels_sha256(self) -> str:
        """SHA-256 of the row-major pixel bytes."""
        return pixels_sha256(self.pixels)

    @property
    def jpeg_sha256(self) -> str:
        """SHA-256 of the JPEG bytes."""
        return hashlib.sha256(self.jpeg).hexdigest()

    def decoded(self) -> Pixels:
        """The pixels as a miner decodes them: uint8, (H, W, 3) RGB."""
        return np.asarray(Image.open(io.BytesIO(self.jpeg)).convert("RGB"))


@dataclass(frozen=True)
class DistinctImage:
    """One of the different images that a challenge may have been, and its probability."""

    image: RebuiltImage
    weight: float
    noisy: bool


def distinct_images(
    images: Sequence[RebuiltImage], variants: Sequence[Variant]
) -> list[DistinctImage]:
    """Equal images once, with their weights added; noisy if any of them is."""
    merged: dict[bytes, DistinctImage] = {}
    for image, variant in zip(images, variants, strict=True):
        key = image.pixels.tobytes()
        before = merged.get(key, DistinctImage(image, 0.0, noisy=False))
        merged[key] = DistinctImage(
            before.image, before.weight + variant.weight, before.noisy or variant.noisy
        )
    return list(merged.values())


@dataclass(frozen=True)
class _LastSource:
    """A source that is kept, and the first challenge that asked for it."""

    location: SourceLocation
    row: SourceRow
    frame: SourceFrame
    challenge_id: str


class Rebuilder:
    """Rebuilds images; keeps the last source image and the last challenge's shared steps.

    A source is decoded no further than the crop of its first challenge needs; whole, once the next
    challenge was made of it too. Fastest in the order of `Plan.in_reading_order`. `seed` is that of
    the noise of level 3; `arithmetic` is that of the validator's processor. Another `side` than 224
    pixels gives the same geometry from the source's own resolution: for research on what miners
    could not see.
    """

    def __init__(
        self,
        shards: Shards,
        seed: int = 0,
        side: int = SIDE,
        arithmetic: Arithmetic = Arithmetic.AVX2,
    ) -> None:
        """Take the source images, and the settings described above.

        Raises:
            RunError: the libraries of this machine do not compute what the validator's did.
        """
        check_this_machine()
        self._shards = shards
        self._seed, self._side, self._arithmetic = seed, side, arithmetic
        self._last_source: _LastSource | None = None
        self._challenge_id: str | None = None
        self._variant_builders: dict[Arithmetic, VariantBuilder] = {}

    def rebuild(self, challenge: StoredChallenge, variant: Variant = UNDISTORTED) -> RebuiltImage:
        """Rebuild one image of a challenge that its plan does not call impossible.

        Args:
            challenge: which one.
            variant: which of its possible images, as the plan has it.

        Raises:
            CannotRebuildError: the source is not what the record says, or cannot be read.
        """
        pixels = self.pixels(challenge, variant)
        return RebuiltImage(pixels, _encode(pixels))

    def pixels(
        self,
        challenge: StoredChallenge,
        variant: Variant = UNDISTORTED,
        arithmetic: Arithmetic | None = None,
    ) -> Pixels:
        """The pixels of one image before its last JPEG encoding; arguments as for `rebuild`.

        Args:
            challenge: which one.
            variant: which of its images.
            arithmetic: another one than the rebuilder's own.

        Raises:
            CannotRebuildError: as `rebuild`.
        """
        if arithmetic is None or not is_rotated(challenge.augmentation):
            arithmetic = self._arithmetic
        if self._challenge_id != challenge.challenge_id:
            self._challenge_id, self._variant_builders = challenge.challenge_id, {}
        if (variant_builder := self._variant_builders.get(arithmetic)) is None:
            base = self._undistorted(challenge, arithmetic)
            if variant == UNDISTORTED:
                return base
            variant_builder = VariantBuilder(base, challenge.challenge_id, self._seed)
            self._variant_builders[arithmetic] = variant_builder
        return variant_builder.build(variant)

    def _undistorted(self, challenge: StoredChallenge, arithmetic: Arithmetic) -> Pixels:
        frame = self._frame(challenge)
        try:
            return augment(frame, challenge.augmentation, self._side, arithmetic)
        except CropOutsideError as error:
            raise self._cannot(challenge, frame, Reason.CROP_OUTSIDE, error) from None
        except UnusableParametersError as error:
            raise self._cannot(challenge, frame, Reason.PARAMETERS, error) from None
        except SourceError as error:
            raise CannotRebuildError(challenge.challenge_id, Reason.BYTES, str(error)) from None

    def _cannot(
        self, challenge: StoredChallenge, frame: SourceFrame, reason: Reason, detail: object
    ) -> CannotRebuildError:
        """The error of a challenge; that its source cannot be decoded goes before all others."""
        try:
            frame.whole()
        except SourceError as error:
            return CannotRebuildError(challenge.challenge_id, Reason.BYTES, str(error))
        return CannotRebuildError(challenge.challenge_id, reason, str(detail))

    def source(self, challenge: StoredChallenge) -> Image.Image:
        """The cached image that a challenge was made of, before augmentation; not to be changed.

        Raises:
            CannotRebuildError: it is not what the record says, or cannot be read.
        """
        try:
            return self._frame(challenge).whole()
        except CannotRebuildError:
            raise
        except SourceError as error:
            raise CannotRebuildError(challenge.challenge_id, Reason.BYTES, str(error)) from None

    def _frame(self, challenge: StoredChallenge) -> SourceFrame:
        """The cached image, of which a first challenge decodes what it needs, a second the rest."""
        parquet, row = challenge.parquet, challenge.row
        if parquet is None or row is None:
            raise CannotRebuildError(challenge.challenge_id, Reason.UNNAMED, "no shard or row")
        if parquet not in self._shards and (parquet, row) not in self._shards.cached:
            raise CannotRebuildError(challenge.challenge_id, Reason.SHARD_MISSING, parquet)
        try:
            locations = self._shards.locations(parquet, row)
            if not locations:
                raise CannotRebuildError(challenge.challenge_id, Reason.ROW_MISSING, f"row {row}")
            location = matching_location(challenge, self._shards, locations)
            last = self._last_source
            if last is None or last.location != location:
                row_read = self._shards.read_at(location)
                frame = SourceFrame(row_read.image, from_cache=location.cached is not None)
                last = _LastSource(location, row_read, frame, challenge.challenge_id)
                self._last_source = last
            elif last.challenge_id != challenge.challenge_id:
                last.frame.whole()  # from now on the next ones decode nothing
        except CannotRebuildError:
            raise
        except SourceError as error:
            raise CannotRebuildError(challenge.challenge_id, Reason.BYTES, str(error)) from None
        if (differs := difference(challenge, last.row, last.frame.size)) is not None:
            copies = f" (and so does each of {len(locations)} copies)" if len(locations) > 1 else ""
            raise self._cannot(challenge, last.frame, Reason.OTHER_ROW, differs + copies)
        return last.frame


def _encode(pixels: Pixels) -> bytes:
    """The JPEG that is sent: Pillow's defaults (quality 75, 4:2:0)."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, format="JPEG")
    return encoded.getvalue()
