import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from data.errors import RunError, SourceAccessError, SourceError
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.sources.source_path import source_folder
from model.datasets.augmentation import ImageAugmentation
from model.datasets.batch import Batch, RowDraw, row_table
from model.datasets.challenge_draws import decode_jpeg, draw_challenge
from model.datasets.images import BatchOrError, FreshImages, ImageSource, KeptImages
from model.datasets.loaders import training_loader
from model.datasets.samplers import BatchSettings, SceneSampler, TrainingBatches
from model.datasets.settings import DatasetSettings
from model.optimization.batch_errors import batches_of
from model.rows.source_rows import list_rows
from replay.rebuilding.rebuild import Rebuilder

SCENES = SceneSettings(seed=9, rows=12, row_group_rows=5, size_mix=(((320, 240), 1.0),))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ImageSource:
    folder = tmp_path_factory.mktemp("sources")
    write_shards(folder, SCENES)
    return source_of(Shards(folder))


def source_of(shards: Shards) -> ImageSource:
    return ImageSource(
        shards.folder, row_table(list_rows(shards).rows), DatasetSettings(draws=2), 4
    )


def asked(source: ImageSource, draw: int = 1) -> list[RowDraw]:
    return [RowDraw(row, draw, 1) for row in range(len(source.table))]


def batch_of(batch: object) -> Batch:
    assert isinstance(batch, Batch)
    return batch


def test_fresh_images_are_what_replay_builds(source: ImageSource) -> None:
    batch = batch_of(FreshImages(source, 12).__getitems__(asked(source)))
    rebuilder = Rebuilder(Shards(source.folder), source.seed)
    for row, image in enumerate(batch.inputs):
        sample = draw_challenge(source.table.rows[row], row, 1, source.seed, source.settings)
        expected = rebuilder.rebuild(sample.challenge, sample.variant).decoded()
        assert np.array_equal(image.permute(1, 2, 0).numpy(), expected)
    assert batch.views is None
    assert torch.equal(batch.labels, source.table.labels)


def test_each_draw_is_another_image(source: ImageSource) -> None:
    data = FreshImages(source, 12)
    first, second = (batch_of(data.__getitems__(asked(source, draw))) for draw in (1, 2))
    differing = (first.inputs != second.inputs).flatten(1).any(dim=1)
    assert differing.float().mean() > 0.8
    again = batch_of(data.__getitems__(asked(source, 1)))
    assert torch.equal(again.inputs, first.inputs)


def test_augmentation_comes_after_the_validators(source: ImageSource) -> None:
    augmentation = ImageAugmentation(randaugment=True, cutout=16, seed=1)
    plain = batch_of(FreshImages(source, 12).__getitems__(asked(source)))
    augmented = batch_of(FreshImages(source, 12, augmentation).__getitems__(asked(source)))
    for row, image in enumerate(plain.inputs):
        expected = augmentation(image, source.table.rows[row].scene, 1)
        assert torch.equal(augmented.inputs[row], expected)


def test_kept_images_are_the_draws_of_each_row_and_are_built_once(
    source: ImageSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = KeptImages(source, threads=2)
    assert len(data) == 24
    first = batch_of(data.__getitems__(range(24)))
    assert first.rows.tolist() == [row for row in range(12) for _ in range(2)]
    fresh = batch_of(FreshImages(source, 12).__getitems__([RowDraw(3, 1, 0)]))
    assert torch.equal(first.inputs[7], fresh.inputs[0])
    monkeypatch.setattr(
        "model.datasets.images.build_jpegs", lambda samples, *_, **__: list(samples)
    )
    assert torch.equal(batch_of(data.__getitems__([7])).inputs, fresh.inputs)


def loader_of(source: ImageSource, workers: int) -> tuple[Iterator[Batch], TrainingBatches]:
    scenes = source.table.scenes
    batches = TrainingBatches(SceneSampler(scenes, 0), scenes, BatchSettings(5), 0)
    return batches_of(training_loader(FreshImages(source, 6), batches, workers, CPU)), batches


def test_processes_change_no_bit(source: ImageSource) -> None:
    alone, two = (list(loader_of(source, workers)[0]) for workers in (0, 2))
    assert len(alone) == len(two) == 3
    for first, second in zip(alone, two, strict=True):
        assert torch.equal(first.inputs, second.inputs)
        assert torch.equal(first.rows, second.rows)
        assert first.views is not None
        assert second.views is not None
        assert torch.equal(first.views, second.views)


def test_a_process_that_dies_is_one_line(source: ImageSource) -> None:
    scenes = source.table.scenes
    batches = TrainingBatches(SceneSampler(scenes, 0), scenes, BatchSettings(1), 0)
    loader = training_loader(Deadly(source, 12), batches, 1, CPU)
    with pytest.raises(RunError, match=r"processes that rebuild images.*one that died.*--workers"):
        list(batches_of(loader))


class Reset:
    """A loader whose process dies while it hands a batch over."""

    def __iter__(self) -> "Reset":
        return self

    def __next__(self) -> Batch:
        raise ConnectionResetError("Connection reset by peer")


def test_a_process_that_dies_while_it_hands_over_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def signalled(_seconds: float) -> None:
        raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Killed.")

    with monkeypatch.context() as patch:
        patch.setattr("time.sleep", signalled)
        with pytest.raises(RunError, match="one that died"):
            list(batches_of(Reset()))
        patch.setattr("time.sleep", lambda _seconds: None)
        with pytest.raises(ConnectionResetError):
            list(batches_of(Reset()))


class Deadly(FreshImages):
    """Ends its process at the third batch, as the system does where memory runs out."""

    def __getitems__(self, draws: list[RowDraw]) -> BatchOrError:  # type: ignore[override]
        self.count = getattr(self, "count", 0) + 1
        if self.count == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitems__(draws)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_source_that_changes_while_it_is_trained_on_is_one_line(
    tmp_path: Path, workers: int
) -> None:
    (path,) = write_shards(tmp_path, replace(SCENES, shards=1))
    source = source_of(Shards(tmp_path))
    rows = pq.read_table(path).to_pylist()
    raw = rows[3]["image"]["bytes"]
    rows[3]["image"]["bytes"] = raw[: len(raw) // 2]
    pq.write_table(pq.read_table(path).from_pylist(rows, schema=pq.read_schema(path)), path)
    stream, _ = loader_of(source, workers)
    with pytest.raises(RunError, match=r"a source changed while it was trained on"):
        list(stream)


def test_jpegs_are_decoded_as_miners_do(source: ImageSource) -> None:
    sample = draw_challenge(source.table.rows[0], 0, 0, 0, source.settings)
    rebuilt = Rebuilder(Shards(source.folder), 0).rebuild(sample.challenge, sample.variant)
    assert np.array_equal(decode_jpeg(rebuilt.jpeg), rebuilt.decoded())


def test_a_server_that_is_gone_is_an_error_in_place_of_a_batch(
    source: ImageSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(source, folder=source_folder("memory://gone"))
    for data in (FreshImages(gone, 12).__getitems__(asked(gone)), KeptImages(gone, 1)[0]):
        assert isinstance(data, SourceError)

    def silent(*_: object) -> Shards:
        raise SourceAccessError("s3://bucket", found="no answer")

    monkeypatch.setattr("model.datasets.images.Shards", silent)
    for data in (FreshImages(gone, 12).__getitems__(asked(gone)), KeptImages(gone, 1)[0]):
        with pytest.raises(RunError, match=r"^s3://bucket: found no answer$"):
            list(batches_of([data]))
