"""What is found in a folder of sources: links, loops, unfinished downloads, and its state."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.sources.folder_listing import listing_sha256, source_files
from data.sources.shards import Shards
from tests.worlds.stores import SHARD, encoded, picture, write_shard

RAW = encoded(picture((32, 24)))


def hub_cache(root: Path, *revisions: str) -> Path:
    """As the Hugging Face client lays its cache out: snapshots are links into blobs."""
    repository = root / "datasets--natix-network-org--roadwork"
    made = write_shard(root / "made", [RAW])
    (repository / "blobs").mkdir(parents=True)
    made.rename(repository / "blobs" / "0123abcd")
    for revision in revisions:
        folder = repository / "snapshots" / revision / "data"
        folder.mkdir(parents=True)
        (folder / SHARD).symlink_to("../../../blobs/0123abcd")
    return repository


def test_shards_of_a_hub_cache_are_found_through_their_links(tmp_path: Path) -> None:
    repository = hub_cache(tmp_path, "1111", "2222")
    shards = Shards(repository)
    assert shards[SHARD].rows == 1
    # two revisions with the same blob are one file
    assert (len(shards), shards.duplicates) == (1, [])
    assert shards.paths == [repository / "snapshots" / "1111" / "data" / SHARD]


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    write_shard(tmp_path / "elsewhere", [RAW])
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "data").symlink_to("../elsewhere", target_is_directory=True)
    assert Shards(tmp_path / "sources")[SHARD].rows == 1


def test_loops_of_links_end_and_find_each_file_once(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "data", [RAW])
    (tmp_path / "data" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "data" / "self").symlink_to("self")
    (tmp_path / "itself.parquet").symlink_to("itself.parquet")
    found = source_files(tmp_path)
    assert found.shards == [tmp_path / "itself.parquet", path]
    assert listing_sha256(tmp_path)


def test_hidden_folders_are_left_out_and_pipes_are_not_opened(tmp_path: Path) -> None:
    write_shard(tmp_path / ".git" / "lfs", [RAW])
    os.mkfifo(tmp_path / SHARD)
    assert source_files(tmp_path).shards == []


def test_unfinished_downloads_are_found_where_clients_keep_them(tmp_path: Path) -> None:
    hidden = tmp_path / ".cache" / "huggingface" / "download" / "data"
    hidden.mkdir(parents=True)
    for path in (hidden / "a.b.incomplete", tmp_path / f"{SHARD}.incomplete"):
        path.write_bytes(b"PAR1")
    (tmp_path / "other.parquet.part").write_bytes(b"")
    shards = Shards(tmp_path)
    assert [path.name for path in shards.unfinished] == [
        "other.parquet.part",
        f"{SHARD}.incomplete",
        "a.b.incomplete",
    ]
    assert shards.unfinished_download(SHARD) == tmp_path / f"{SHARD}.incomplete"
    assert shards.unfinished_download("absent.parquet") is None


def test_a_folder_that_may_not_be_read_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", "open"):
        write_shard(tmp_path / name, [RAW])
    scandir = os.scandir

    def refuse(place: str) -> Iterator[os.DirEntry[str]]:
        if place.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr("data.sources.folder_listing.os.scandir", refuse)
    found = source_files(tmp_path)
    assert found.shards == [tmp_path / "open" / SHARD]
    assert found.unreadable == [tmp_path / "closed"]


def test_no_folder_holds_nothing(tmp_path: Path) -> None:
    assert source_files(tmp_path / "nowhere").shards == []
    assert listing_sha256(tmp_path / "nowhere") == listing_sha256(tmp_path / "nowhere")


def test_the_order_is_that_of_depth_and_names_and_never_the_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b/deep", "c", "a"):
        write_shard(tmp_path / name, [RAW])
    expected = [tmp_path / name / SHARD for name in ("a", "c", "b/deep")]
    assert source_files(tmp_path).shards == expected
    scandir = os.scandir

    def backwards(place: str) -> list[os.DirEntry[str]]:
        return sorted(scandir(place), key=lambda entry: entry.name, reverse=True)

    monkeypatch.setattr("data.sources.folder_listing.os.scandir", backwards)
    assert source_files(tmp_path).shards == expected


CHANGES = {
    "a shard below": lambda root: write_shard(root / "new", [RAW]),
    "a cached image": lambda root: (root / "x__image_1.jpeg").write_bytes(RAW),
    "what is said of one": lambda root: (root / "x__image_0.json").write_text('{"id": 2}'),
    "a time": lambda root: os.utime(root / "data" / SHARD, (1, 1)),
    "a file gone": lambda root: (root / "data" / SHARD).unlink(),
    "a link": lambda root: (root / "lost.parquet").symlink_to("nothing"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_state_of_a_folder_changes_with_anything_in_it(tmp_path: Path, change: str) -> None:
    write_shard(tmp_path / "data", [RAW])
    (tmp_path / "x__image_0.json").write_text("{}")
    before = listing_sha256(tmp_path)
    assert listing_sha256(tmp_path) == before
    act: Any = CHANGES[change]
    act(tmp_path)
    assert listing_sha256(tmp_path) != before


def test_copies_that_are_equal_are_one_and_others_are_in_an_order_of_their_own(
    tmp_path: Path,
) -> None:
    """At one depth by content: names of folders decide nothing."""
    for folder, images in (("a", [RAW]), ("b", [RAW, RAW]), ("c", [RAW])):
        write_shard(tmp_path / "one" / folder, images)
    shutil.copytree(tmp_path / "one" / "a", tmp_path / "two" / "z")
    shutil.copytree(tmp_path / "one" / "b", tmp_path / "two" / "y")
    rows = [[shard.rows for shard in Shards(tmp_path / n).copies(SHARD)] for n in ("one", "two")]
    assert rows[0] == rows[1]
    assert sorted(rows[0]) == [1, 2]
    used = [(SHARD, 0)]
    assert Shards(tmp_path / "one").fingerprints(used) == Shards(tmp_path / "two").fingerprints(
        used
    )
    assert Shards(tmp_path / "one").fingerprints(used) != Shards(
        tmp_path / "one" / "a"
    ).fingerprints(used)
