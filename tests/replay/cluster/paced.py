"""A candidate that takes a while for each part, so that there is time to kill something."""

import time

from replay.candidates.predictor import Batch, Predictions
from tests.replay.runs.brightness import Brightness

SECONDS = 0.5


class Paced(Brightness):
    """Answers by brightness, no part in less than `SECONDS`."""

    def __init__(self) -> None:
        super().__init__("paced")

    def predict(self, batch: Batch) -> Predictions:
        time.sleep(SECONDS)
        return super().predict(batch)
