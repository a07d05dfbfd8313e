import numpy as np
import pytest

from model.baselines.orange import OrangeBaseline, OrangeSettings, orange_share
from replay.candidates.predictor import Batch

SAFETY_ORANGE = (255, 121, 0)


def a_road(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = np.full((224, 224, 3), (96, 98, 101), np.uint8)
    image.reshape(-1, 3)[: round(224 * 224 * share)] = SAFETY_ORANGE
    return image


@pytest.mark.parametrize("share", [0.0, 0.01, 0.25, 1.0])
def test_the_share_counts_orange_pixels(share: float) -> None:
    assert orange_share(a_road(share), OrangeSettings()) == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (255, 255, 0), (0, 160, 0), (0, 0, 255), (128, 128, 128), (60, 30, 10)]
)
def test_other_colours_are_not_orange(colour: tuple[int, int, int]) -> None:
    image = np.full((8, 8, 3), colour, np.uint8)
    assert orange_share(image, OrangeSettings()) == 0


def test_more_orange_is_more_likely_roadwork_and_the_threshold_is_one_half() -> None:
    baseline = OrangeBaseline(OrangeSettings(threshold=0.01))
    shares = (0.0, 0.001, 0.01, 0.1, 1.0)
    images = [a_road(share) for share in shares]
    answers = baseline.predict(Batch([str(k) for k in shares], images)).probability
    assert list(answers) == sorted(answers)
    assert answers[0] < 0.05
    assert answers[2] == pytest.approx(0.5, abs=0.01)
    assert answers[-1] > 0.95


def test_the_fingerprint_tells_settings_apart() -> None:
    assert OrangeBaseline().fingerprint == OrangeBaseline().fingerprint
    assert OrangeBaseline().fingerprint != OrangeBaseline(OrangeSettings(threshold=1)).fingerprint
