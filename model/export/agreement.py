"""How far an export's answers are from its checkpoint's, and how long an answer takes."""

import io
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as PILImage
from scipy.special import expit, logit

from data.errors import RunError
from data.machine.processes import cores
from data.machine.processor import processor
from model.export.detector import StreetReplayDetector
from replay.candidates.predictor import Image, Predictions

BOUND = 1e-4
"""Largest difference of a probability, as between batches of one checkpoint in fp32."""

BF16_BOUND = 0.05
"""The same for a checkpoint in bf16, whose own answers are rounded; an export is in float32."""

LOGIT_FACTOR = 20.0
"""By how much more a logit may differ: where a model is sure, its probabilities hide mistakes."""

MINER_TIMEOUT_SECONDS = 9.0
"""How long a validator waits for a miner."""

Gates = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_SURE = 1e-9

# Of the eras with crops mostly, then odd sizes: (height, width).
_SIZES = (*[(224, 224)] * 8, (1, 1), (3, 200), (97, 61), (600, 800))
_GRAIN = (9, 12)
# What latency is measured on: challenges of the crop eras, and of the full-resolution era.
_TIMED = ((224, 224), (1080, 1920))
_REPEATS = 5


@dataclass(frozen=True)
class Agreement:
    """Largest absolute differences over `images` drawn pictures; `bound` is of the probability.

    `logit` is over those whose probability is not within 1e-9 of 0 or 1, of the checkpoint's and
    of the export's.
    """

    images: int
    probability: float
    logit: float
    gates: float
    bound: float


@dataclass(frozen=True)
class Latency:
    """Median seconds of an answer to one JPEG, decoding included, by `HEIGHT x WIDTH`."""

    seconds: dict[str, float]
    repeats: int
    processor: str
    cores: int
    timeout: float = MINER_TIMEOUT_SECONDS


def drawn_pictures() -> list[Image]:
    """The pictures on which answers are compared, the same ones always, of many sizes."""
    return [drawn_picture(size, seed) for seed, size in enumerate(_SIZES)]


def check_agreement(
    detector: StreetReplayDetector, expected: Predictions, shift: float, bound: float
) -> Agreement:
    """Compare an export's answers to `drawn_pictures` with those of its checkpoint.

    Args:
        detector: of the export, as a miner loads it.
        expected: of the checkpoint, with gates.
        shift: of the logit that is in the export; added to the checkpoint's too.
        bound: largest difference of a probability.

    Raises:
        RunError: it is larger.
    """
    answers = [detector.answer(picture) for picture in drawn_pictures()]
    probability = np.array([answer for answer, _ in answers])
    difference = np.abs(probability - expit(logit(expected.probability) + shift))
    _check_bound("probability", difference, bound)
    logits = _logits_apart(probability, expected.probability, shift)
    _check_bound("logit", logits, LOGIT_FACTOR * bound)
    return Agreement(
        images=len(answers),
        probability=float(difference.max()),
        logit=float(logits.max()),
        gates=_gates_apart(answers, expected),
        bound=bound,
    )


def _check_bound(what: str, differences: Floats, bound: float) -> None:
    largest = float(differences.max())
    if not largest <= bound:
        height, width = _SIZES[int(differences.argmax())]
        raise RunError(
            "exported network",
            found=f"a {what} that differs by {largest:.2g} from the checkpoint's (picture of "
            f"{height} x {width})",
            expected=f"at most {bound:g}",
            remedy="leave out --opset, or use the versions of torch and onnxruntime that were "
            "tested (constraints.txt)",
        )


def _logits_apart(answers: Floats, expected: Floats, shift: float) -> Floats:
    """How far logits are apart; 0 where one of the probabilities has too few digits for it."""
    unsure = np.minimum.reduce([answers, 1 - answers, expected, 1 - expected]) > _SURE
    apart = np.zeros(len(answers))
    apart[unsure] = np.abs(logit(answers[unsure]) - logit(expected[unsure]) - shift)
    return apart


def _gates_apart(answers: Sequence[tuple[float, Gates]], expected: Predictions) -> float:
    assert expected.gates is not None  # noqa: S101  (a checkpoint always has some)
    return float(np.abs(np.stack([gates for _, gates in answers]) - expected.gates).max())


def drawn_picture(size: tuple[int, int], seed: int) -> Image:
    """A smooth coloured picture, uint8 (H, W, 3), drawn from the seed."""
    rng = np.random.default_rng(seed)
    grain = PILImage.fromarray(rng.integers(0, 256, (*_GRAIN, 3), dtype=np.uint8))
    return np.asarray(grain.resize(size[::-1], PILImage.Resampling.BICUBIC))


def measure_latency(detector: StreetReplayDetector) -> Latency:
    """Time single answers, from a JPEG's bytes on, as a miner gets them."""
    seconds = {
        f"{height} x {width}": _seconds(detector, (height, width)) for height, width in _TIMED
    }
    return Latency(seconds, _REPEATS, processor()["name"] or "an unnamed processor", cores())


def _seconds(detector: StreetReplayDetector, size: tuple[int, int]) -> float:
    encoded = io.BytesIO()
    PILImage.fromarray(drawn_picture(size, seed=0)).save(encoded, "JPEG")
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        detector(PILImage.open(io.BytesIO(encoded.getvalue())))
        times.append(time.perf_counter() - start)
    return statistics.median(times)
