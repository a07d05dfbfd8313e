"""Drawn scenes to train on, and others to test on.

Every scene is drawn with roadwork and without: two rows of one scene. Answers are kept as classes
in the order of `TestScenes`: row by row, all draws of a row side by side.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from analytics.scoring.predicted_class import predicted_class
from data.sources.shards import Shards
from model.datasets.batch import RowTable, row_table
from model.datasets.images import ImageSource, KeptImages
from model.datasets.loaders import validation_loader
from model.datasets.settings import DatasetSettings
from model.demo.settings import DemoTraining
from model.demo.training import draw_training_rows
from model.optimization.full_model import FullModel
from model.rows.source_rows import list_rows

TRAINING_SEED, TEST_SEED = 7272, 9393
_TEST_BATCH = 32

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class DrawnRows:
    """The rows of drawn scenes; `left_out` counts those that a validator would not send."""

    shards: Shards
    table: RowTable
    left_out: int


def draw_rows(folder: Path, scenes: int, seed: int) -> DrawnRows:
    """The rows of scenes of a seed, drawn as the demo draws, if they are not there."""
    shards = draw_training_rows(folder, DemoTraining(seed=seed, scenes=scenes))
    listed = list_rows(shards)
    return DrawnRows(shards, row_table(listed.rows), sum(listed.left_out.values()))


class TestScenes:
    """Challenges of all levels of unseen scenes, the same for every model."""

    def __init__(self, folder: Path, scenes: int, draws: int) -> None:
        rows = draw_rows(folder, scenes, TEST_SEED)
        self.left_out = draws * rows.left_out
        self.truth = rows.table.labels.repeat_interleave(draws).numpy()
        self.scenes = rows.table.scenes.repeat_interleave(draws).numpy()
        settings = DatasetSettings(draws=draws)
        source = ImageSource(rows.shards.folder, rows.table, settings, TEST_SEED)
        self._images = KeptImages(source, threads=torch.get_num_threads())

    def __len__(self) -> int:
        return len(self.truth)

    def classes(self, model: torch.nn.Module) -> Classes:
        """A model's answers; it takes uint8 images and gives logits, or an output with them."""
        model.eval()
        logits = []
        with torch.inference_mode():
            for batch in validation_loader(self._images, _TEST_BATCH):
                output = model(batch.inputs)
                both = output.logits if isinstance(model, FullModel) else output
                logits.append(both.double())
        probabilities = torch.cat(logits).softmax(dim=1)[:, 1].numpy()
        return predicted_class(probabilities).astype(np.int64)
