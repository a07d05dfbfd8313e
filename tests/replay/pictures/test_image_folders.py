"""Images in folders of at most a thousand, found by their ids, whatever was there before."""

import hashlib
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.store import Store
from replay.pictures.image_folders import MOST_FILES, image_folders
from replay.pictures.jpeg_files import render
from replay.plans.plan import Plan, plan
from replay.settings import VariantSettings
from tests.worlds.stores import World, encoded, level_1, picture, write_shard


def ids(count: int) -> list[str]:
    return [hashlib.sha256(str(k).encode()).hexdigest()[:16] for k in range(count)]


@given(
    challenges=st.integers(0, 300),
    images=st.lists(st.integers(1, 20), min_size=1, max_size=5),
)
def test_no_folder_holds_more_than_a_thousand(
    tmp_path_factory: pytest.TempPathFactory, challenges: int, images: list[int]
) -> None:
    wanted = {stem: images[k % len(images)] for k, stem in enumerate(ids(challenges))}
    folders = image_folders(tmp_path_factory.getbasetemp(), wanted)
    files = [path for stem, count in wanted.items() for path in folders.paths(stem, count)]
    assert len(set(files)) == sum(wanted.values())
    assert max(Counter(path.parent for path in files).values(), default=0) <= MOST_FILES
    assert (folders.levels == 0) == (len(files) <= MOST_FILES)
    for path in files:
        below = "".join(path.relative_to(folders.out).parts[:-1])
        assert path.name.startswith(below)
        assert len(below) == 2 * folders.levels


def test_the_limit_itself_stays_flat_and_one_more_does_not(tmp_path: Path) -> None:
    names = ids(MOST_FILES + 1)
    assert image_folders(tmp_path, dict.fromkeys(names[:-1], 1)).levels == 0
    more = image_folders(tmp_path, dict.fromkeys(names, 1))
    assert more.paths(names[0], 1) == [tmp_path / names[0][:2] / f"{names[0]}.jpg"]
    assert more.paths(names[0], 2)[1] == tmp_path / names[0][:2] / f"{names[0]}-001.jpg"
    # by two digits 256 folders would hold 1,100 on average
    many = dict.fromkeys(ids(10_000), 30)
    assert image_folders(tmp_path, many).paths(names[0], 1)[0] == (
        tmp_path / names[0][:2] / names[0][2:4] / f"{names[0]}.jpg"
    )


@pytest.fixture
def planned(store: Store, record: dict[str, Any]) -> tuple[World, Plan]:
    """Forty images of ten challenges."""
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240)))])
    for k in range(10):
        world.ask(0, **{**level_1(float(k), [k, k, 90, 90]), "data_aug_level": 3})
    return world, plan(world.ingest(), world.shards, VariantSettings(4))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_large_render_again_and_a_smaller_one_after_it(
    planned: tuple[World, Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, challenges = planned
    flat, out = tmp_path / "flat", tmp_path / "out"
    render(challenges, world.shards, flat)
    assert len(list(flat.glob("*.jpg"))) == 40
    monkeypatch.setattr("replay.pictures.image_folders.MOST_FILES", 15)
    rendered = render(challenges, world.shards, out)
    written = tree(out)
    assert {str(out / name) for name in written} == {file for one in rendered for file in one.files}
    assert {Path(name).name: raw for name, raw in written.items()} == tree(flat)
    assert all(name.count("/") >= 1 for name in written)
    assert render(challenges, world.shards, out) == rendered
    assert tree(out) == written
    # of the same challenges fewer images, beside those of all others
    (fewer, *_) = render(
        plan(world.ingest()[:1], world.shards, VariantSettings(2)), world.shards, out
    )
    left = set(tree(out))
    gone = set(written) - left
    assert len(left) == 38
    assert {name for name in left if fewer.challenge_id in name} == {
        str(Path(file).relative_to(out)) for file in fewer.files
    }
    assert all(fewer.challenge_id in name for name in gone)


def test_what_lay_flat_goes_to_its_subfolder_and_other_files_stay(
    planned: tuple[World, Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, challenges = planned
    out, other = tmp_path / "out", tmp_path / "other"
    render(challenges, world.shards, out)
    name = f"{challenges[0].challenge.challenge_id}-000.jpg"
    linked = name[:2]
    foreign = ("notes.txt", "zz/holiday.jpg", f"albums/{name}", f"{'0' * 2}/{'1' * 16}.jpg")
    for file in foreign:
        (out / file).parent.mkdir(exist_ok=True)
        (out / file).touch()
    other.mkdir()
    shutil.copy(out / name, other / name)
    monkeypatch.setattr("replay.pictures.image_folders.MOST_FILES", 15)
    rendered = render(challenges, world.shards, out)
    assert not list(out.glob("*.jpg"))
    assert sorted(tree(out)) == sorted(
        [*foreign, *(str(Path(file).relative_to(out)) for one in rendered for file in one.files)]
    )
    # a link is no folder of ours
    shutil.rmtree(out / linked)
    (out / "ff").symlink_to(other)
    render(challenges[1:], world.shards, out)
    assert list(other.iterdir()) == [other / name]
