import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.scenes.parquet import SCHEMA, scene_row
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from model.datasets.challenge_draws import draw_samples
from model.datasets.settings import DatasetSettings, Era
from model.datasets.undecodable_rows import undecodable_rows
from model.rows.source_rows import list_rows
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder

TINY = SceneSettings(seed=3, rows=12, size_mix=(((320, 240), 1.0),))
SCENES: list[dict[str, Any]] = [scene_row(TINY, row) for row in range(TINY.rows)]


def encoded(size: tuple[int, int], file_format: str = "JPEG", mode: str = "RGB") -> bytes:
    rng, stream = np.random.default_rng(0), io.BytesIO()
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(stream, format=file_format)
    return stream.getvalue()


def sources(folder: Path, images: list[bytes]) -> Shards:
    """Scenes of these images, in two shards."""
    rows = [
        SCENES[k % len(SCENES)] | {"image": {"bytes": image, "path": "x"}}
        for k, image in enumerate(images)
    ]
    half = len(rows) // 2
    for name, part in (("train-0.parquet", rows[:half]), ("train-1.parquet", rows[half:])):
        table = pa.Table.from_pylist(part, schema=SCHEMA)
        pq.write_table(table, folder / name, row_group_size=3)
    return Shards(folder)


def hurt(image: bytes) -> list[bytes]:
    """Cut at a half and at three quarters; both still have a good header."""
    middle = len(image) // 2
    return [image[:middle], image[: middle + middle // 2]]


@pytest.mark.parametrize("threads", [1, 3, 40])
def test_images_that_are_cut_short_are_found(tmp_path: Path, threads: int) -> None:
    whole = [encoded((320, 240)), encoded((320, 240), "PNG"), encoded((320, 240), mode="L")]
    images = [*whole, *hurt(whole[0]), *whole, *hurt(whole[1]), *whole]
    shards = sources(tmp_path, images)
    listed = list_rows(shards)
    assert len(listed.rows) == len(images) == 13
    backwards = listed.rows[::-1]
    steps: list[int] = []
    found = undecodable_rows(shards, backwards, threads, steps.append)
    assert found == {12 - k: Reason.BYTES for k in (9, 8, 4, 3)}
    assert list(found) == sorted(found)
    assert steps == [1] * 13


def test_no_rows_are_no_failures(tmp_path: Path) -> None:
    shards = sources(tmp_path, [encoded((320, 240))] * 2)
    assert undecodable_rows(shards, [], 2) == {}


@pytest.mark.parametrize("era", ["crop", "letterbox"])
def test_what_passes_is_rebuilt_at_every_level_and_what_fails_never(
    tmp_path: Path, era: Era
) -> None:
    """Of every mode that the formats hold, and of sizes down to one pixel."""
    sizes = [(1, 1), (2, 1), (1, 3), (300, 1), (1, 300), (225, 224), (640, 4)]
    modes = [("JPEG", mode) for mode in ("L", "RGB", "CMYK")]
    modes += [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")]
    images = [encoded(size) for size in sizes] + [encoded((64, 48), *mode) for mode in modes]
    shards = sources(tmp_path, [*images, *hurt(encoded((64, 48)))])
    rows = list_rows(shards).rows
    assert len(rows) == len(images) + 2
    found = undecodable_rows(shards, rows, 2, era=era)
    thin = {3: Reason.PARAMETERS, 4: Reason.PARAMETERS} if era == "letterbox" else {}
    assert found == thin | dict.fromkeys((len(images), len(images) + 1), Reason.BYTES)
    rebuilder = Rebuilder(shards)
    for index, row in enumerate(rows):
        for sample in draw_samples(row, index, 12, 0, DatasetSettings(era=era)):
            if index in found:
                with pytest.raises(CannotRebuildError, match=found[index]):
                    rebuilder.pixels(sample.challenge, sample.variant)
            else:
                shape = rebuilder.pixels(sample.challenge, sample.variant).shape
                assert shape == (224, 224, 3)
