"""Evidence of source rows: both candidates see the same images, streets are resampled."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data.errors import RunError
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from model.datasets.settings import DatasetSettings
from model.promotion_gate.judge import judge
from model.promotion_gate.reserved_evidence import reserved_evidence
from model.promotion_gate.settings import GateSettings
from model.rows.source_rows import list_rows
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from replay.candidates.predictor import Batch, Predictions

SCENES = SceneSettings(seed=4, rows=40, size_mix=(((160, 120), 1.0),))
DATASET = DatasetSettings(draws=2)


class Guess:
    """A candidate that answers by the mean brightness of the image, and keeps what it saw."""

    wants_metadata = False

    def __init__(self, name: str, training_rows: Path | None = None, scale: float = 255) -> None:
        self.name = self.fingerprint = name
        self.training_rows, self._scale = training_rows, scale
        self.seen: list[bytes] = []
        self.keys: list[str] = []

    def predict(self, batch: Batch) -> Predictions:
        self.seen += [image.tobytes() for image in batch.images]
        self.keys += list(batch.image_keys or [])
        assert batch.metadata is None
        return Predictions(np.array([image.mean() / self._scale for image in batch.images]))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("scenes")
    write_shards(folder, SCENES)
    return Shards(folder)


@pytest.fixture(scope="module")
def rows(shards: Shards) -> list[TrainingRow]:
    return list_rows(shards).rows


def rows_file(folder: Path, rows: list[TrainingRow]) -> Path:
    file = folder / "rows.parquet"
    pl.DataFrame(
        [(row.parquet, row.row) for row in rows], ["parquet", "row"], orient="row"
    ).write_parquet(file)
    return file


def test_both_see_the_same_images_and_the_names_of_equal_ones(
    shards: Shards, rows: list[TrainingRow]
) -> None:
    champion, challenger = Guess("a"), Guess("b")
    done: list[int] = []
    evidence = reserved_evidence(
        rows, shards, champion, challenger, DATASET, on_progress=done.append
    )
    assert evidence is not None
    assert champion.seen == challenger.seen
    assert len(champion.seen) == evidence.champion.count == 2 * len(rows)
    assert sum(done) == len(rows)
    # equal names are equal images, as a cache of features asks for
    named = dict(zip(champion.keys, champion.seen, strict=True))
    assert [named[key] for key in champion.keys] == champion.seen
    assert len(named) == len(set(champion.seen))
    again = reserved_evidence(rows, shards, Guess("a"), Guess("b"), DATASET)
    assert again is not None
    assert again.gate_set == evidence.gate_set
    assert np.array_equal(again.champion.probabilities, evidence.champion.probabilities)
    other = reserved_evidence(rows, shards, Guess("a"), Guess("b"), DATASET, seed=1)
    assert other is not None
    assert other.gate_set.sha256 != evidence.gate_set.sha256
    # of the same rows: a challenger more on one gate set
    assert other.gate_set.images == evidence.gate_set.images
    assert judge(evidence, GateSettings(draws=100)).statistic == "mcc"


def test_labels_and_streets_are_those_of_the_rows(shards: Shards, rows: list[TrainingRow]) -> None:
    evidence = reserved_evidence(rows, shards, Guess("a"), Guess("b"), DATASET)
    assert evidence is not None
    labels = [row.label for row in rows for _ in range(2)]
    assert evidence.champion.labels.tolist() == labels
    streets = np.repeat(streets_of_rows(rows), 2)
    same = streets[:, None] == streets[None, :]
    images = evidence.champion.images
    assert np.array_equal(images[:, None] == images[None, :], same)
    places = [row.gps or (np.nan, np.nan) for row in rows for _ in range(2)]
    assert evidence.positions is not None
    assert np.array_equal(evidence.positions, np.array(places), equal_nan=True)
    slices = {(part.field, part.value): part.members for part in evidence.slices}
    assert np.array_equal(slices["label", "roadwork"], np.array(labels) == 1)
    assert slices["era", "E7"].all()
    cities = [row.metadata.get("city") for row in rows for _ in range(2)]
    for (field, value), members in slices.items():
        if field == "city" and not value.startswith("NULL"):
            assert np.array_equal(members, np.array([city == value for city in cities]))


def test_rows_of_either_training_are_left_out_and_unknown_ones_are_said(
    shards: Shards, rows: list[TrainingRow], tmp_path: Path
) -> None:
    known = Guess("a", rows_file(tmp_path, rows[:10]))
    evidence = reserved_evidence(rows, shards, known, Guess("b"), DATASET)
    assert evidence is not None
    assert evidence.training_unknown == ["challenger"]
    assert evidence.left_out["in the base training"] == 10
    left = len(rows) - sum(evidence.left_out.values())
    assert evidence.champion.count == 2 * left
    every = Guess("c", rows_file(tmp_path, rows))
    assert reserved_evidence(rows, shards, every, Guess("b"), DATASET) is None


def test_answers_that_are_no_probabilities_and_metadata_are_refused(
    shards: Shards, rows: list[TrainingRow]
) -> None:
    with pytest.raises(RunError, match="no probability"):
        reserved_evidence(rows[:4], shards, Guess("a", scale=1), Guess("b"), DATASET)
    nosy = Guess("nosy")
    nosy.wants_metadata = True
    with pytest.raises(RunError, match="challenger nosy: found one that wants metadata"):
        reserved_evidence(rows[:4], shards, Guess("a"), nosy, DATASET)
