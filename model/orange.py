"""The floor for every model: how much safety orange is in the picture.

Traffic cones, drums and warning signs are orange; so are autumn trees, vans and sunsets. A model
that does not beat this has learned nothing about roadwork.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from decimal import Context, Decimal, localcontext

import cv2
import numpy as np
import numpy.typing as npt

from analytics.metrics import mcc_of_tables
from data.errors import RunError
from replay.predictor import Batch, Image, Predictions

_VERSION = 2
_DIGITS = 30

# Half a pixel of a 224 x 224 image: no orange at all is finite, and far below any threshold.
_FLOOR = 0.5 / 224**2


@dataclass(frozen=True)
class OrangeSettings:
    """What counts as safety orange, and how much of it is roadwork.

    Hue in OpenCV's half degrees (0..179), saturation and value in 0..255. At a `threshold` share of
    orange pixels the answer is 0.5; the default had the best MCC (0.31) on 500 drawn scenes of seed
    11 at level 0. `fitted` finds another.
    """

    hue_low: int = 3
    hue_high: int = 18
    saturation_low: int = 120
    value_low: int = 90
    threshold: float = 0.0005
    sharpness: float = 1.5


@dataclass(frozen=True)
class OrangeBaseline:
    """Predictor: a logistic curve over the logarithm of the share of orange pixels."""

    settings: OrangeSettings = OrangeSettings()
    name: str = "safety-orange baseline"
    wants_metadata: bool = False

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of this code's version."""
        described = json.dumps([_VERSION, asdict(self.settings)], sort_keys=True)
        return hashlib.sha256(described.encode()).hexdigest()

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork for each image."""
        shares = np.array([orange_share(image, self.settings) for image in batch.images])
        return Predictions(self._probability(shares))

    def _probability(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        ratios = (shares + _FLOOR) / self.settings.threshold
        sharpness = Decimal(self.settings.sharpness)
        # decimals, rounded once: the last bits of NumPy's log and exp are the processor's
        with localcontext(Context(prec=_DIGITS)):
            odds = [(Decimal(float(one)).ln() * sharpness).exp() for one in ratios]
            return np.array([float(one / (1 + one)) for one in odds], np.float64)


def orange_share(image: Image, settings: OrangeSettings) -> float:
    """The share of safety-orange pixels, 0..1, of an RGB image (H, W, 3)."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    low = (settings.hue_low, settings.saturation_low, settings.value_low)
    mask = cv2.inRange(hsv, np.array(low), np.array((settings.hue_high, 255, 255)))
    return float(np.count_nonzero(mask) / mask.size)


def fitted(
    images: Iterable[Image], labels: npt.ArrayLike, settings: OrangeSettings = OrangeSettings()
) -> OrangeSettings:
    """The settings with the threshold of best MCC on labelled images; of several, the lowest.

    Args:
        images: uint8 (H, W, 3) RGB each.
        labels: (images,), 0 or 1.
        settings: what counts as orange.

    Raises:
        RunError: there is nothing to choose between: one class, or one share of orange, only.
    """
    shares = np.array([orange_share(image, settings) for image in images]) + _FLOOR
    steps, place = np.unique(shares, return_inverse=True)
    # (labels, steps) -> (steps, labels, classes), class 1 above each step
    counts = np.stack(
        [np.bincount(place[np.asarray(labels) == k], minlength=len(steps)) for k in (0, 1)]
    )
    below = counts.cumsum(axis=1)
    tables = np.stack([below, below[:, -1:] - below], axis=-1).swapaxes(0, 1)
    found = mcc_of_tables(tables.astype(np.float64))
    best = int(found.argmax())
    if found[best] <= 0:
        raise RunError(
            f"images to fit an orange threshold on ({len(shares)})",
            found=f"no threshold with an MCC above {found[best]:.2f}",
            expected="more orange with roadwork than without",
        )
    return replace(settings, threshold=float(np.sqrt(steps[best] * steps[best + 1])))
