"""Shards and cached images in one folder: which file counts, and what a validator opened."""

import io
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.errors import SourceError
from data.sources.cached_image import cached_image, decoded
from data.sources.shard import SourceRow
from data.sources.shards import Shards, open_shards
from tests.worlds.stores import SHARD, encoded, picture, write_shard

STEM = SHARD.removesuffix(".parquet")


def validators_cache(folder: Path, images: list[bytes]) -> None:
    """The files that a validator's own extraction writes (DOMAIN.md §1)."""
    folder.mkdir(parents=True, exist_ok=True)
    for row, raw in enumerate(images):
        image = Image.open(io.BytesIO(raw))
        image.save(folder / f"{STEM}__image_{row}.{(image.format or '').lower()}")


def read_image(shards: Shards, name: str, row: int) -> tuple[SourceRow, Image.Image]:
    """The row, and the image that the validator opened."""
    location = shards.locations(name, row)[0]
    source = shards.read_at(location)
    decode = cached_image if location.cached is None else decoded
    return source, decode(source.image)


@pytest.fixture
def images() -> list[bytes]:
    return [
        encoded(picture((320, 240)), "JPEG", quality=98),
        encoded(picture((320, 240), "RGBA", seed=1), "PNG"),
        encoded(picture((320, 240), "L", seed=2), "JPEG"),
    ]


def test_a_cached_image_is_the_one_made_of_the_shards_row(
    tmp_path: Path, images: list[bytes]
) -> None:
    write_shard(tmp_path / "shards", images)
    validators_cache(tmp_path / "cache", images)
    shards, cache = Shards(tmp_path / "shards"), Shards(tmp_path / "cache")
    for row in range(3):
        _, made = read_image(shards, SHARD, row)
        _, read = read_image(cache, SHARD, row)
        assert (made.mode, made.size) == (read.mode, read.size)
        assert np.array_equal(np.asarray(made), np.asarray(read))


def test_a_cached_image_wins_and_is_not_encoded_again(tmp_path: Path, images: list[bytes]) -> None:
    write_shard(tmp_path, images)
    other = encoded(picture((320, 240), seed=9))
    (tmp_path / f"{STEM}__image_0.jpeg").write_bytes(other)
    shards = Shards(tmp_path)
    source, image = read_image(shards, SHARD, 0)
    assert source.image == other
    assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(other))))
    assert not np.array_equal(np.asarray(image), np.asarray(cached_image(other)))
    assert read_image(shards, SHARD, 1)[0].image == images[1]


def test_both_are_found_in_subfolders_but_not_in_hidden_ones(
    tmp_path: Path, images: list[bytes]
) -> None:
    """As the Hugging Face client and a validator lay them out."""
    write_shard(tmp_path / "data", images)
    validators_cache(tmp_path / "Roadwork" / "image", images)
    shutil.copytree(tmp_path / "data", tmp_path / ".cache" / "huggingface" / "download")
    shards = Shards(tmp_path)
    assert (len(shards), len(shards.cached)) == (1, 3)
    assert shards.paths == [tmp_path / "data" / SHARD]
    assert shards.duplicates == []


def test_a_hidden_folder_may_be_named_itself(tmp_path: Path, images: list[bytes]) -> None:
    validators_cache(tmp_path / ".cache" / "image", images)
    assert len(Shards(tmp_path / ".cache").cached) == 3


def test_of_equal_names_the_nearest_counts_and_the_other_is_told(
    tmp_path: Path, images: list[bytes]
) -> None:
    write_shard(tmp_path / "a" / "old", images[:1])
    write_shard(tmp_path / "z", images)
    shards = Shards(tmp_path)
    assert shards[SHARD].rows == 3
    assert shards.duplicates == [tmp_path / "a" / "old" / SHARD]


def test_fingerprints_tell_a_cached_image_from_a_row(tmp_path: Path, images: list[bytes]) -> None:
    write_shard(tmp_path, images)
    used = [(SHARD, 0), (SHARD, 1), (SHARD, 0)]
    shards = Shards(tmp_path)
    plain = shards.fingerprints(used)
    assert plain == {SHARD: shards[SHARD].fingerprint}
    (tmp_path / f"{STEM}__image_1.png").write_bytes(images[1])
    mixed = Shards(tmp_path).fingerprints(used)
    assert mixed[SHARD] == plain[SHARD]
    assert mixed.keys() == {SHARD, "cached images"}
    (tmp_path / f"{STEM}__image_0.jpeg").write_bytes(images[0])
    assert Shards(tmp_path).fingerprints(used).keys() == {"cached images"}
    assert Shards(tmp_path).fingerprints([]) == {}
    with pytest.raises(KeyError):
        Shards(tmp_path).fingerprints([("absent.parquet", 0)])


def test_a_fingerprint_of_a_shard_follows_its_content(tmp_path: Path, images: list[bytes]) -> None:
    path = write_shard(tmp_path, images)
    before = Shards(tmp_path)[SHARD].fingerprint
    write_shard(tmp_path / "same", images)
    assert Shards(tmp_path / "same")[SHARD].fingerprint == before
    write_shard(tmp_path, images[:2])
    assert Shards(path.parent)[SHARD].fingerprint != before


def test_a_folder_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        open_shards(tmp_path / "nowhere")
    assert len(open_shards(tmp_path / "nowhere", required=False)) == 0


def test_a_shard_without_an_image_column_is_no_shard(tmp_path: Path) -> None:
    pq.write_table(pa.table({"picture": [1]}), tmp_path / SHARD)
    with pytest.raises(SourceError, match="found columns picture; expected one whose name"):
        Shards(tmp_path)[SHARD]


def test_the_first_column_named_image_is_taken_and_its_path_is_not_read(tmp_path: Path) -> None:
    raw = encoded(picture((32, 24)))
    table = pa.table({"My_IMAGE": [{"bytes": raw, "path": "/etc/passwd"}], "image2": [b"no"]})
    pq.write_table(table, tmp_path / SHARD)
    assert Shards(tmp_path).read(SHARD, 0).image == raw


@pytest.mark.parametrize("value", [None, {"bytes": None, "path": "x"}])
def test_a_row_without_bytes_is_an_error_of_ours(
    tmp_path: Path, value: dict[str, bytes | None] | None
) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array([value], kind)}), tmp_path / SHARD)
    with pytest.raises(SourceError, match="no bytes"):
        read_image(Shards(tmp_path), SHARD, 0)
    with pytest.raises(SourceError, match="found 1 rows"):
        Shards(tmp_path).read(SHARD, 1)
