"""How tests ask a candidate, and what they show it."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as PILImage

from data.errors import RunError
from replay.candidates.predictor import Batch, Image
from replay.candidates.registry import load

MINE = textwrap.dedent(
    """
    from pathlib import Path

    import numpy as np
    from replay.candidates.predictor import Predictions

    class Mine:
        name = "mine"
        fingerprint = "1"
        wants_metadata = False
        def predict(self, batch):
            return Predictions(np.full(len(batch.images), 0.25))

    class Knows(Mine):
        def known_keys(self, image_keys):
            return [key for key in image_keys if key == "a"]

    class KnowsNot(Mine):
        def known_keys(self, image_keys):
            return 7

    class Nested:
        mine = Mine()

    def make():
        return Mine()

    def needs(argument):
        return Mine()

    def leaves():
        raise SystemExit(3)

    class Fed(Mine):
        wants_metadata = True

    class Raises(Mine):
        def predict(self, batch):
            raise ValueError("no\\nluck")

    class Short(Mine):
        def predict(self, batch):
            return Predictions(np.zeros(1))

    class Bare(Mine):
        def predict(self, batch):
            return np.zeros(len(batch.images))

    class Halved(Mine):
        fingerprint = "halved"
        precision = "bfloat16"

    class Dim(Mine):
        precision = 16.0

    class Nameless(Mine):
        name = ""

    class Unhashed(Mine):
        @property
        def fingerprint(self):
            raise OSError("gone")

    class Vague(Mine):
        wants_metadata = "no"

    class Trained(Mine):
        training_rows = Path("rows.csv")

    class Misled(Mine):
        training_rows = "rows.csv"

    class Mute:
        name = "mute"

    number = 7
    mine = Mine()
    """
)
"""A user's module: candidates, and what is none."""


def pictures(count: int, size: tuple[int, int] = (40, 56)) -> list[Image]:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (count, 5, 7, 3), dtype=np.uint8)
    resized = [PILImage.fromarray(one).resize((size[1], size[0])) for one in coarse]
    return [np.asarray(one) for one in resized]


def answers(model: Any, images: Sequence[Image]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64]
    found = model.predict(Batch([str(k) for k in range(len(images))], images)).probability
    return found


def refusal(name: str) -> str:
    with pytest.raises(RunError) as caught:
        load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)
