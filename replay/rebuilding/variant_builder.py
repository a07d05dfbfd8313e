"""Builds the possible images of a level 2 or 3 challenge; apart, for it needs OpenCV."""

from dataclasses import replace

import cv2
import numpy as np

from replay.augmentation import distortions
from replay.augmentation.distortions import Noise, Pixels
from replay.rebuilding.variants import Distortions, Variant, seeded_generator


class VariantBuilder:
    """Builds the variants of one image; steps that several variants share are computed once."""

    def __init__(self, pixels: Pixels, challenge_id: str, seed: int) -> None:
        """Take RGB pixels (H, W, 3), as they are before any distortion."""
        self._challenge_id, self._seed = challenge_id, seed
        bgr = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), dtype=np.uint8)
        self._known = {Distortions(): bgr}

    def build(self, variant: Variant, noise: Noise | None = None) -> Pixels:
        """The RGB pixels of one variant.

        Args:
            variant: which one.
            noise: standard normal values (H, W, 3); None generates them, the same each time.
        """
        before = self._before_noise(replace(variant.distortions, noise=0, blur=0))
        if variant.noisy:
            if noise is None:
                rng = seeded_generator(self._seed, self._challenge_id, variant.index)
                noise = rng.standard_normal(before.shape)
            before = distortions.noise(before, variant.distortions.noise, noise)
        if variant.distortions.blur:
            before = distortions.blur(before, variant.distortions.blur)
        return np.asarray(cv2.cvtColor(before, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def _before_noise(self, wanted: Distortions) -> Pixels:
        """The steps that variants share: each is one step from a shorter prefix of them."""
        if wanted not in self._known:
            name, step = next(
                (name, step)
                for name, step in reversed(distortions.STEPS)
                if getattr(wanted, name) > 0
            )
            shorter = self._before_noise(replace(wanted, **{name: 0}))
            self._known[wanted] = step(shorter, getattr(wanted, name))
        return self._known[wanted]
