"""How much it matters that a city looks different: a model that saw none of it, and one that did.

Not a speed: MCC on unseen scenes of the city and of the others, image-only, of the demo's model
trained on the same number of scenes without the city and with a share of it.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.scoring.metrics import mcc_of_tables
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings, cities_with
from data.sources.cached_image import decoded
from data.sources.shards import Shards
from data.store import Store
from data.terminal import note, print_table
from model.checkpoint.predictor import load_predictor
from model.demo.settings import DemoTraining
from model.demo.training import train_demo
from replay.candidates.predictor import Batch, Image, Predictor

CITY = "phoenix"
SHARES = (0.0, 0.25)
TEST_SCENES = 250
_SIDE, _BATCH = 224, 50

SCENES = SceneSettings(
    paired=True, size_mix=(((800, 450), 1.0),), unlike_cities=(CITY,), row_group_rows=50
)


@dataclass(frozen=True)
class Tests:
    """Images as miners see those of level 0, and their labels."""

    images: list[Image]
    labels: NDArray[np.int64]


def rows(folder: Path, share: float, scenes: int, seed: int) -> Shards:
    """Shards of scenes of which a share is of the city."""
    mixed = replace(SCENES, seed=seed, rows=2 * scenes, city_mix=cities_with(CITY, share))
    write_shards(folder, mixed)
    return Shards(folder)


def tests_of(shards: Shards) -> Tests:
    """Every row of some shards, its middle square at 224 x 224."""
    images, labels = [], []
    for name in shards.names:
        for row in range(shards[name].rows):
            picture = decoded(shards.read(name, row).image).convert("RGB")
            left = (picture.width - picture.height) // 2
            square = picture.crop((left, 0, left + picture.height, picture.height))
            images.append(np.asarray(square.resize((_SIDE, _SIDE))))
            labels.append(1 - row % 2)
    return Tests(images, np.array(labels))


def mcc(predictor: Predictor, tests: Tests) -> float:
    """Signed MCC of a model."""
    answers = []
    for start in range(0, len(tests.images), _BATCH):
        part = tests.images[start : start + _BATCH]
        answers.append(predictor.predict(Batch([""] * len(part), part)).probability)
    classes = (np.concatenate(answers) > 0.5).astype(np.int64)
    table = np.zeros((2, 2))
    np.add.at(table, (tests.labels, classes), 1)
    return float(mcc_of_tables(table))


def main() -> None:
    """Train and print MCC here and elsewhere, by the city's share of the training."""
    settings = DemoTraining()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        here = tests_of(rows(root / "here", 1.0, TEST_SCENES, 1))
        elsewhere = tests_of(rows(root / "elsewhere", 0.0, TEST_SCENES, 2))
        found = []
        for share in SHARES:
            shards = rows(root / f"train-{share}", share, settings.scenes, settings.seed)
            folder = root / f"model-{share}"
            train_demo(Store(root / "store"), shards, folder, settings)
            predictor = load_predictor(folder)
            found.append((share, mcc(predictor, here), mcc(predictor, elsewhere)))
            note(str(found[-1]))
    print_table(
        f"the demo's model on {2 * TEST_SCENES} unseen images each, level 0",
        (f"share of {CITY} in training", f"MCC in {CITY}", "MCC elsewhere"),
        found,
    )


if __name__ == "__main__":
    main()
