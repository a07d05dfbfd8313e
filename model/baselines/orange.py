"""The safety-orange baseline: the share of safety-orange pixels in an image.

Traffic cones, drums and warning signs are orange; so are autumn trees, vans and sunsets. A model
that does not beat this baseline has learned nothing about roadwork.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from decimal import Context, Decimal, localcontext

import cv2
import numpy as np
import numpy.typing as npt

from replay.candidates.predictor import Batch, Image, Predictions

_VERSION = 2
_DIGITS = 30

# Half a pixel of a 224 x 224 image: so the logarithm is finite where no pixel is orange.
_FLOOR = 0.5 / 224**2


@dataclass(frozen=True)
class OrangeSettings:
    """The colour range of safety orange, and the share of it at which the answer is 0.5.

    Hue in OpenCV's half degrees (0..179), saturation and value in 0..255. At a `threshold` share of
    orange pixels the answer is 0.5; the default had the best MCC on one challenge, of levels 0 to
    3, of each of the first 480 training rows of the demo: drawn scenes, no photographs.
    """

    hue_low: int = 3
    hue_high: int = 18
    saturation_low: int = 120
    value_low: int = 90
    threshold: float = 0.00116
    sharpness: float = 1.5


@dataclass(frozen=True)
class OrangeBaseline:
    """Predictor: a logistic function of the logarithm of the share of orange pixels."""

    settings: OrangeSettings = OrangeSettings()
    name: str = "safety-orange baseline"
    wants_metadata: bool = False

    @property
    def fingerprint(self) -> str:
        """Hash of the settings and of this code's version."""
        text = json.dumps([_VERSION, asdict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def predict(self, batch: Batch) -> Predictions:
        """Probability of roadwork for each image."""
        shares = np.array([orange_share(image, self.settings) for image in batch.images])
        return Predictions(self._probability(shares))

    def _probability(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        ratios = (shares + _FLOOR) / self.settings.threshold
        sharpness = Decimal(self.settings.sharpness)
        # decimals, rounded once: the last bits of NumPy's log and exp depend on the processor
        with localcontext(Context(prec=_DIGITS)):
            all_odds = [(Decimal(float(ratio)).ln() * sharpness).exp() for ratio in ratios]
            return np.array([float(odds / (1 + odds)) for odds in all_odds], np.float64)


def orange_share(image: Image, settings: OrangeSettings) -> float:
    """The share of safety-orange pixels, 0..1, of an RGB image (H, W, 3)."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    low = (settings.hue_low, settings.saturation_low, settings.value_low)
    mask = cv2.inRange(hsv, np.array(low), np.array((settings.hue_high, 255, 255)))
    return float(np.count_nonzero(mask) / mask.size)
